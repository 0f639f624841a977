"""Limits that several processes share, exactly, and admit from memory where enough is left.

What needs the store is worked off in turn. Requests that have gathered while the last step ran are decided together in
the next one, and so the more there is to do, the less each of it costs. Whatever remains to be written otherwise (the
ends of requests, what is left of leases) goes with it.

A step that failed may have been written all the same. Each process numbers its steps and the store remembers the
latest, so that the next step knows: nothing is written twice, and what nobody waits for any more is taken back.
"""

import asyncio
import itertools
from collections.abc import Coroutine, Sequence
from typing import Any, Final

import structlog

from rixin.clock import Clock, random_text
from rixin.errors import Kind, RixinError
from rixin.limits.admission import Admission, Held, binding, withdrawal
from rixin.limits.base import UNLIMITED, Cost, Limit, LimitError, Reservation, Standing
from rixin.limits.leases import CLAIM, Lease
from rixin.limits.page import CounterStore
from rixin.limits.steps import Changes, Leased, Outcome, Recall, Start, Step
from rixin.limits.takeover import take_over
from rixin.limits.trail import MAX_BATCH, Entry, Legacy, Trail
from rixin.limits.window import microseconds

PACE: Final = 0.1
"""Seconds between two looks at what is to be given back."""
PATIENCE: Final = 18
"""Such looks for which a request waits that others' leases may let through: longer than any lease lasts."""
BEAT: Final = 1.0
"""Seconds between two signs of life."""

SWEEP_EVERY: Final = 10_000
"""Admissions between two searches for records that nobody asks for any more."""

_log = structlog.get_logger("rixin.limits")


