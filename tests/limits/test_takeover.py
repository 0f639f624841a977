"""What killed processes held is settled in their place, exactly once, whatever of it they had written by then."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.errors import RixinError
from rixin.limits.admission import interrupted
from rixin.limits.base import Cost, Limit, LimitError, Reservation
from rixin.limits.page import Page
from rixin.limits.shared import SharedLimiter
from rixin.limits.takeover import take_over
from rixin.limits.trail import MAX_BATCH, Legacy, Trail
from tests.limits.backends import Backend, Opening
from tests.limits.examples import examples
from tests.limits.manual_clock import ManualClock
from tests.limits.watched import Watched

T = TypeVar("T")
HOURS = 5 * 3600.0
NAMES = iter(range(10**6))
NEVER = 3600.0
"""Seconds between two looks of a limiter at what it holds: here it looks when it is asked to."""


class Dying:
    """A process that will be killed, and another one that will take over."""

    def __init__(self, opening: Opening) -> None:
        self.backend = Backend(self._watched(opening), pace=NEVER)
        assert isinstance(self.backend.limiter, SharedLimiter)
        self.process = self.backend.limiter
        self.store = self.stores[0]
        self._opening = opening
        self._told: set[int] = set()

    def _watched(self, opening: Opening) -> Opening:
        self.stores: list[Watched] = []

        def watched(clock: ManualClock) -> Watched:
            self.stores.append(Watched(opening(clock)))
            return self.stores[-1]

        return watched

    def work(self) -> None:
        """The process writes what it is about to write."""
        self.backend.run(self.process.tend())

    def admit(self, limits: Sequence[Limit], count: int, cost: Cost | None = None) -> list[Reservation]:
        """So many requests, decided together, which the process is to take down."""

        async def admit() -> list[Reservation]:
            acquire = partial(self.process.acquire, limits, cost or Cost(), taken_down=True)
            return await asyncio.gather(*(acquire() for _ in range(count)))

        return self.backend.run(admit())

    def leave(self, limits: Sequence[Limit], cost: Cost) -> None:
        """A request whose client leaves when the store has admitted it, and it has not heard of that yet."""

        async def leave() -> None:
            self.store.answers.clear()
            task = asyncio.create_task(self.process.acquire(limits, cost, taken_down=True))
            await asyncio.sleep(0)
            if task.done():  # it was admitted from memory
                task.result().release()
                return
            await self.store.answers.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        self.backend.run(leave())

    def take_down(self, *reservations: Reservation) -> list[Reservation]:
        """It writes into its journal who was admitted."""
        for reservation in reservations:
            assert reservation.trail is not None
            self._told.add(reservation.trail.admission)
        return [*reservations]

    def inherit(self, *trails: Trail | None) -> None:
        """It is killed, and the other one takes over."""
        self.die()
        self.backend.run(self.backend.limiter.take_over(self.legacy(*trails)))

    def die(self) -> None:
        """It is killed, and there is another one."""
        if self.backend.limiter is self.process:
            self.backend.kill(self.process)
            self.backend.limiter = self.backend.open(self._opening)

    def legacy(self, *trails: Trail | None) -> Legacy:
        """What its journal tells."""
        known = tuple([trail for trail in trails if trail is not None])
        return Legacy(self.process.process, known, frozenset(self._told))

    def remaining(self, limit: Limit) -> int:
        """What a limit leaves."""
        return self.backend.inspect(limit).remaining


@pytest.fixture
def dying(opening: Opening) -> Iterator[Dying]:
    """One of each kind of store."""
    dying = Dying(opening)
    yield dying
    dying.backend.close()


def tokens(amount: int = 100) -> Limit:
    """A limit that no other test knows, and that nobody can lease anything of."""
    return Limit(f"dead:{next(NAMES)}", "tokens", amount, HOURS)


def cut(reservation: Reservation, used: int) -> Trail:
    """The end of a request whose process was killed when it had used so many tokens."""
    assert reservation.trail is not None
    return interrupted(reservation.trail, Cost(tokens=used))


@pytest.mark.parametrize("used", [0, 20, 50, 70])
def test_what_was_under_way_counts_as_much_as_it_used(dying: Dying, used: int) -> None:
    """Be it less than was reserved, or more; and it counts once, however often somebody takes over."""
    limit = tokens()
    reservation = dying.backend.acquire(limit, tokens=50)
    assert dying.remaining(limit) == 50
    for _ in range(2):
        dying.inherit(cut(reservation, used))
        assert dying.remaining(limit) == 100 - used


def test_calls_and_credits_stay_spent_and_shares_are_given_back(dying: Dying) -> None:
    """Nobody knows what of a call came to its client, so no window may hold another one; but it runs no more."""
    name = next(NAMES)
    calls, credits_ = Limit(f"dead:{name}", "requests", 3, HOURS), Limit(f"dead:{name}", "credits", 9, HOURS)
    money, at_once = Limit(f"dead:{name}", "money", 100, HOURS), Limit(f"dead:{name}", "concurrency", 1)
    reservation = dying.backend.acquire(calls, credits_, money, at_once, credits_=2, money=60)
    assert reservation.trail is not None
    dying.inherit(interrupted(reservation.trail, Cost(money=10)))
    assert [dying.remaining(limit) for limit in (calls, credits_, money, at_once)] == [2, 7, 90, 1]


@pytest.mark.parametrize("written", ["no", "yes", "unheard", "refused"])
def test_an_end_that_was_not_written_is_and_one_that_was_is_not(dying: Dying, written: str) -> None:
    """It is known which it was even where the process itself did not know."""
    limit = tokens()
    reservation = dying.backend.acquire(limit, tokens=50)
    dying.backend.end(reservation, 20)
    dying.store.mute, dying.store.gone = written == "unheard", written == "refused"
    if written != "no":
        dying.work()
    dying.inherit(reservation.trail)
    assert dying.remaining(limit) == 80


def test_two_who_take_over_do_it_once(dying: Dying, opening: Opening) -> None:
    """Whoever comes second finds nothing to do, even where it had seen what there was to do before."""
    limit = tokens()
    reservation = dying.backend.acquire(limit, tokens=50)
    trail = cut(reservation, 20)
    dying.backend.acquire(limit, tokens=50)
    dying.die()

    class Slow(Watched):
        """A store whose caller is overtaken after its first step."""

        async def step(self, names: Iterable[str], decide: Callable[[Page], T]) -> T:
            outcome = await super().step(names, decide)
            if self.steps == 1:
                await dying.backend.limiter.take_over(dying.legacy(trail))
            return outcome

    slow = Slow(opening(dying.backend.clock))
    dying.backend.run(take_over(slow, dying.legacy(trail)))
    dying.backend.run(slow.aclose())
    assert slow.steps == 3
    assert dying.remaining(limit) == 30


def test_shares_that_were_leased_go_back_too(dying: Dying) -> None:
    """Nobody waits for what a dead process had put aside to run at the same time."""
    limit = Limit(f"dead:{next(NAMES)}", "concurrency", 100)
    reservation = dying.backend.acquire(limit)
    assert dying.process._leases  # pyright: ignore[reportPrivateUsage] - or this would show nothing
    dying.inherit(cut(reservation, 0))
    assert dying.remaining(limit) == 100


def test_what_nobody_remembers_is_left_as_it_is(dying: Dying) -> None:
    """Of a process that the store does not know it cannot be told what was written."""
    limit = tokens()
    dying.backend.acquire(limit, tokens=50)
    trail = cut(dying.backend.acquire(limit, tokens=50), 0)
    dying.backend.run(take_over(dying.store, Legacy("somebody", (trail,))))
    assert dying.remaining(limit) == 0


def test_what_was_let_in_at_the_moment_of_the_kill_is_given_back(dying: Dying) -> None:
    """All of it, calls and credits too: nobody was asked, and no client has heard anything."""
    name = next(NAMES)
    limits = [
        Limit(f"dead:{name}", "requests", 5, HOURS),
        Limit(f"dead:{name}", "credits", 30, HOURS),
        Limit(f"dead:{name}", "money", 100, HOURS),
        Limit(f"dead:{name}", "concurrency", 5),
    ]
    told, _ = dying.admit(limits, 2, Cost(credits=10, money=40))
    dying.take_down(told)
    assert told.trail is not None
    for _ in range(2):
        dying.inherit(interrupted(told.trail, Cost(money=30)))
        assert [dying.remaining(limit) for limit in limits] == [4, 20, 70, 5]


def test_what_was_let_in_for_somebody_who_never_heard_of_it_is_given_back(dying: Dying) -> None:
    """A step whose answer was lost lets nobody in, though it is written."""
    limit = tokens()
    (told,) = dying.admit([limit], 1, Cost(tokens=50))
    dying.store.mute = True
    with pytest.raises(RixinError):
        dying.admit([limit], 1, Cost(tokens=50))
    dying.inherit(cut(told, 20))
    assert dying.remaining(limit) == 80


def test_what_was_let_in_for_somebody_who_left_is_given_back_once(dying: Dying) -> None:
    """Even where others have got it since, from memory."""
    limit = Limit(f"dead:{next(NAMES)}", "requests", 1000, HOURS)
    dying.leave([limit], Cost())
    lease = dying.process._leases[limit.counter]  # pyright: ignore[reportPrivateUsage] - it is what this is about
    served = 0
    while lease.left:
        dying.backend.acquire(limit)
        served += 1
    assert served > 10
    dying.inherit()
    assert dying.remaining(limit) == 1000 - served


def test_what_was_let_in_before_that_has_been_taken_down(dying: Dying) -> None:
    """The store knows whom it let in for a moment only: what a disk loses later gives back no call."""
    limit = Limit(f"dead:{next(NAMES)}", "requests", 5, HOURS)
    dying.admit([limit], 2)
    dying.work()
    dying.inherit()
    assert dying.remaining(limit) == 3


def test_nothing_is_given_back_where_nobody_knows_what_was_taken_down(dying: Dying) -> None:
    """After a power cut, which may have taken the journal's last lines."""
    limit = Limit(f"dead:{next(NAMES)}", "requests", 5, HOURS)
    dying.admit([limit], 1)
    dying.die()
    dying.backend.run(dying.backend.limiter.take_over(Legacy(dying.process.process)))
    assert dying.remaining(limit) == 4


