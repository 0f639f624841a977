"""The request log: what is kept of a request, how, and how long."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest
import structlog
from msgspec.structs import replace

from rixin.accounts import request_log
from rixin.accounts.ledger import Ledger
from rixin.accounts.request_log import AttemptBodies, RequestLog
from rixin.accounts.root_secret import RootSecret
from rixin.core.redaction import Redactor
from rixin.engines.trace import Trace
from rixin.errors import Kind, RixinError
from rixin.settings import Server
from rixin.store.database import Database
from rixin.store.requests import UsageFilter
from rixin.store.usage_row import UsageRow
from tests.accounts.manual_clock import ManualClock
from tests.support.databases import content, execute, outage

DAY = 86400.0
CANARIES = {
    "own": "a-provider-key-of-no-known-form",
    "key": "sk-0123456789abcdef0123456789",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJjYW5hcnkifQ.c2lnbmF0dXJlY2FuYXJ5",
    "password": "correct-horse-battery",
    "image": "iVBORw0KGgoAAAANSUhEUgAAAAUA",
}
BODY = json.dumps(
    {
        "model": "m",
        "messages": [
            {"role": "user", "content": f"{CANARIES['own']} {CANARIES['key']} Bearer {CANARIES['jwt']}"},
            {"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{CANARIES['image']}"}}]},
            {"role": "assistant", "tool_calls": [
                {"function": {"name": "f", "arguments": json.dumps({"password": CANARIES["password"]})}}]},
        ],
        "safe": "kept words",
    }
).encode()  # fmt: skip


class Desk:
    """A log with its parts."""

    def __init__(self, database: Database, secret: RootSecret, clock: ManualClock) -> None:
        self.database = database
        self.secret = secret
        self.clock = clock
        self.ledger = Ledger(database)
        self.count = 0

    def log(self, **settings: object) -> RequestLog:
        """A log of these settings."""
        redactor = Redactor([CANARIES["own"]])
        server = Server(**settings)  # type: ignore[arg-type]
        return RequestLog(self.database, self.ledger, self.secret, redactor, server, self.clock)

    def row(self, error: str | None = None, status: int = 200) -> UsageRow:
        """Another request's row."""
        self.count += 1
        return UsageRow(
            time=self.clock.now() + self.count / 1000, id=f"r{self.count}", key_id="key_1", key_name="Ada",
            dialect="openai_chat", operation="generate", model_asked="gpt", model="m", provider="p", status=status,
            error=error, total_ms=5.0,
        )  # fmt: skip

    def traced(self, log: RequestLog, *failures: Kind | None, sent: bytes = BODY, said: bytes = BODY) -> Trace:
        """A trace of calls, each of which takes a second and ends like this."""
        trace = log.trace("r", self.clock.monotonic())
        for failure in failures:
            attempt = trace.on_attempt("p", "openai_chat", "m", sent)
            self.clock.advance(0.5)
            if attempt.on_answer(400 if failure else 200, {"x-request-id": "up-1"}):
                attempt.on_data(said)
            self.clock.advance(0.5)
            attempt.on_end(None if failure is None else RixinError(failure, "No."))
        return trace


@pytest.fixture
async def desk(database: Database, root_secret: RootSecret, clock: ManualClock) -> AsyncIterator[Desk]:
    """Parts of a log."""
    desk = Desk(database, root_secret, clock)
    yield desk
    await desk.ledger.aclose()


async def test_k10_every_call_is_kept(desk: Desk) -> None:
    """Who was asked, when, and how it ended, in order; found by the request's id as soon as it was recorded."""
    log = desk.log()
    row = desk.row()
    log.record(row, desk.traced(log, Kind.RATE_LIMITED, None), BODY)
    record = await log.find(row.id)
    assert record is not None
    assert record.usage == row
    assert record.bodies is None
    assert [(a.engine, a.model, a.status, a.error, a.upstream_id) for a in record.attempts] == [
        ("p", "m", 400, "rate_limited", "up-1"),
        ("p", "m", 200, None, "up-1"),
    ]
    assert [(a.began_ms, a.answered_ms, a.ended_ms) for a in record.attempts] == [(0, 500, 1000), (1000, 1500, 2000)]
    assert await log.find("unknown") is None
    await log.aclose()


async def test_a_request_that_reached_no_engine_has_its_row(desk: Desk) -> None:
    """One that was refused is in the list and can be found, with no calls."""
    log = desk.log()
    row = desk.row("invalid_request", 400)
    log.record(row, None, BODY)
    record = await log.find(row.id)
    assert record is not None
    assert (record.usage, record.attempts, record.bodies) == (row, (), None)
    assert [listed.usage for listed in await log.list()] == [row]
    await log.aclose()