class SharedLimiter:
    """Counts in a store that other processes share.

    A request that is cancelled while it is admitted leaves nothing half done: an admission that nobody waits for any
    more is released.

    Args:
        store: Where; closed with the limiter.
        clock: Its monotonic half tells how long leases last.
        pace: Seconds between two looks at what is to be given back.
    """

    def __init__(self, store: CounterStore, clock: Clock, *, pace: float = PACE) -> None:
        self._store = store
        self._clock = clock
        self._pace = pace
        self.process = random_text(9)
        """As `Limiter.process`."""
        self._admissions = itertools.count(1)
        self._processes = 1
        self._leases: dict[str, Lease] = {}
        self._running: dict[str, int] = {}
        """Requests that run and are counted by it, by counter of concurrency."""
        self._starts: list[Start] = []
        self._changes: Changes = {}
        self._returned: set[str] = set()
        self._recalls: Leased = set()
        self._doubts: list[Step] = []
        self._steps = self._written = 0
        self._beat = self._renewal = -microseconds(CLAIM)
        self._joined = self._leaves = self._failing = False
        self._listed = False
        """Whether the store's record tells whom the last step has admitted, which by now is taken down elsewhere."""
        self._asked = False
        """Whether there is something for the store that shall not wait."""
        self._admitted = 0
        self._next_sweep = SWEEP_EVERY
        self._worker: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def acquire(self, limits: Sequence[Limit], cost: Cost, *, taken_down: bool = False) -> Reservation:
        """As `Limiter.acquire`. Waits only where the store must be asked."""
        if not limits:
            return UNLIMITED
        bound = binding(limits)
        admission = self._from_memory(bound, cost)
        if admission is not None:
            return Held(admission, self._end, outlives=True)
        start = Start(bound, cost, asyncio.get_running_loop().create_future(), patience=PATIENCE)
        start.admission = next(self._admissions) if taken_down else 0
        self._ask(start)
        try:
            return Held(await start.done, self._end, start.admission, outlives=True)
        except asyncio.CancelledError:
            if not start.done.cancelled() and start.done.exception() is None:
                self._take_back(start.done.result())
            raise

    async def inspect(self, limits: Sequence[Limit], cost: Cost) -> tuple[Standing, ...]:
        """As `Limiter.inspect`."""
        start = Start(binding(limits), cost, asyncio.get_running_loop().create_future(), looks=True)
        self._ask(start)
        return await start.done

    def has_written(self, step: int | None = None) -> bool:
        """As `Limiter.has_written`."""
        return not (self._changes or self._doubts) if step is None else step <= self._written

    async def take_over(self, legacy: Legacy) -> None:
        """As `Limiter.take_over`."""
        await take_over(self._store, legacy)

    async def tend(self) -> None:
        """Gives back what is left of leases that have ended, or that others need; tells the others that it lives."""
        reading = self._reading()
        for name, lease in list(self._leases.items()):
            if lease.until <= reading:
                self._give_back(name)
        may_be_recalled = self._processes > 1 and bool(self._leases)
        has_news = self._changes or self._doubts or self._listed
        if may_be_recalled or has_news or reading - self._beat >= microseconds(BEAT):
            self._work_soon()
        if self._worker is not None:
            await asyncio.wait([self._worker])

    async def sweep(self) -> None:
        """Forgets the counters that nobody asks for any more."""
        await self._store.sweep()

    async def aclose(self) -> None:
        """Gives back what was leased, and writes what is to be written, unless the store cannot be used."""
        # Before anything else: what is given back would have it tended again, when the store is closed.
        self._leaves = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        for name in list(self._leases):
            self._give_back(name)
        if self._joined:
            self._work_soon()
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._store.aclose()

    def _from_memory(self, limits: dict[str, Limit], cost: Cost) -> Admission | None:
        reading = self._reading()
        leases: list[Lease] = []
        for name, limit in limits.items():
            lease = self._leases.get(name)
            if lease is None or not lease.admits(limit, cost, reading):
                return None
            leases.append(lease)
        entries = tuple([lease.spend(cost) for lease in leases])
        admission = Admission(entries, tuple([lease.stand() for lease in leases]))
        self._admit(admission)
        return admission

    def _ask(self, start: Start) -> None:
        self._starts.append(start)
        self._work_soon()

    def _admit(self, admission: Admission) -> None:
        """Counts a request that was admitted."""
        self._admitted += 1
        for entry in admission.entries:
            if entry.unit == "concurrency":
                self._count(entry.counter, 1)

    def _end(self, changes: Sequence[Entry]) -> Trail | None:
        """Writes what the end of a request changes. Gives what the store is told later, by the next step."""
        reading = self._reading()
        told: list[Entry] = []
        for entry in changes:
            runs = entry.unit == "concurrency"
            if runs:
                self._count(entry.counter, -1)
            lease = self._leases.get(entry.counter)
            if lease is None or not lease.settles(entry, reading):
                self._change(entry.counter, entry.slot, entry.amount)
                told.append(entry)
                # Who waits for somebody else's end asks again soon; everything else can wait a little.
                if runs:
                    self._work_soon()
        return Trail(tuple(told), self._steps + 1) if told else None

    def _count(self, counter: str, requests: int) -> None:
        running = self._running.get(counter, 0) + requests
        if running:
            self._running[counter] = running
            self._keep()
        else:
            del self._running[counter]

    def _change(self, counter: str, slot: int | None, amount: int) -> None:
        self._changes[counter, slot] = self._changes.get((counter, slot), 0) + amount
        self._keep()

    def _give_back(self, counter: str) -> None:
        lease = self._leases.pop(counter, None)
        if lease is not None:
            self._returned.add(counter)
            self._change(counter, lease.slot, -lease.left)

    def _keep(self) -> None:
        if (self._keeper is None or self._keeper.done()) and not self._leaves:
            self._keeper = asyncio.create_task(self._tend_always())

    async def _tend_always(self) -> None:
        while self._leases or self._changes or self._doubts or self._listed or self._running:
            await asyncio.sleep(self._pace)
            await self.tend()

    def _work_soon(self) -> None:
        self._asked = True
        if self._worker is None or self._worker.done():
            self._worker = self._spawn(self._work())

    async def _work(self) -> None:
        """Makes steps until there is nothing to do at once."""
        while self._asked:
            step = self._gather()
            try:
                await self._store.step(step.names(), step.decide)
            except RixinError as error:
                self._put_back(step, error)
                if not self._failing:
                    _log.warning("limits cannot be counted", kind=error.kind.value, detail=error.detail)
                self._failing = True
            except BaseException as error:
                message = "The server could not count this request."
                self._put_back(step, RixinError(Kind.INTERNAL, message, detail=repr(error)))
                raise
            else:
                self._failing = False
                self._conclude(step)
                # Whoever was admitted takes that down now, before the next step forgets who they were.
                await asyncio.sleep(0)

    def _gather(self) -> Step:
        """The next step: all that waits, but for the requests that can be admitted from memory by now.

        For the others the leases are given back that they could have used, so that the store decides on all there is.
        """
        starts, self._starts = self._starts[:MAX_BATCH], self._starts[MAX_BATCH:]
        self._asked = bool(self._starts)
        asking: list[Start] = []
        for start in starts:
            if start.done.done():
                continue
            admission = None if start.looks else self._from_memory(start.limits, start.cost)
            if admission is None:
                asking.append(start)
            else:
                start.admission = 0  # what was leased stays spent
                start.done.set_result(admission)
        for start in asking:
            for name in start.limits:
                self._give_back(name)
        reading = self._reading()
        self._steps += 1
        step = Step(
            process=self.process,
            number=self._steps,
            processes=self._processes,
            doubts=tuple(self._doubts),
            starts=asking,
            changes=self._changes,
            returned=self._returned,
            renewed=tuple(self._running) if reading - self._renewal >= microseconds(CLAIM / 3) else (),
            recalls=self._recalls,
            beats=not self._leaves and reading - self._beat >= microseconds(BEAT),
            leaves=self._leaves,
        )
        self._changes, self._returned, self._recalls = {}, set(), set()
        return step

    def _conclude(self, step: Step) -> None:
        self._doubts.clear()
        self._listed = bool(step.admitted)
        self._written = step.number
        self._processes = step.processes
        if step.beats:
            self._joined, self._beat = True, self._reading()
        if step.renewed:
            self._renewal = self._reading()
        for lease in step.leases:
            self._leases[lease.limit.counter] = lease
        self._recalls |= step.wanted
        for start, outcome in zip(step.starts, step.outcomes, strict=True):
            self._answer(start, outcome)
        for name in step.recalled:
            self._give_back(name)
        if step.recalled or self._recalls:
            self._asked = True
        if self._leases or self._listed:
            self._keep()
        if self._admitted >= self._next_sweep:
            self._next_sweep += SWEEP_EVERY
            self._spawn(self._sweep())

    def _answer(self, start: Start, outcome: Outcome) -> None:
        if isinstance(outcome, Admission):
            self._admit(outcome)
            if start.done.done():  # nobody waits any more
                self._take_back(outcome)
                return
        if start.done.done():
            return
        if isinstance(outcome, Recall):
            start.patience -= 1
            self._recalls |= outcome.leases
            self._spawn(self._ask_again(start))
        elif isinstance(outcome, LimitError):
            start.done.set_exception(outcome)
        else:
            start.done.set_result(outcome)

    def _take_back(self, admission: Admission) -> None:
        """Releases what was admitted for somebody who was cancelled before he heard of it.

        The store is told, whatever is leased, by the step in which it forgets who was admitted: no kill comes between.
        """
        for entry in withdrawal(admission.entries):
            if entry.unit == "concurrency":
                self._count(entry.counter, -1)
            self._change(entry.counter, entry.slot, entry.amount)
        self._work_soon()

    async def _ask_again(self, start: Start) -> None:
        await asyncio.sleep(self._pace)
        self._ask(start)

    def _put_back(self, step: Step, error: RixinError) -> None:
        """Remembers what a step that failed was to write, and refuses its requests."""
        if step.decided:
            self._doubts.append(step)
        else:
            for (counter, slot), amount in step.changes.items():
                self._change(counter, slot, amount)
        self._returned |= step.returned
        self._keep()
        for start in step.starts:
            if not start.done.done():
                start.done.set_exception(error)

    async def _sweep(self) -> None:
        try:
            await self.sweep()
        except RixinError as error:
            _log.warning("counters not swept", kind=error.kind.value, detail=error.detail)

    def _reading(self) -> int:
        return microseconds(self._clock.monotonic())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Now, and not whenever the collector comes across the task.
            _log.error("limits met a mistake of ours", exc_info=error)
