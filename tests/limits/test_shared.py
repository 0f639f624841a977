"""Leases, and what becomes of them; cancellations; a store that is not there, or whose answer is lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import structlog

from rixin.errors import Kind, RixinError
from rixin.limits.base import Cost, Limit, LimitError, Reservation
from rixin.limits.leases import CLAIM, LIFE
from rixin.limits.shared import PATIENCE, SharedLimiter
from rixin.limits.steps import ALIVE
from rixin.limits.window import microseconds
from tests.limits.backends import PACE, Opening
from tests.limits.manual_clock import MICROSECONDS, ManualClock
from tests.limits.watched import Watched

HOURS = 5 * 3600.0


class Party:
    """Processes that share a store."""

    def __init__(self, opening: Opening) -> None:
        self.clock = ManualClock()
        self._opening = opening
        self.opened: list[tuple[SharedLimiter, Watched]] = []

    def join(self, pace: float = PACE) -> tuple[SharedLimiter, Watched]:
        """One more of them."""
        store = Watched(self._opening(self.clock))
        limiter = SharedLimiter(store, self.clock, pace=pace)
        self.opened.append((limiter, store))
        return limiter, store

    async def meet(self, count: int) -> list[SharedLimiter]:
        """So many of them, each of which knows of the others."""
        limiters = [self.join()[0] for _ in range(count)]
        # Time begins with the first look; then everybody is forgotten whom another test has killed.
        for asking, passes in ((limiters[:1], ALIVE), (limiters, 1.0), (limiters, 1.0)):
            for limiter in asking:
                await limiter.inspect([Limit("nobody", "requests", 1, 60)], Cost())
            self.clock.advance(microseconds(passes))
        return limiters


@pytest.fixture
async def party(opening: Opening) -> AsyncIterator[Party]:
    """Nobody yet."""
    party = Party(opening)
    yield party
    for limiter, store in party.opened:
        store.gone = store.mute = False
        await limiter.aclose()


NAMES = iter(range(10**6))


def quota(amount: int, unit: str = "requests") -> Limit:
    """A limit of five hours that no other test knows."""
    return Limit(f"lease:{next(NAMES)}", "credits" if unit == "credits" else "requests", amount, HOURS)


async def remaining(limiter: SharedLimiter, limit: Limit) -> int:
    """What a limit leaves, as a process sees it that has leased nothing."""
    return (await limiter.inspect([limit], Cost()))[0].remaining


async def take(
    limiter: SharedLimiter, limits: Sequence[Limit], count: int, cost: Cost | None = None
) -> list[Reservation]:
    """So many requests, one after the other."""
    return [await limiter.acquire(limits, cost or Cost()) for _ in range(count)]


async def test_a_process_leases_a_quarter_of_its_part_and_admits_it_from_memory(party: Party) -> None:
    """The first request asks the store, and so many that follow do not."""
    first, _, third = await party.meet(3)
    limit = quota(1201)
    await first.acquire([limit], Cost())
    store = party.opened[0][1]
    store.gone = True
    reservations = await take(first, [limit], 1200 // 3 // 4)
    with pytest.raises(RixinError, match="gone"):
        await first.acquire([limit], Cost())
    store.gone = False
    assert reservations[-1].standings[0].remaining == 1100
    assert await remaining(third, limit) == 1100


async def test_where_little_is_left_each_request_asks_the_store(party: Party) -> None:
    """Below sixteen requests for each process nothing is leased."""
    first, second = await party.meet(2)
    limit = quota(32)
    await first.acquire([limit], Cost())
    assert await remaining(second, limit) == 31
    store = party.opened[0][1]
    before = store.steps
    await take(first, [limit], 31)
    assert store.steps >= before + 31
    with pytest.raises(LimitError):
        await second.acquire([limit], Cost())


@pytest.mark.parametrize(("left", "leased"), [(31, 0), (32, 4)])
async def test_sixteen_requests_for_each_process_are_enough_to_lease(party: Party, left: int, leased: int) -> None:
    """One fewer, and the store admits each; so many, and a process is given a quarter of its half."""
    first, second = await party.meet(2)
    limit = quota(left + 1)
    await first.acquire([limit], Cost())
    assert await remaining(second, limit) == left - leased


async def test_what_others_have_leased_is_asked_back_before_a_request_is_refused(party: Party) -> None:
    """A request that finds nothing left waits for what a process holds and does not need."""
    first, second = await party.meet(2)
    limit = quota(1001)
    await first.acquire([limit], Cost())  # and leases 125
    taken = await take(second, [limit], 1000)
    assert taken[-1].standings[0].remaining == 0
    for limiter in (first, second):
        with pytest.raises(LimitError):
            await limiter.acquire([limit], Cost())


async def test_what_is_left_of_a_lease_is_given_back_when_it_ends(party: Party) -> None:
    """An idle process keeps nothing from others."""
    first, second = await party.meet(2)
    limit = quota(1000)
    await first.acquire([limit], Cost())
    assert await remaining(second, limit) < 999
    party.clock.advance(microseconds(LIFE))
    await first.tend()
    assert await remaining(second, limit) == 999


async def test_a_process_that_ends_well_gives_everything_back(party: Party) -> None:
    """Its leases, and its part."""
    first, second = await party.meet(2)
    limit = quota(1000)
    await first.acquire([limit], Cost())
    await party.opened.pop(0)[0].aclose()
    assert await remaining(second, limit) == 999
    party.clock.advance(microseconds(6))
    await second.acquire([limit], Cost())
    assert await remaining(party.join()[0], limit) == 998 - 998 // 4


async def test_a_process_that_has_ended_does_nothing_any_more(party: Party) -> None:
    """Nothing is left that would open the store again, and tell the others that it lives."""
    before = asyncio.all_tasks()
    limiter, _ = party.join(pace=60)
    await limiter.acquire([quota(1000)], Cost())
    assert asyncio.all_tasks() > before
    party.opened.clear()
    await limiter.aclose()
    assert asyncio.all_tasks() == before


async def test_a_lease_ends_with_its_slot(party: Party) -> None:
    """Whatever is admitted by it belongs into the slot that it was written into."""
    (first,) = await party.meet(1)
    limit = Limit(f"lease:{next(NAMES)}", "requests", 1000, 6)
    await first.acquire([limit], Cost())
    store = party.opened[0][1]
    before = store.steps
    party.clock.advance(100_000)
    await first.acquire([limit], Cost())
    assert store.steps > before


@pytest.mark.parametrize("process", ["the same", "another"])
async def test_what_a_request_did_not_need_is_there_for_others(party: Party, process: str) -> None:
    """Whether it was admitted from memory or not, and however long ago."""
    first, second = await party.meet(2)
    limit = Limit(f"lease:{next(NAMES)}", "tokens", 100_000, HOURS)
    early, late = await take(first, [limit], 2, Cost(tokens=50))
    early.settle(Cost(tokens=10))
    party.clock.advance(microseconds(LIFE))
    await first.tend()
    late.settle(Cost(tokens=70))
    await first.tend()
    assert await remaining(first if process == "the same" else second, limit) == 100_000 - 80


async def test_shares_of_what_runs_at_the_same_time_are_leased_too(party: Party) -> None:
    """They come back when requests end, first to the process and then to all."""
    first, second = await party.meet(2)
    limit = Limit(f"lease:{next(NAMES)}", "concurrency", 200)
    running = await take(first, [limit], 1)
    party.opened[0][1].gone = True
    running += await take(first, [limit], 19)
    party.opened[0][1].gone = False
    for reservation in running[:19]:
        reservation.release()
    party.clock.advance(microseconds(LIFE))
    await first.tend()
    assert await remaining(second, limit) == 199
    for _ in range(4):
        party.clock.advance(microseconds(CLAIM * 0.4))
        await first.tend()
    assert await remaining(second, limit) == 199


async def test_credits_and_money_are_counted_as_they_cost(party: Party) -> None:
    """A request counts so many credits; of money the most that it may cost, until it is known."""
    (first,) = await party.meet(1)
    in_credits, budget = quota(25, "credits"), Limit(f"lease:{next(NAMES)}", "money", 1_000_000, HOURS)
    reservation = await first.acquire([in_credits, budget], Cost(credits=10, money=900_000))
    with pytest.raises(LimitError, match=r"0\.1, and this request needs about 0\.2"):
        await first.acquire([budget], Cost(money=200_000))
    reservation.settle(Cost(credits=10, money=1_500))
    assert await remaining(first, budget) == 998_500
    await first.acquire([in_credits, budget], Cost(credits=10, money=0))
    with pytest.raises(LimitError, match=r"leaves 5, and this request needs about 10"):
        await first.acquire([in_credits], Cost(credits=10))
    with pytest.raises(LimitError, match=r"may cost up to 2, which is more than the limit of 1 in cost per 5 hours"):
        await first.acquire([budget], Cost(money=2_000_000))


async def test_an_admission_that_nobody_waits_for_is_released(party: Party) -> None:
    """A client that leaves while the store decides costs no call and holds no share."""
    (first,) = await party.meet(1)
    limits = [quota(5), Limit(f"lease:{next(NAMES)}", "concurrency", 5)]
    for steps in range(25):
        task = asyncio.create_task(first.acquire(limits, Cost()))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        if not isinstance(outcome, BaseException):
            outcome.release()
    assert [await remaining(first, limit) for limit in limits] == [5, 5]


async def test_an_admission_that_nobody_takes_up_is_released(party: Party) -> None:
    """A client that leaves in the instant between the store's answer and its own hearing of it."""
    (first,) = await party.meet(1)
    store = party.opened[0][1]
    limits = [quota(5), Limit(f"lease:{next(NAMES)}", "concurrency", 5)]
    task = asyncio.create_task(first.acquire(limits, Cost()))
    store.answers.clear()
    await store.answers.wait()
    task.cancel()
    assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)
    assert [await remaining(first, limit) for limit in limits] == [5, 5]