def test_what_was_on_its_way_to_the_store_at_the_kill_is_settled_too(dying: Dying, opening: Opening) -> None:
    """It arrives in the middle of somebody else's taking over."""
    limit = tokens()
    reservation = dying.backend.acquire(limit, tokens=50)
    dying.backend.end(reservation, 20)

    class Racing(Watched):
        """A store to which the dead one's last words come after the first step of another."""

        async def step(self, names: Iterable[str], decide: Callable[[Page], T]) -> T:
            outcome = await super().step(names, decide)
            if self.steps == 1:
                await dying.process.acquire([limit], Cost(tokens=50), taken_down=True)
            return outcome

    racing = Racing(opening(dying.backend.clock))
    dying.backend.run(take_over(racing, dying.legacy(reservation.trail)))
    dying.backend.run(racing.aclose())
    assert dying.remaining(limit) == 80


def test_calls_that_nobody_takes_down_stay_spent(dying: Dying) -> None:
    """Of a provider's limits, or of a login: whether they were used nobody can tell."""
    limit = Limit(f"dead:{next(NAMES)}", "requests", 5, HOURS)
    dying.backend.acquire(limit)
    dying.inherit()
    assert dying.remaining(limit) == 4


def test_who_is_let_in_takes_that_down_before_the_store_forgets_it(dying: Dying) -> None:
    """However many come one upon the other, a step knows of those before it that all have heard."""
    limit = Limit(f"dead:{next(NAMES)}", "concurrency", 15)
    told: set[int] = set()
    admitted: set[int] = set()
    batches: list[int] = []

    class Store(Watched):
        """One that sees what steps admit."""

        async def step(self, names: Iterable[str], decide: Callable[[Page], T]) -> T:
            assert admitted <= told
            seen: list[set[int]] = []

            def watched(page: Page) -> T:
                outcome = decide(page)
                seen[:] = [{*page.process(dying.process.process).admitted}]
                return outcome

            outcome = await super().step(names, watched)
            batches.append(len(seen[0] - admitted))
            admitted.update(seen[0])
            return outcome

    store = Store(dying.store)
    dying.process._store = store  # pyright: ignore[reportPrivateUsage] - it was opened without
    hops = iter(range(60))

    async def one() -> None:
        for _ in range(next(hops) % 7):
            await asyncio.sleep(0)
        reservation = await dying.process.acquire([limit], Cost(), taken_down=True)
        assert reservation.trail is not None
        told.add(reservation.trail.admission)
        reservation.release()

    async def many() -> None:
        outcomes = await asyncio.gather(*(one() for _ in range(60)), return_exceptions=True)
        assert all(outcome is None or isinstance(outcome, LimitError) for outcome in outcomes)

    dying.backend.run(many())
    assert len(told) == sum(batches) >= 15
    assert max(batches) <= MAX_BATCH