@pytest.mark.parametrize(
    ("keep", "error", "failures", "kept"),
    [
        ("off", "internal", (Kind.INTERNAL,), False),
        ("errors", None, (None,), False),
        ("errors", "cancelled", (Kind.CANCELLED,), False),
        ("errors", "internal", (Kind.INTERNAL,), True),
        ("errors", "invalid_request", (), True),
        ("errors", None, (Kind.INVALID_REQUEST, None), True),
        ("all", None, (None,), True),
        ("all", "cancelled", (Kind.CANCELLED,), True),
    ],
)
async def test_o5_bodies_are_kept_of_those_that_are_wanted(
    desk: Desk, keep: str, error: str | None, failures: tuple[Kind | None, ...], kept: bool
) -> None:
    """None unless it is said; of what failed, be it mended by another call; or of all."""
    log = desk.log(keep_bodies=keep)
    row = desk.row(error)
    log.record(row, desk.traced(log, *failures), BODY)
    record = await log.find(row.id)
    assert record is not None
    assert (record.bodies is not None) is kept
    if record.bodies is not None:
        assert len(record.bodies.attempts) == len(failures)
    await log.aclose()


async def test_what_was_said_is_kept_redacted(desk: Desk) -> None:
    """The client's body, each body that was sent, and what came back of calls that failed; no canary in any of them."""
    log = desk.log(keep_bodies="all")
    row = desk.row()
    error = b'{"error": "wrong key: sk-0123456789abcdef0123456789"}'
    log.record(row, desk.traced(log, Kind.INVALID_REQUEST, None, said=error), BODY)
    record = await log.find(row.id)
    assert record is not None
    assert record.bodies is not None
    clean = json.loads(record.bodies.client)
    assert clean["messages"][0]["content"] == "[redacted] [redacted] Bearer [redacted]"
    assert clean["safe"] == "kept words"
    sent = record.bodies.client
    assert record.bodies.attempts == (
        AttemptBodies(sent=sent, answer='{"error":"wrong key: [redacted]"}'),
        AttemptBodies(sent=sent, answer=None),
    )
    for canary in CANARIES.values():
        assert canary not in repr(record)
    await log.aclose()


async def test_the_store_holds_no_word(desk: Desk) -> None:
    """Bodies are encrypted: neither canaries nor what is kept can be read from the files."""
    log = desk.log(keep_bodies="all")
    for _ in range(20):
        log.record(desk.row(), desk.traced(log, Kind.INVALID_REQUEST), BODY)
    await log.aclose()
    await desk.ledger.flush()
    data = content(desk.database.place)
    assert b"up-1" in data
    for word in (*CANARIES.values(), "kept words", "[redacted]", "messages"):
        assert word.encode() not in data


async def test_bodies_of_another_row_are_not_opened(desk: Desk) -> None:
    """Whoever changes the database cannot pass one request's bodies off as another's."""
    log = desk.log(keep_bodies="all")
    rows = [desk.row(), desk.row()]
    for row in rows:
        log.record(row, desk.traced(log, None), BODY)
    await log.flush()
    execute(
        desk.database.place, f"UPDATE requests SET bodies = (SELECT bodies FROM requests WHERE id = '{rows[0].id}')"
    )
    assert await log.find(rows[0].id) is not None
    with pytest.raises(RixinError) as caught:
        await log.find(rows[1].id)
    assert caught.value.kind is Kind.INTERNAL
    await log.aclose()


async def test_o5_a_large_body_is_kept_in_part(desk: Desk) -> None:
    """What goes over the limit is cut, and says so; it stays JSON."""
    log = desk.log(keep_bodies="all", max_kept_body_bytes=2000)
    row = desk.row()
    large = json.dumps({"messages": [{"role": "user", "content": "word " * 5000}], "top_p": 2}).encode()
    log.record(row, desk.traced(log, Kind.INVALID_REQUEST, sent=large, said=b"y " * 5000), large)
    record = await log.find(row.id)
    assert record is not None
    assert record.bodies is not None
    for text in (record.bodies.client, record.bodies.attempts[0].sent):
        assert len(text) <= 2000
        assert json.loads(text)["top_p"] == 2
    assert len(record.bodies.attempts[0].answer or "") <= 2000
    await log.aclose()


async def test_what_is_too_old_is_deleted(desk: Desk) -> None:
    """Calls and bodies go after their days, however many they are; usage stays."""
    log = desk.log(keep_bodies="all", request_log_days=2.0)
    for _ in range(250):
        log.record(desk.row(), desk.traced(log, None, sent=b"{}", said=b"{}"), b"{}")
    await log.flush()
    desk.clock.advance(3 * DAY)
    fresh = desk.row()
    log.record(fresh, desk.traced(log, None), BODY)
    await log.flush()
    await log.sweep()
    listed = await log.list(limit=1000)
    assert len(listed) == 251
    assert [(request.usage.id, request.attempts) for request in listed if request.attempts] == [(fresh.id, 1)]
    await log.aclose()


