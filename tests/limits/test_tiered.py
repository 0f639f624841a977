"""Rates in memory, quotas in the database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rixin.errors import Kind
from rixin.limits.base import Cost, Limit, Limiter, LimitError
from rixin.limits.opening import open_limiter
from rixin.limits.shared import SharedLimiter
from rixin.limits.tiered import TieredLimiter
from rixin.settings import Server, Settings
from rixin.store.database import Database
from tests.limits.manual_clock import MICROSECONDS, ManualClock

RATE = Limit("k", "requests", 2, 60)
QUOTA = Limit("k", "requests", 3, 18000)
LASTING = Limit("l", "requests", 2, 60, lasting=True)


@pytest.fixture
async def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database."""
    database = Database(tmp_path / "rixin.db")
    await database.migrate()
    yield database
    await database.aclose()


@pytest.fixture
async def limiter(database: Database, clock: ManualClock) -> AsyncIterator[Limiter]:
    """What one process opens."""
    limiter = open_limiter(Settings(server=Server(workers=1)), database, clock)
    yield limiter
    await limiter.aclose()


async def remaining(limiter: Limiter, *limits: Limit) -> list[int]:
    """What is left of limits."""
    return [standing.remaining for standing in await limiter.inspect(limits, Cost())]


async def test_one_process_keeps_its_rates_and_several_share_them(database: Database, clock: ManualClock) -> None:
    """The settings decide where rates are counted."""
    assert isinstance(open_limiter(Settings(server=Server(workers=1)), database, clock), TieredLimiter)
    assert isinstance(open_limiter(Settings(server=Server(workers=2)), database, clock), SharedLimiter)


async def test_quotas_outlive_a_restart(limiter: Limiter, database: Database, clock: ManualClock) -> None:
    """A new process remembers the quota, and begins its rates anew."""
    reservation = await limiter.acquire([QUOTA, RATE], Cost())
    assert [standing.limit for standing in reservation.standings] == [RATE, QUOTA]
    reservation.settle(Cost(tokens=5))
    again = open_limiter(Settings(), database, clock)
    assert await remaining(again, RATE, QUOTA) == [2, 2]


async def test_a_lasting_rate_outlives_a_restart(limiter: Limiter, database: Database, clock: ManualClock) -> None:
    """What was counted against it is known to the next process, which refuses as with any other rate."""
    for _ in range(2):
        await limiter.acquire([LASTING, RATE], Cost())
    await limiter.aclose()
    again = open_limiter(Settings(), database, clock)
    assert await remaining(again, RATE, LASTING) == [2, 0]
    with pytest.raises(LimitError) as caught:
        await again.acquire([LASTING, RATE], Cost())
    assert caught.value.kind is Kind.RATE_LIMITED
    assert caught.value.retry_after is not None
    clock.advance(round(caught.value.retry_after * MICROSECONDS))
    await again.acquire([LASTING, RATE], Cost())
    await again.aclose()


async def test_a_refused_quota_costs_no_rate(limiter: Limiter, clock: ManualClock) -> None:
    """What the database refuses is written nowhere, and the error tells of both limits."""
    for _ in range(3):
        await limiter.acquire([QUOTA], Cost())
    with pytest.raises(LimitError) as caught:
        await limiter.acquire([RATE, QUOTA], Cost())
    assert caught.value.kind is Kind.QUOTA_EXHAUSTED
    assert [(standing.limit, standing.remaining) for standing in caught.value.standings] == [(RATE, 2), (QUOTA, 0)]
    assert await remaining(limiter, RATE, QUOTA) == [2, 0]


async def test_a_refused_rate_costs_no_quota_and_names_the_longer_wait(limiter: Limiter, clock: ManualClock) -> None:
    """A client that must wait for both is told of the longer one at once."""
    for _ in range(2):
        await limiter.acquire([RATE, QUOTA], Cost())
    with pytest.raises(LimitError) as caught:
        await limiter.acquire([RATE, QUOTA], Cost())
    assert caught.value.kind is Kind.RATE_LIMITED
    assert await remaining(limiter, RATE, QUOTA) == [0, 1]
    await limiter.acquire([QUOTA], Cost())
    with pytest.raises(LimitError) as caught:
        await limiter.acquire([RATE, QUOTA], Cost())
    assert caught.value.kind is Kind.QUOTA_EXHAUSTED
    assert caught.value.retry_after is not None
    clock.advance(round(caught.value.retry_after * MICROSECONDS))
    await limiter.acquire([RATE, QUOTA], Cost())


async def test_a_reservation_ends_in_both(limiter: Limiter) -> None:
    """Settling and releasing reach rates and quotas alike."""
    minute, week = Limit("k", "tokens", 100, 60), Limit("k", "tokens", 1000, 604800)
    settled = await limiter.acquire([minute, week], Cost(tokens=50))
    settled.settle(Cost(tokens=20))
    released = await limiter.acquire([minute, week], Cost(tokens=50))
    released.release()
    assert await remaining(limiter, minute, week) == [80, 980]
