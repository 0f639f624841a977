"""The back end in the database: several processes, cancellations, leases, and a database that is not there."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from rixin.errors import Kind, RixinError
from rixin.limits.base import Limit, LimitError
from rixin.limits.sqlite import SqliteLimiter
from rixin.store.database import Database
from rixin.store.schema import claims, counters
from tests.limits import one_process
from tests.limits.manual_clock import MICROSECONDS, ManualClock

PROCESSES = 4
DEADLINE = 100


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database."""
    database = Database(tmp_path / "rixin.db")
    await database.migrate()
    yield database
    await database.aclose()


@pytest.fixture
async def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


@pytest.fixture
async def limiter(database: Database, clock: ManualClock) -> AsyncIterator[SqliteLimiter]:
    """A limiter on it."""
    limiter = SqliteLimiter(database, clock)
    yield limiter
    await limiter.aclose()


def start(path: Path, mode: str, requests: int) -> "subprocess.Popen[str]":
    """Starts a process that takes part in a rush, and waits until it is ready."""
    command = [sys.executable, one_process.__file__, str(path), mode, str(requests)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_one_call_left_and_four_processes_who_want_it(tmp_path: Path) -> None:
    """Of 500 requests in four processes at the same time exactly one gets the last call."""

    async def make() -> None:
        database = Database(tmp_path / "rixin.db")
        await database.migrate()
        await database.aclose()

    asyncio.run(make())
    processes = [start(tmp_path / "rixin.db", "calls", 500 // PROCESSES) for _ in range(PROCESSES)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert sorted(process.communicate(timeout=DEADLINE)[0] for process in processes) == ["0\n", "0\n", "0\n", "1\n"]
    assert [process.returncode for process in processes] == [0] * PROCESSES


async def test_a_killed_process_leaves_its_claims_to_their_lease(database: Database, limiter: SqliteLimiter) -> None:
    """What a process held when it was killed is known to the others, and swept away after the lease."""
    process = await asyncio.to_thread(start, database.place, "crash", 5)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert await asyncio.to_thread(process.stdout.readline) == "3\n"
    process.kill()
    await asyncio.to_thread(process.communicate)
    with pytest.raises(LimitError):
        await limiter.acquire([one_process.AT_ONCE], tokens=1)
    assert await count(database, claims) == 3


async def count(database: Database, table: Table) -> int:
    """The rows of a table."""
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def test_an_admission_that_nobody_waits_for_is_released(database: Database, limiter: SqliteLimiter) -> None:
    """A client that leaves while the database decides costs no call and holds no share."""
    limits = [Limit("k", "requests", 5, 3600), Limit("k", "concurrency", 5)]
    for steps in range(40):
        task = asyncio.create_task(limiter.acquire(limits, tokens=1))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        if not isinstance(outcome, BaseException):
            await outcome.release()
    await limiter.aclose()
    assert [standing.remaining for standing in await limiter.inspect(limits)] == [5, 5]
    assert await count(database, claims) == 0


async def test_a_settlement_is_finished_although_its_task_is_cancelled(limiter: SqliteLimiter) -> None:
    """The end of a request is written even if the request was cancelled twice."""
    limit = Limit("k", "tokens", 1000, 3600)
    reservation = await limiter.acquire([limit], tokens=500)
    task = asyncio.create_task(reservation.settle(7))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await limiter.aclose()
    assert (await limiter.inspect([limit]))[0].remaining == 993


async def test_a_living_process_keeps_its_claims(limiter: SqliteLimiter, clock: ManualClock) -> None:
    """A request may run for longer than the lease, as long as its process renews it."""
    limit = Limit("k", "concurrency", 1)
    reservation = await limiter.acquire([limit], tokens=1)
    for _ in range(10):
        clock.advance(59 * MICROSECONDS)
        await limiter.renew()
    with pytest.raises(LimitError):
        await limiter.acquire([limit], tokens=1)
    await reservation.release()
    await limiter.acquire([limit], tokens=1)


async def test_claims_are_renewed_without_being_asked(database: Database) -> None:
    """The limiter itself lengthens its leases while a reservation is open."""
    clock = ManualClock()
    limiter = SqliteLimiter(database, clock, lease=0.03)
    reservation = await limiter.acquire([Limit("k", "concurrency", 1)], tokens=1)
    clock.advance(MICROSECONDS // 100)
    first = await expiry(database)
    async with asyncio.timeout(30):
        while await expiry(database) == first:  # noqa: ASYNC110 - the database has no event to wait for
            await asyncio.sleep(0)
    await reservation.settle(1)
    await limiter.aclose()


async def expiry(database: Database) -> float:
    """When the only claim ends."""
    async with database.read() as connection:
        return (await connection.execute(select(claims.c.expires_at))).scalar_one()


async def test_a_reservation_that_was_lost_is_not_renewed(limiter: SqliteLimiter, clock: ManualClock) -> None:
    """A reservation that the program dropped without ending it falls to its lease."""
    limit = Limit("k", "concurrency", 1)
    await limiter.acquire([limit], tokens=1)
    await asyncio.sleep(0)
    gc.collect()
    clock.advance(59 * MICROSECONDS)
    await limiter.renew()
    clock.advance(MICROSECONDS)
    await limiter.acquire([limit], tokens=1)


async def test_the_sweep_deletes_what_no_longer_counts(
    database: Database, limiter: SqliteLimiter, clock: ManualClock
) -> None:
    """Rows of keys that came once do not stay for ever, and those that count stay."""
    await limiter.acquire([Limit("old|one", "requests", 5, 60)], tokens=1)
    await limiter.acquire([Limit("old|one", "requests", 5, 18000), Limit("k", "concurrency", 5)], tokens=1)
    gc.collect()
    clock.advance(62 * MICROSECONDS)
    await limiter.sweep()
    timeline = 3
    assert (await count(database, counters), await count(database, claims)) == (timeline + 1, 0)


async def test_the_sweep_takes_no_window_for_another(limiter: SqliteLimiter, clock: ManualClock) -> None:
    """Windows whose lengths end in the same digits have slots of different lengths."""
    limits = [Limit("k", "requests", 5, window) for window in (60, 160, 1160)]
    await limiter.acquire(limits, tokens=1)
    clock.advance(62 * MICROSECONDS)
    await limiter.sweep()
    assert [standing.remaining for standing in await limiter.inspect(limits)] == [5, 4, 4]


async def test_a_mistake_in_one_batch_leaves_nobody_waiting(limiter: SqliteLimiter) -> None:
    """Whoever waits is told when something unforeseen happens, and the next request is served."""
    odd = Limit("\ud800", "requests", 5, 60)
    with pytest.raises(RixinError) as caught:
        await limiter.acquire([odd], tokens=1)
    assert caught.value.kind is Kind.INTERNAL
    await limiter.acquire([Limit("k", "requests", 5, 60)], tokens=1)


async def test_a_database_that_is_gone_admits_nobody(database: Database, limiter: SqliteLimiter) -> None:
    """Without its counters the limiter fails closed, and an open reservation can be ended later."""
    limit = Limit("k", "tokens", 100, 3600)
    reservation = await limiter.acquire([limit], tokens=10)
    async with database.begin():
        other = Database(database.place, busy_timeout=0.05)
        blocked = SqliteLimiter(other, ManualClock())
        with pytest.raises(RixinError) as caught:
            await blocked.acquire([limit], tokens=1)
        await blocked.aclose()
        await other.aclose()
    assert caught.value.kind is Kind.OVERLOADED
    await reservation.settle(30)
    assert (await limiter.inspect([limit]))[0].remaining == 70


async def test_a_settlement_that_failed_can_be_repeated(database: Database, clock: ManualClock) -> None:
    """An end that the database refused has not happened."""
    impatient = Database(database.place, busy_timeout=0.05)
    limiter = SqliteLimiter(impatient, clock)
    limit = Limit("k", "tokens", 100, 3600)
    reservation = await limiter.acquire([limit], tokens=10)
    async with database.begin():
        with pytest.raises(RixinError):
            await reservation.settle(30)
    await reservation.settle(30)
    await reservation.settle(99)
    assert (await limiter.inspect([limit]))[0].remaining == 70
    await limiter.aclose()
    await impatient.aclose()
