"""What killed processes held is settled in their place, exactly once, whatever of it they had written by then."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.limits.admission import interrupted
from rixin.limits.base import Cost, Limit, LimitError, Reservation
from rixin.limits.page import Page
from rixin.limits.shared import SharedLimiter
from rixin.limits.takeover import take_over
from rixin.limits.trail import Trail
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

    def _watched(self, opening: Opening) -> Opening:
        self.stores: list[Watched] = []

        def watched(clock: ManualClock) -> Watched:
            self.stores.append(Watched(opening(clock)))
            return self.stores[-1]

        return watched

    def work(self) -> None:
        """The process writes what it is about to write."""
        self.backend.run(self.process.tend())

    def inherit(self, *trails: Trail | None) -> None:
        """It is killed, and the other one takes over."""
        if self.backend.limiter is self.process:
            self.backend.kill(self.process)
            self.backend.limiter = self.backend.open(self._opening)
        self.backend.run(self.backend.limiter.take_over([trail for trail in trails if trail is not None]))

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
    dying.inherit()

    class Slow(Watched):
        """A store whose caller is overtaken after its first step."""

        async def step(self, names: Iterable[str], decide: Callable[[Page], T]) -> T:
            outcome = await super().step(names, decide)
            if self.steps == 1:
                await dying.backend.limiter.take_over([trail])
            return outcome

    slow = Slow(opening(dying.backend.clock))
    dying.backend.run(take_over(slow, [trail]))
    dying.backend.run(slow.aclose())
    assert slow.steps == 2
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
    entry = dying.backend.acquire(limit, tokens=50).trail
    assert entry is not None
    dying.inherit(interrupted(Trail("somebody", entry.entries), Cost(tokens=0)))
    assert dying.remaining(limit) == 0


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
        st.tuples(st.sampled_from(["work", "unheard", "refused"]), st.just(0), st.just(0)),
    ),
    max_size=25,
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("leases", [False, True])
def test_whatever_came_before_the_sum_is_right(opening: Opening, leases: bool) -> None:
    """What is counted in the end is what was used, to the token; beside what was leased, which counts as spent."""

    @examples(25)
    @given(actions=ACTIONS, used=st.lists(st.integers(0, 80), min_size=25, max_size=25))
    def run(actions: list[tuple[str, int, int]], used: list[int]) -> None:
        dying = Dying(opening)
        try:
            _run(dying, actions, used, leases=leases)
        finally:
            dying.backend.close()

    run()


def _run(dying: Dying, actions: list[tuple[str, int, int]], used: list[int], *, leases: bool) -> None:
    limit = tokens(10**6 if leases else 799)
    running: list[Reservation] = []
    ended: list[Reservation] = []
    spent = 0
    for action, which, amount in actions:
        if action == "acquire":
            try:
                running.append(dying.backend.acquire(limit, tokens=50))
            except LimitError:
                continue
        elif action in ("settle", "release"):
            if running:
                ended.append(running.pop(which % len(running)))
                dying.backend.end(ended[-1], amount if action == "settle" else None)
                spent += amount
        else:
            dying.store.mute, dying.store.gone = action == "unheard", action == "refused"
            dying.work()
            dying.store.mute = dying.store.gone = False
    trails = [reservation.trail for reservation in ended]
    trails += [cut(reservation, tokens) for reservation, tokens in zip(running, used, strict=False)]
    spent += sum(used[: len(running)])
    for _ in range(2):
        dying.inherit(*trails)
        counted = limit.amount - dying.remaining(limit)
        assert counted >= spent if leases else counted == spent
