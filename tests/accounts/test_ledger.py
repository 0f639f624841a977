"""The ledger: what is recorded reaches the store once, whatever happens on the way."""

# What dies with a process is played here by taking it from the journal.
# pyright: reportPrivateUsage=false

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import structlog
from msgspec.structs import replace

from rixin.accounts import batch_writer
from rixin.accounts import ledger as ledger_module
from rixin.accounts.ledger import Ledger
from rixin.core.prices import PriceList
from rixin.core.usage import Usage
from rixin.errors import Kind, RixinError
from rixin.limits.trail import Entry, Legacy, Trail
from rixin.settings import ModelPrice, UsageKeeping
from rixin.store.database import Database
from rixin.store.usage import UsageTable
from rixin.store.usage_row import UsageRow
from tests.accounts.heir import Heir
from tests.support.databases import Place, outage

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


class Request:
    """A request under way, of which nothing has been relayed."""

    def __init__(self, trail: Trail | None = None) -> None:
        self.trail = trail

    def row_so_far(self) -> UsageRow:
        """As it was admitted."""
        return _row(0)

    def usage_so_far(self) -> Usage:
        """Nothing."""
        return Usage()


def _killed(ledger: Ledger) -> None:
    """Has a ledger let go of its journal as a process does that is killed."""
    journal = ledger._journal
    assert journal is not None
    os.close(journal._file.descriptor)
    journal._lock.close()


async def test_what_a_killed_process_left_is_stored_once(database: Database, tmp_path: Path) -> None:
    """Rows that it had stored already, rows that it had not, and requests that were under way, once each."""
    killed = Ledger(database, journals=tmp_path / "journal")
    for number in range(1, 4):
        killed.record(_row(number))
    assert await killed.flush()
    killed.record(_row(4))
    killed.open(Request())
    _killed(killed)
    ledgers = [Ledger(database, journals=tmp_path / "journal") for _ in range(2)]
    assert sorted(await asyncio.gather(*(ledger.recover() for ledger in ledgers))) == [0, 5]
    assert [await ledger.recover() for ledger in ledgers] == [0, 0]
    assert await _stored(database) == [_row(number).id for number in range(5)]
    row = (await ledgers[0].recent())[-1]
    assert (row.id, row.status, row.error, row.estimated) == (_row(0).id, 0, "interrupted", True)
    assert [total.requests for total in await ledgers[0].summary(0.0, 2e9, "key")] == [5]
    for ledger in ledgers:
        await ledger.aclose()
    assert list((tmp_path / "journal").iterdir()) == []


async def test_what_a_killed_process_held_is_settled_before_its_journal_goes(
    database: Database, tmp_path: Path
) -> None:
    """Where nobody can settle it, or not now, the journal stays until somebody can; the rows are stored at once."""
    held, journals = Trail((Entry("t", "tokens", 7, 100),), admission=3), tmp_path / "journal"
    killed = Ledger(database, journals=journals, limiter=Heir("dead"))
    killed.open(Request(held))
    _killed(killed)
    left = [*journals.iterdir()]
    heir = Heir("heir")
    unable, able = Ledger(database), Ledger(database, limiter=heir)
    for ledger in (unable, able):
        ledger._journals = journals
        assert await ledger.recover() == 1
        assert [*journals.iterdir()] == left
    assert await _stored(database) == [_row(0).id]
    heir.gone = False
    await able.recover()
    assert [*journals.iterdir()] == []
    assert heir.taken == [Legacy("dead", (Trail((Entry("t", "tokens", 7, -100),)),), frozenset({3}))]


async def test_a_kill_between_store_and_journal_doubles_nothing(database: Database, tmp_path: Path) -> None:
    """Rows whose journal nobody had the time to remove are found to be there."""
    killed = Ledger(database, journals=tmp_path / "journal")
    rows = [_row(number) for number in range(700)]
    for row in rows:
        killed.record(row)
    await UsageTable(database).add([replace(row, currency="USD") for row in rows[:300]])
    _killed(killed)
    ledger = Ledger(database, journals=tmp_path / "journal")
    assert await ledger.recover() == 700
    assert await _stored(database) == _ids(700)
    assert [total.requests for total in await ledger.summary(0.0, 2e9, "model")] == [700]
    await ledger.aclose()


async def test_closing_in_an_outage_loses_nothing_with_a_journal(
    database: Database, place: Place, tmp_path: Path
) -> None:
    """What the store did not take is there at the next start."""
    ledger = Ledger(database, journals=tmp_path / "journal")
    with outage(place, "usage"):
        for number in range(3):
            ledger.record(_row(number))
        await ledger.aclose()
        assert ledger.lost == 0
        after = Ledger(database, journals=tmp_path / "journal")
        assert await after.recover() == 0
    assert await after.recover() == 3
    assert await _stored(database) == _ids(3)
    await after.aclose()


async def test_what_there_was_no_memory_for_is_read_from_the_journal(
    database: Database, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an outage that is longer than memory, rows are kept in files only, and stored when it is over."""
    monkeypatch.setattr(batch_writer, "MAX_PENDING", 500)
    ledger = Ledger(database, journals=tmp_path / "journal")
    with outage(place, "usage"):
        for number in range(700):
            ledger.record(_row(number))
        assert await ledger.recover() == 0
        assert not await ledger.flush()
    assert await ledger.flush()
    assert await _stored(database) == _ids(500)
    assert await ledger.recover() == 700
    assert await _stored(database) == _ids(700)
    assert ledger.lost == 0
    await ledger.aclose()
    assert list((tmp_path / "journal").iterdir()) == []


async def test_a_row_has_the_price_that_counted(database: Database) -> None:
    """A later price does not change it; what failed without a token costs nothing, though each request has a price."""
    prices = {"local": ModelPrice(prompt=2, completion=4, request="0.01")}
    ledger = Ledger(database, PriceList(prices, currency="CNY"))
    ledger.record(replace(_row(0), completion_tokens=3))
    ledger.record(replace(_row(1), prompt_tokens=0, status=502, error="upstream_invalid"))
    ledger.record(replace(_row(2), completion_tokens=3, status=499, error="cancelled", estimated=True))
    cut, failed, whole = await ledger.recent()
    assert [row.cost for row in (whole, failed, cut)] == [10_000 + 5 * 2 + 3 * 4, 0, 10_000 + 5 * 2 + 3 * 4]
    paid = (whole.currency, whole.price_prompt, whole.price_completion, whole.price_cached, whole.price_request)
    assert paid == ("CNY", 2_000_000, 4_000_000, 2_000_000, 10_000)
    await ledger.aclose()


async def test_old_rows_and_sums_go_when_the_settings_say_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each after its own time, in portions; for good is for good."""
    monkeypatch.setattr(ledger_module, "SWEEP_PORTION", 2)
    ledger = Ledger(database)
    now = ROW.time + 100 * 86400
    for number in range(5):
        ledger.record(replace(_row(number), time=ROW.time + number))
    ledger.record(replace(_row(9), time=now - 60))
    await ledger.flush()
    await ledger.sweep(UsageKeeping(), now)
    assert len(await ledger.recent()) == 6
    await ledger.sweep(UsageKeeping(days=30), now)
    assert [row.id for row in await ledger.recent()] == ["request-9"]
    assert [total.requests for total in await ledger.summary(0.0, now, "key")] == [6]
    await ledger.sweep(UsageKeeping(days=30, sum_days=30), now)
    assert [total.requests for total in await ledger.summary(0.0, now, "key")] == [1]
    await ledger.aclose()
