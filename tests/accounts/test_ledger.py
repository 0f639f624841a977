"""The ledger: what is recorded reaches the store once, whatever happens on the way."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
import structlog
from msgspec.structs import replace

from rixin.accounts import batch_writer
from rixin.accounts.ledger import Ledger
from rixin.errors import Kind, RixinError
from rixin.store.database import Database
from rixin.store.usage import UsageTable
from rixin.store.usage_row import UsageRow
from tests.support.databases import outage

ROW = UsageRow(
    time=1_800_000_000.0, id="", key_id="key_1", key_name="Ada", dialect="openai_chat", operation="generate",
    model_asked="gpt-5", model="local", provider="llama_cpp", status=200, prompt_tokens=5, total_ms=2.5,
)  # fmt: skip


def _row(number: int) -> UsageRow:
    return replace(ROW, time=ROW.time + number, id=f"request-{number}")


async def _stored(database: Database) -> list[str]:
    return [row.id for row in reversed(await UsageTable(database).recent(limit=100_000))]


def _ids(count: int) -> list[str]:
    return [_row(number).id for number in range(count)]


@asynccontextmanager
async def _running(ledger: Ledger) -> AsyncGenerator[None]:
    task = asyncio.create_task(ledger.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _until_stored(database: Database, count: int) -> None:
    async with asyncio.timeout(50):
        while len(await _stored(database)) < count:
            pass


async def test_a_row_reaches_the_store_by_itself(database: Database) -> None:
    """With `run` at work, a single row is stored without anybody asking."""
    ledger = Ledger(database)
    async with _running(ledger):
        ledger.record(_row(0))
        await _until_stored(database, 1)


async def test_a_full_batch_does_not_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 rows are stored at once, however long the interval is."""
    monkeypatch.setattr(batch_writer, "INTERVAL", 3600.0)
    ledger = Ledger(database)
    async with _running(ledger):
        for number in range(500):
            ledger.record(_row(number))
        await _until_stored(database, 500)
    assert await _stored(database) == _ids(500)


async def test_closing_stores_what_is_left(database: Database) -> None:
    """More than a batch, recorded just before the end, is stored whole."""
    ledger = Ledger(database)
    for number in range(1234):
        ledger.record(_row(number))
    await ledger.aclose()
    assert await _stored(database) == _ids(1234)
    assert ledger.lost == 0


async def test_rows_recorded_during_a_write_are_kept(database: Database) -> None:
    """What comes while a batch is on its way goes with the next one, and does not make the first wait."""
    ledger = Ledger(database)
    count = 0
    writing = asyncio.create_task(ledger.flush())
    while not writing.done():
        ledger.record(_row(count))
        count += 1
        await asyncio.sleep(0)
    assert await writing
    await ledger.aclose()
    assert count > 10
    assert await _stored(database) == _ids(count)


async def test_what_was_recorded_is_seen_at_once(database: Database) -> None:
    """Listings and sums hold what was recorded before them."""
    ledger = Ledger(database)
    ledger.record(_row(0))
    assert await ledger.recent() == [_row(0)]
    ledger.record(_row(1))
    assert [total.requests for total in await ledger.summary(0.0, 2e9, "key")] == [2]


@pytest.mark.parametrize("limit", [0, 1001, -1])
async def test_a_page_has_bounds(database: Database, limit: int) -> None:
    """A page of no rows or of more than 1000 is refused by name."""
    with pytest.raises(RixinError) as caught:
        await Ledger(database).recent(limit=limit)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, "limit")


async def test_an_outage_loses_nothing(database: Database) -> None:
    """Rows wait for the store, in order, with one warning at its beginning and one word at its end."""
    ledger = Ledger(database)
    with structlog.testing.capture_logs() as logs:
        with outage(database.place, "usage"):
            for number in range(600):
                ledger.record(_row(number))
                if number % 200 == 0:
                    assert not await ledger.flush()
        assert await ledger.flush()
    assert await _stored(database) == _ids(600)
    assert [(entry["log_level"], entry["event"]) for entry in logs] == [
        ("warning", "Usage cannot be written, and is kept for later"),
        ("warning", "Usage is written again"),
    ]
    assert logs[1]["lost_since_start"] == 0


async def test_a_locked_store_is_an_outage(database: Database) -> None:
    """Where another process holds the write lock for long, rows wait as well."""
    other = Database(database.place, busy_timeout=0.05)
    ledger = Ledger(other)
    ledger.record(_row(0))
    async with database.begin("usage"):
        assert not await ledger.flush()
    assert await ledger.flush()
    assert await _stored(database) == _ids(1)
    await other.aclose()


async def test_run_outlives_an_outage(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task tries again by itself and stores what has waited."""
    monkeypatch.setattr(batch_writer, "INTERVAL", 0.05)
    ledger = Ledger(database)
    with structlog.testing.capture_logs() as logs:
        async with _running(ledger):
            with outage(database.place, "usage"):
                ledger.record(_row(0))
                async with asyncio.timeout(50):
                    while not logs:
                        await ledger.flush()
            await _until_stored(database, 1)


async def test_what_waits_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the bound, new rows are lost, and the number is told when the store is back."""
    monkeypatch.setattr(batch_writer, "MAX_PENDING", 10)
    ledger = Ledger(database)
    with structlog.testing.capture_logs() as logs:
        with outage(database.place, "usage"):
            await ledger.flush()
            for number in range(13):
                ledger.record(_row(number))
            await ledger.flush()
        await ledger.flush()
    assert await _stored(database) == _ids(10)
    assert ledger.lost == 3
    assert logs[-1]["lost_since_start"] == 3


async def test_closing_in_an_outage_says_what_is_lost(database: Database) -> None:
    """At the end nothing can wait any longer: the rows are counted as lost, in the log as an error."""
    ledger = Ledger(database)
    with structlog.testing.capture_logs() as logs, outage(database.place, "usage"):
        for number in range(3):
            ledger.record(_row(number))
        await ledger.aclose()
    assert ledger.lost == 3
    assert (logs[-1]["log_level"], logs[-1]["lost_since_start"]) == ("error", 3)


@pytest.mark.parametrize("bad", [{"prompt_tokens": 2**63}, {"model_asked": "\ud800"}, {"key_name": None}])
async def test_a_row_that_no_store_takes_holds_up_nobody(database: Database, bad: dict[str, object]) -> None:
    """An upstream that reports absurd numbers costs its own row only, and an error in the log."""
    ledger = Ledger(database)
    for number in range(20):
        ledger.record(replace(_row(number), **bad) if number == 13 else _row(number))
    with structlog.testing.capture_logs() as logs:
        assert await ledger.flush()
    assert await _stored(database) == [id_ for id_ in _ids(20) if id_ != "request-13"]
    assert ledger.lost == 1
    assert [entry["log_level"] for entry in logs] == ["error"]


async def test_a_write_cut_short_counts_each_row_once(database: Database) -> None:
    """Cancelled after any number of steps, a write is finished at closing, and no row is there twice or missing."""
    steps, count = 0, 0
    while True:
        ledger = Ledger(database)
        for number in range(count, count + 3):
            ledger.record(_row(number))
        count += 3
        task = asyncio.create_task(ledger.flush())
        for _ in range(steps):
            await asyncio.sleep(0)
        done = task.done()
        task.cancel()
        await asyncio.wait([task])
        await ledger.aclose()
        assert await _stored(database) == _ids(count)
        if done:
            break
        steps += 1 + steps // 8
    assert count > 20