async def test_o5_what_is_too_much_is_dropped(desk: Desk) -> None:
    """The oldest bodies make room for the newest; calls stay."""
    log = desk.log(keep_bodies="all")
    for _ in range(300):
        log.record(desk.row(), desk.traced(log, None), BODY)
    sizes = [request.bodies_size for request in await log.list(limit=1000)]
    bound = sum(sizes) // 2
    smaller = desk.log(keep_bodies="all", max_kept_bytes=bound)
    await smaller.sweep()
    listed = await log.list(limit=1000)
    kept = [request.bodies_size > 0 for request in listed]
    assert bound * 0.3 < sum(request.bodies_size for request in listed) <= bound
    assert kept == sorted(kept, reverse=True)
    assert all(request.attempts == 1 for request in listed)
    await log.aclose()


async def test_much_at_once_is_swept_at_once(desk: Desk) -> None:
    """The bound holds between two sweeps too: what was stored since the last one calls for the next."""
    log = desk.log(keep_bodies="all", max_kept_bytes=20_000)
    sweeping = asyncio.create_task(log.sweep_always())
    await asyncio.sleep(0)
    for _ in range(100):
        log.record(desk.row(), desk.traced(log, None), BODY)
    await log.flush()
    async with asyncio.timeout(50):
        while sum(request.bodies_size for request in await log.list(limit=1000)) > 20_000:
            pass
    sweeping.cancel()
    await asyncio.wait([sweeping])
    await log.aclose()


async def test_o5_what_waits_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store does not work, bodies wait up to a bound; after it calls are kept without, and then again."""
    monkeypatch.setattr(request_log, "MAX_PENDING_BYTES", 3 * len(BODY))
    log = desk.log(keep_bodies="all")
    rows = [desk.row() for _ in range(5)]
    with structlog.testing.capture_logs() as logs:
        with outage(desk.database.place, "requests"):
            for row in rows:
                log.record(row, desk.traced(log, None), BODY)
            assert not await log.flush()
        assert await log.flush()
    assert [entry["log_level"] for entry in logs] == ["warning", "warning"]
    rows.append(desk.row())
    log.record(rows[-1], desk.traced(log, None), BODY)
    records = [await log.find(row.id) for row in rows]
    assert [record is not None and record.bodies is not None for record in records] == [True] * 2 + [False] * 3 + [True]
    assert all(record is not None and len(record.attempts) == 1 for record in records)
    assert log.lost == 0
    await log.aclose()


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)  # PostgreSQL fails as a whole
async def test_a_store_that_fails_loses_no_usage(desk: Desk) -> None:
    """The ledger is written although the request log cannot be."""
    log = desk.log()
    row = desk.row()
    with outage(desk.database.place, "requests"), structlog.testing.capture_logs():
        log.record(row, desk.traced(log, None), BODY)
        assert not await log.flush()
        assert await desk.ledger.recent() == [row]
        await log.aclose()
    assert log.lost == 1


async def test_requests_are_listed_by_filter(desk: Desk) -> None:
    """The filters are the store's; a page has bounds."""
    log = desk.log()
    rows = [desk.row(error) for error in (None, "internal", None)]
    for row in rows:
        log.record(row, desk.traced(log, None), BODY)
    (listed,) = await log.list(UsageFilter(error="internal"))
    assert (listed.usage, listed.attempts) == (rows[1], 1)
    for limit in (0, 1001):
        with pytest.raises(RixinError) as caught:
            await log.list(limit=limit)
        assert caught.value.param == "limit"
    await log.aclose()


async def test_ids_may_come_again(desk: Desk) -> None:
    """A client that chooses its ids finds its last request."""
    log = desk.log(keep_bodies="all")
    first = desk.row()
    again = replace(desk.row(), id=first.id)
    for row in (first, again):
        log.record(row, desk.traced(log, None), BODY)
    record = await log.find(first.id)
    assert record is not None
    assert record.usage == again
    await log.aclose()


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
async def test_bodies_are_shown_at_the_debug_level_only(desk: Desk, level: str) -> None:
    """Redacted there, and not at all elsewhere; keeping is another matter."""
    log = desk.log(log_level=level, keep_bodies="all")
    with structlog.testing.capture_logs() as logs:
        desk.traced(log, None)
    assert len(logs) == (1 if level == "debug" else 0)
    for entry in logs:
        assert (entry["log_level"], entry["engine"], entry["id"]) == ("debug", "p", "r")
        assert "kept words" in entry["body"]
        for canary in CANARIES.values():
            assert canary not in entry["body"]
    await log.aclose()


@pytest.mark.parametrize("keep", ["off", "all"])
async def test_the_cost_of_a_request_is_shown(desk: Desk, keep: str) -> None:
    """What recording costs the event loop, and the writer; a figure to read, bound by a hang limit only."""
    log = desk.log(keep_bodies=keep)
    traces = [(desk.row(), desk.traced(log, None)) for _ in range(2000)]
    began = time.perf_counter()
    for row, trace in traces:
        log.record(row, trace, BODY)
    recorded = time.perf_counter() - began
    began = time.perf_counter()
    await log.flush()
    written = time.perf_counter() - began
    print(f"keep_bodies={keep}: {recorded / 2000 * 1e6:.1f} us to record, {written / 2000 * 1e6:.0f} us to write")  # noqa: T201
    await log.aclose()