async def test_a_store_that_is_gone_admits_nobody_but_from_memory(party: Party) -> None:
    """It fails closed; what ended meanwhile is written when it is there again, without a restart."""
    first, second = await party.meet(2)
    limit, few = Limit(f"lease:{next(NAMES)}", "tokens", 100_000, HOURS), quota(5)
    reservation = await first.acquire([limit], Cost(tokens=50))
    store = party.opened[0][1]
    store.gone = True
    await first.acquire([limit], Cost(tokens=10))
    with pytest.raises(RixinError) as caught:
        await first.acquire([few], Cost())
    assert caught.value.kind is Kind.OVERLOADED
    party.clock.advance(microseconds(LIFE))
    with pytest.raises(RixinError):
        await first.acquire([limit], Cost(tokens=10))
    reservation.settle(Cost(tokens=20))
    store.gone = False
    await first.acquire([few], Cost())
    assert (await remaining(second, limit), await remaining(second, few)) == (100_000 - 30, 4)


@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_what_the_store_may_not_have_is_known(party: Party, lost: str) -> None:
    """By a step that a trail tells, and all in all: whoever keeps the trail must keep it until then."""
    (first,) = await party.meet(1)
    store = party.opened[0][1]
    reservation = await first.acquire([Limit(f"lease:{next(NAMES)}", "tokens", 900, HOURS)], Cost(tokens=500))
    assert first.has_written()
    reservation.settle(Cost(tokens=300))
    assert reservation.trail is not None
    step = reservation.trail.step
    assert step is not None
    assert not first.has_written(step)
    store.gone, store.mute = lost == "request", lost == "answer"
    await first.tend()
    assert not first.has_written(step)
    assert not first.has_written()
    store.gone = store.mute = False
    await first.tend()
    assert first.has_written(step)
    assert first.has_written()