def test_what_is_counted_in_memory_leaves_nothing() -> None:
    """A process that keeps its counters to itself takes them along."""
    backend = Backend(None)
    reservation = backend.acquire(tokens(), tokens=50)
    assert reservation.trail is None
    reservation.settle(Cost(tokens=20))
    assert reservation.trail is None
    backend.close()


ACTIONS = st.lists(
    st.one_of(
        st.just(("acquire", 0, 0)),
        st.tuples(st.just("settle"), st.integers(0, 9), st.integers(0, 80)),
        st.tuples(st.just("release"), st.integers(0, 9), st.just(0)),
        st.tuples(st.sampled_from(["work", "unheard", "refused", "leave"]), st.just(0), st.just(0)),
    ),
    max_size=25,
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("leases", [False, True])
def test_whatever_came_before_the_sum_is_right(opening: Opening, leases: bool) -> None:
    """What is counted in the end is what was used, to the token; beside what was leased, which counts as spent."""

    @examples(25)
    @given(
        actions=ACTIONS,
        used=st.lists(st.integers(0, 80), min_size=30, max_size=30),
        last=st.lists(st.booleans(), max_size=5),
    )
    def run(actions: list[tuple[str, int, int]], used: list[int], last: list[bool]) -> None:
        dying = Dying(opening)
        try:
            _run(dying, actions, used, last, leases=leases)
        finally:
            dying.backend.close()

    run()


def _run(dying: Dying, actions: list[tuple[str, int, int]], used: list[int], last: list[bool], *, leases: bool) -> None:
    """Of those that are let in last, only some are taken down before the kill."""
    limit = tokens(10**6 if leases else 799)
    running: list[Reservation] = []
    ended: list[Reservation] = []
    spent = 0
    for action, which, amount in actions:
        if action == "acquire":
            try:
                running += dying.take_down(*dying.admit([limit], 1, Cost(tokens=50)))
            except LimitError:
                continue
        elif action in ("settle", "release"):
            if running:
                ended.append(running.pop(which % len(running)))
                dying.backend.end(ended[-1], amount if action == "settle" else None)
                spent += amount
        elif action == "leave":
            dying.leave([limit], Cost(tokens=50))
        else:
            dying.store.mute, dying.store.gone = action == "unheard", action == "refused"
            dying.work()
            dying.store.mute = dying.store.gone = False
    with suppress(LimitError):
        latest = dying.admit([limit], len(last), Cost(tokens=50))
        running += dying.take_down(*itertools.compress(latest, last))
    trails = [reservation.trail for reservation in ended]
    trails += [cut(reservation, tokens) for reservation, tokens in zip(running, used, strict=False)]
    spent += sum(used[: len(running)])
    for _ in range(2):
        dying.inherit(*trails)
        counted = limit.amount - dying.remaining(limit)
        assert counted >= spent if leases else counted == spent
