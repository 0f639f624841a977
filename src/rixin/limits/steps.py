"""One step of a process that shares counters: what it wants of the store, and what came of it.

Whatever has gathered is decided together: requests that want to be admitted, ends of others, leases that are given
back, signs of life. `Step.decide` does that on a page, and only there, so that it can be done again on another one.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from msgspec import Struct

from rixin.limits.admission import Admission, admit, survey, withdrawal
from rixin.limits.base import Cost, Limit, LimitError, Standing
from rixin.limits.leases import CLAIM, LIFE, Lease, grant
from rixin.limits.page import PROCESS, PROCESSES, Page
from rixin.limits.trail import Entry
from rixin.limits.window import Claims, Window, microseconds

ALIVE: Final = 5.0
"""Seconds for which a process that is silent is counted."""
OVERDUE: Final = 0.5
"""Seconds after its end in which a lease may still be given back."""
FORGOTTEN: Final = 7 * 86400.0
"""Seconds after which it is forgotten which steps a silent process has made: so long its machine may be down, and what
it had reserved is still settled."""

Changes: TypeAlias = dict[tuple[str, int | None], int]
"""Amounts to be written, by counter and slot; None is the slot of the instant at which that is done."""
Leased: TypeAlias = set[tuple[str, str]]
"""Processes, and counters of which they have leases."""


class Start(Struct, eq=False):
    """A request that wants to be admitted, or only to know how its limits stand."""

    limits: dict[str, Limit]
    cost: Cost
    done: asyncio.Future[Any]
    """Of an `Admission`, or of `Standing`s."""
    looks: bool = False
    patience: int = 0
    """How often it will ask again where others have leased what it needs."""
    admission: int = 0
    """As `Trail.admission`, once it is admitted."""


class Recall(Struct):
    """What becomes of a request that might pass if others gave back what they have leased."""

    error: LimitError
    leases: Leased


Outcome: TypeAlias = Admission | tuple[Standing, ...] | LimitError | Recall


class Step(Struct, eq=False, kw_only=True):
    """One step."""

    process: str
    """Whose it is."""
    number: int
    """Which of the process's it is."""
    processes: int
    """How many there are, as far as it knows."""
    doubts: tuple["Step", ...]
    """Steps before it that failed, and may have been written all the same."""
    starts: list[Start]
    changes: Changes
    returned: set[str]
    """Counters of which a lease is given back."""
    renewed: tuple[str, ...]
    """Counters of what runs at the same time that it holds on to."""
    recalls: Leased
    """Leases that others shall give back."""
    beats: bool
    """Whether it tells the others that it lives,"""
    leaves: bool
    """or that it does not."""

    decided: bool = False
    outcomes: list[Outcome] = []
    """What becomes of the starts."""
    admitted: dict[int, tuple[Entry, ...]] = {}
    """What it wrote for those who are to be taken down, by `Trail.admission`."""
    leases: list[Lease] = []
    """What it was granted."""
    recalled: list[str] = []
    """Counters whose leases others want back."""
    wanted: Leased = set()
    """Leases of others that stand in the way."""

    @property
    def written(self) -> Iterable[Entry]:
        """What was written for requests, and for leases."""
        for outcome in self.outcomes:
            if isinstance(outcome, Admission):
                yield from outcome.entries
        for lease in self.leases:
            yield Entry(lease.limit.counter, lease.limit.unit, lease.slot, lease.left)

    def names(self) -> set[str]:
        """The records that it needs."""
        names = {PROCESS + self.process, *self.returned, *self.renewed}
        names.update(PROCESS + process for process, _ in self.recalls)
        for start in self.starts:
            names.update(start.limits)
        for step in (*self.doubts, self):
            names.update(counter for counter, _ in step.changes)
            names.update(entry.counter for entry in step.written)
        if self.beats or self.leaves:
            names.add(PROCESSES)
        return names

    def decide(self, page: Page) -> None:
        """Writes it onto a page, and remembers what comes of it."""
        self.decided = True
        self.leases, self.wanted = [], set()
        own = page.process(self.process)
        self._resolve_doubts(page, own.step)
        self._write(page, self.changes)
        for name in self.returned:
            page.record(name).leases.pop(self.process, None)
        for name in self.renewed:
            claims = self._counter(page, name)
            if isinstance(claims, Claims):
                claims.renew()
        for process, name in self.recalls:
            recalled = page.process(process).recalled
            if name not in recalled:
                recalled.append(name)
        if self.beats or self.leaves:
            self._tell(page)
        self.outcomes = [self._decide(page, start) for start in self.starts]
        self._lease(page)
        self.recalled, own.recalled = own.recalled, []
        admissions = [
            (start, outcome)
            for start, outcome in zip(self.starts, self.outcomes, strict=True)
            if isinstance(outcome, Admission)
        ]
        self.admitted = {start.admission: outcome.entries for start, outcome in admissions if start.admission}
        if self.changes or self.doubts or admissions or own.admitted:
            own.step, own.ends_at, own.admitted = self.number, page.now + microseconds(FORGOTTEN), self.admitted

    def _decide(self, page: Page, start: Start) -> Outcome:
        """What becomes of a request."""
        counters = {name: self._counter(page, name) for name in start.limits}
        if start.looks:
            return survey(start.limits, counters, start.cost, now=page.now, reading=page.reading)
        try:
            return admit(start.limits, counters, start.cost, now=page.now, reading=page.reading)
        except LimitError as error:
            if error.retry_after is None:
                return error  # nothing that others could give back would help
            leased: Leased = set()
            for name, limit in start.limits.items():
                if counters[name].used + start.cost.of(limit.unit) > limit.amount:
                    of_others = self._leased(page, name)
                    if not of_others:
                        return error
                    leased |= of_others
            return Recall(error, leased) if start.patience else error

    def _lease(self, page: Page) -> None:
        """Leases what the requests that were admitted will presumably be followed by."""
        wanted: dict[str, tuple[Limit, int]] = {}
        for start, outcome in zip(self.starts, self.outcomes, strict=True):
            if isinstance(outcome, Admission):
                for name, limit in start.limits.items():
                    smallest, most = wanted.get(name, (limit, 1))
                    smallest = limit if limit.amount < smallest.amount else smallest
                    wanted[name] = smallest, max(most, start.cost.of(limit.unit))
        for name, (limit, amount) in wanted.items():
            lease = grant(page, limit, self._counter(page, name), amount, self.processes)
            if lease is None:
                self.wanted |= self._leased(page, name)
            else:
                page.record(name).leases[self.process] = page.now + microseconds(LIFE)
                self.leases.append(lease)

    def _leased(self, page: Page, name: str) -> Leased:
        """Leases of a counter that others may still give back."""
        leases = page.record(name).leases
        for process in [process for process, end in leases.items() if end + microseconds(OVERDUE) <= page.now]:
            del leases[process]  # what was left of it is spent
        return {(process, name) for process in leases if process != self.process}

    def _tell(self, page: Page) -> None:
        """Tells the others that this process lives, or does not, and finds out how many they are."""
        processes = page.processes
        for process in [process for process, end in processes.items() if end <= page.now]:
            del processes[process]
        if self.leaves:
            processes.pop(self.process, None)
        else:
            processes[self.process] = page.now + microseconds(ALIVE)
            self.processes = len(processes)

    def _resolve_doubts(self, page: Page, latest: int) -> None:
        """Writes what was not, and takes back what was written for nobody. `latest` is the step that was last."""
        for doubt in self.doubts:
            if doubt.number > latest:
                self._write(page, doubt.changes)
            elif doubt.number == latest:
                for entry in withdrawal(doubt.written):
                    self._counter(page, entry.counter).change(entry.slot or 0, entry.amount)

    def _write(self, page: Page, changes: Changes) -> None:
        for (name, slot), amount in changes.items():
            counter = self._counter(page, name)
            counter.change(counter.advance(page.now) if slot is None else slot, amount)

    def _counter(self, page: Page, name: str) -> Window | Claims:
        return page.counter(name, holder=self.process, expiry=page.now + microseconds(CLAIM))