async def test_a_step_whose_answer_was_lost_is_not_written_twice(party: Party) -> None:
    """What it wrote stands, but for the requests that were refused because of it."""
    (first,) = await party.meet(1)
    limit = Limit(f"lease:{next(NAMES)}", "tokens", 900, HOURS)
    reservation = await first.acquire([limit], Cost(tokens=500))
    store = party.opened[0][1]
    store.mute = True
    reservation.settle(Cost(tokens=300))
    for _ in range(3):
        with pytest.raises(RixinError):
            await first.acquire([limit], Cost(tokens=100))
    store.mute = False
    await first.acquire([limit], Cost(tokens=1))
    assert await remaining(first, limit) == 900 - 301


async def test_who_waits_for_a_lease_of_the_dead_is_refused_in_the_end(party: Party) -> None:
    """Nobody waits for ever for what will never be given back."""
    first, second = await party.meet(2)
    limit = quota(1000)
    await first.acquire([limit], Cost())
    party.opened[0][1].gone = True
    taken = await take(second, [limit], 1000 - 1 - 999 // 8)
    assert taken
    store = party.opened[1][1]
    before = store.steps
    with pytest.raises(LimitError):
        await second.acquire([limit], Cost())
    assert store.steps - before >= PATIENCE


async def test_the_sweep_deletes_what_no_longer_counts(party: Party) -> None:
    """Windows whose lengths end in the same digits have slots of different lengths."""
    (first,) = await party.meet(1)
    name = next(NAMES)
    limits = [Limit(f"lease:{name}", "requests", 5, window) for window in (60, 160, 1160)]
    await first.acquire(limits, Cost())
    party.clock.advance(62 * MICROSECONDS)
    await first.sweep()
    assert [await remaining(first, limit) for limit in limits] == [5, 4, 4]


async def test_a_mistake_leaves_nobody_waiting(party: Party) -> None:
    """Whoever waits is told when something unforeseen happens, and the next request is served."""
    (first,) = await party.meet(1)
    with structlog.testing.capture_logs() as logs:
        with pytest.raises(RixinError) as caught:
            await first.acquire([Limit("\ud800", "requests", 5, 60)], Cost())
        assert caught.value.kind is Kind.INTERNAL
        await first.acquire([quota(5)], Cost())
    (entry,) = logs
    assert entry["log_level"] == "error"
    assert "surrogates not allowed" in str(entry["exc_info"])
