"""The request log: what became of each request, call by call, and what was said, where that is wanted.

A request's usage row tells who asked for what, and what came of it. Beside it the log keeps which engines were called,
when, and how each call ended. What was said in a request is kept only where `server.keep_bodies` says so; then it is
redacted, packed and sealed on its way to the store, off the event loop, and bounded by size, number and age.
"""

import asyncio
import zlib
from collections.abc import Sequence
from typing import Protocol

import msgspec
import structlog
from msgspec import Struct

from rixin.accounts.batch_writer import BatchWriter
from rixin.accounts.journal import Entry, Underway
from rixin.accounts.ledger import MAX_LISTED, Ledger
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.clock import Clock
from rixin.core.redaction import Redactor
from rixin.engines.trace import Attempt, Keeping, Spans, Trace
from rixin.errors import Kind, RixinError, invalid
from rixin.settings import Server
from rixin.store.database import Database
from rixin.store.requests import ListedRequest, RequestDetail, RequestTable
from rixin.store.usage import EVERY, UsageFilter
from rixin.store.usage_row import UsageRow
from rixin.store.usage_sums import DAY

PURPOSE = "request bodies"
BATCH = 100
"""Requests written in one transaction."""
SWEEP_INTERVAL = 600.0
"""Seconds between two looks for what is too old or too much."""
SWEEP_PORTION = 100
"""Requests that are cleared in one transaction, so that nobody waits long for the store's one writer."""
MAX_PENDING_BYTES = 64 * 2**20
"""Bytes of bodies on their way to the store; those of requests that come when it is reached are not kept."""
MAX_SHOWN = 65536
"""Bytes of a body that the debug log shows."""

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("rixin.requests")


class AttemptRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of an engine. Milliseconds are since the request's arrival."""

    engine: str
    model: str
    began_ms: float
    answered_ms: float | None = None
    """When the head of its answer came."""
    ended_ms: float | None = None
    status: int | None = None
    """The status of its answer; None where none came."""
    error: str | None = None
    """The kind of error that ended it."""
    upstream_id: str | None = None
    """What the upstream called the request."""


class AttemptBodies(Struct, frozen=True, kw_only=True):
    """What was said in one call."""

    sent: str
    answer: str | None = None
    """What came back, or its beginning, where the call failed."""


class Bodies(Struct, frozen=True, kw_only=True):
    """What was said in a request, redacted."""

    client: str
    """What the client sent."""
    attempts: tuple[AttemptBodies, ...] = ()
    """What was said in each call, in the order of the attempts."""


class RequestRecord(Struct, frozen=True, kw_only=True):
    """All that is known of a request."""

    usage: UsageRow
    attempts: tuple[AttemptRecord, ...] = ()
    bodies: Bodies | None = None
    """None where they were not kept, or not for so long."""


class _Raw(Struct, frozen=True):
    """The bodies of a request as they were."""

    client: bytes
    attempts: tuple[tuple[bytes, bytes | None], ...]

    @property
    def size(self) -> int:
        return len(self.client) + sum(len(sent) + len(answer or b"") for sent, answer in self.attempts)


class _Entry(Struct):
    """A request on its way to the store."""

    time: float
    id: str
    attempts: tuple[AttemptRecord, ...]
    raw: _Raw | None
    size: int
    """Bytes of its bodies as they were."""
    detail: RequestDetail | None = None
    """What is stored, once it is made of the rest."""


_encode = msgspec.json.Encoder().encode
_attempts = msgspec.json.Decoder(tuple[AttemptRecord, ...])
_bodies = msgspec.json.Decoder(Bodies)


class RequestWatch(Protocol):
    """Sees every request begin and end, beside the log. It never waits, and never raises."""

    @property
    def wants_answers(self) -> bool:
        """Whether it wants all that comes back from upstreams."""
        ...

    def began(self, since: float, traceparent: str) -> Spans | None:
        """A request has begun.

        Args:
            since: When it arrived, by the monotonic clock.
            traceparent: What its client says that it is part of (W3C Trace Context); it may be anything.
        """
        ...

    def ended(self, row: UsageRow, trace: Trace | None, body: bytes) -> None:
        """A request is over; arguments as of `RequestLog.record`."""
        ...


class RequestLog:
    """The requests of a server: their rows on their way to the store, and those that are there.

    Args:
        database: Where they are stored.
        ledger: Takes the usage rows.
        root_secret: Seals bodies.
        redactor: Hides what must not be kept of them.
        settings: What is kept, and how long.
        clock: Time.
        watch: Sees them too, where somebody does.
    """

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        root_secret: RootSecret,
        redactor: Redactor,
        settings: Server,
        clock: Clock,
        watch: RequestWatch | None = None,
    ) -> None:
        self._watch = watch
        self._table = RequestTable(database)
        self._ledger = ledger
        self._box = SealedBox(root_secret, PURPOSE)
        self._redactor = redactor
        self._settings = settings
        self._clock = clock
        self._writer = BatchWriter[_Entry](self._write, "The request log", batch=BATCH, done=self._done)
        self._pending_bytes = 0
        self._stored_since_sweep = 0
        self._due = asyncio.Event()

    @property
    def lost(self) -> int:
        """Requests whose details could not be kept, since the start."""
        return self._writer.lost

    def trace(self, request_id: str, since: float, *, traceparent: str = "", answers: bool = False) -> Trace:
        """Watches a request.

        Args:
            request_id: The request's.
            since: When it arrived, by the monotonic clock.
            traceparent: What its client says that it is part of; see `RequestWatch.began`.
            answers: Whether somebody wants all that comes back.
        """
        spans = None
        if self._watch is not None:
            spans, answers = self._watch.began(since, traceparent), answers or self._watch.wants_answers
        kept = self._settings.keep_bodies != "off"
        keeping = Keeping(bodies=kept, answers=answers, beginning=self._settings.max_kept_body_bytes)
        if self._settings.log_level != "debug":
            return Trace(self._clock, since, keeping, spans=spans)

        def show(engine: str, body: bytes) -> None:
            log.debug("upstream request", id=request_id, engine=engine, body=self._redactor.body(body, MAX_SHOWN))

        return Trace(self._clock, since, keeping, show, spans)

    def open(self, request: Underway) -> Entry | None:
        """As `Ledger.open`."""
        return self._ledger.open(request)

    def record(self, row: UsageRow, trace: Trace | None = None, body: bytes = b"", entry: Entry | None = None) -> None:
        """Takes a request down when it is over. Never waits, never raises.

        Args:
            row: What it used.
            trace: What engines did for it.
            body: What the client sent.
            entry: The journal's, where it was opened.
        """
        self._ledger.record(row, entry)
        if self._watch is not None:
            self._watch.ended(row, trace, body)
        attempts = trace.attempts if trace is not None else []
        raw = self._raw(row, attempts, body)
        if not attempts and raw is None:
            return
        records = tuple(_record(attempt) for attempt in attempts)
        size = 0 if raw is None else raw.size
        if self._writer.record(_Entry(row.time, row.id, records, raw, size)):
            self._pending_bytes += size

    async def run(self) -> None:
        """Writes requests, until it is cancelled."""
        await self._writer.run()

    async def sweep_always(self) -> None:
        """Clears what is too old or too much, now and then, until it is cancelled."""
        while True:
            self._due.clear()
            try:
                await self.sweep()
            except RixinError as error:
                log.info("The request log could not be cleared", detail=error.detail or error.message)
            try:
                async with asyncio.timeout(SWEEP_INTERVAL):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def sweep(self) -> None:
        """Clears what is too old or too much.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used.
        """
        self._stored_since_sweep = 0
        oldest = self._clock.now() - self._settings.request_log_days * DAY
        while await self._table.delete_before(oldest, SWEEP_PORTION) == SWEEP_PORTION:
            pass
        excess = await self._table.bodies_size() - self._settings.max_kept_bytes
        while excess > 0 and (dropped := await self._table.drop_bodies(SWEEP_PORTION)):
            excess -= dropped

    async def flush(self) -> bool:
        """Writes what was recorded before. Returns whether it could; if not, it is tried again later."""
        return await self._writer.flush()

    async def aclose(self) -> None:
        """Writes what is left. Call it when `run` has ended and before the ledger and the database are closed."""
        await self._writer.aclose()

    async def list(
        self, wanted: UsageFilter = EVERY, *, limit: int = 100, before: tuple[float, str] | None = None
    ) -> list[ListedRequest]:
        """Requests, the latest first.

        Args:
            wanted: Which ones; all unless given.
            limit: At most so many, up to 1000.
            before: `(time, id)` of the last one of the page before this one.

        Raises:
            RixinError: `INVALID_REQUEST` naming the argument; `OVERLOADED` when the store cannot be used.
        """
        if not 1 <= limit <= MAX_LISTED:
            raise invalid(f"limit must lie between 1 and {MAX_LISTED}", "limit")
        await self._flush_all()
        return await self._table.list(wanted, limit=limit, before=before)

    async def find(self, request_id: str, user: str | None = None) -> RequestRecord | None:
        """All that is known of a request; of the latest one, where clients chose the same id more than once.

        Args:
            request_id: Which.
            user: The id of a user, among whose requests alone it is looked for.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used; `INTERNAL` when its bodies cannot be opened.
        """
        await self._flush_all()
        found = await self._table.find(request_id, user)
        if found is None:
            return None
        row, detail = found
        if detail is None:
            return RequestRecord(usage=row)
        bodies = None
        if detail.bodies is not None:
            opened = self._box.open(detail.bodies, sealed_for(detail.time, detail.id))
            bodies = _bodies.decode(await asyncio.to_thread(zlib.decompress, opened))
        return RequestRecord(usage=row, attempts=_attempts.decode(detail.attempts), bodies=bodies)

    async def _flush_all(self) -> None:
        await self._ledger.flush()
        await self._writer.flush()

    def _raw(self, row: UsageRow, attempts: Sequence[Attempt], body: bytes) -> _Raw | None:
        """The bodies that are to be kept."""
        keep = self._settings.keep_bodies
        if keep == "off" or (keep == "errors" and not _failed(row, attempts)):
            return None
        if self._pending_bytes >= MAX_PENDING_BYTES:
            return None
        return _Raw(body, tuple((attempt.body, attempt.beginning if attempt.error else None) for attempt in attempts))

    async def _write(self, entries: Sequence[_Entry]) -> None:
        details = await asyncio.to_thread(self._details, entries)
        await self._table.add(details)

    def _done(self, entries: Sequence[_Entry]) -> None:
        for entry in entries:
            self._pending_bytes -= entry.size
            if entry.detail is not None and entry.detail.bodies is not None:
                self._stored_since_sweep += len(entry.detail.bodies)
        if self._stored_since_sweep > self._settings.max_kept_bytes // 16:
            self._due.set()

    def _details(self, entries: Sequence[_Entry]) -> Sequence[RequestDetail]:
        return [self._detail(entry) for entry in entries]

    def _detail(self, entry: _Entry) -> RequestDetail:
        """What is stored of a request. Made once, however often it must be tried to store it."""
        if entry.detail is None:
            entry.detail = RequestDetail(
                time=entry.time,
                id=entry.id,
                attempts=_encode(entry.attempts).decode(),
                attempt_count=len(entry.attempts),
                bodies=None if entry.raw is None else self._sealed(entry, entry.raw),
            )
            entry.raw = None
        return entry.detail

    def _sealed(self, entry: _Entry, raw: _Raw) -> bytes:
        limit = self._settings.max_kept_body_bytes
        redact = self._redactor.body
        bodies = Bodies(
            client=redact(raw.client, limit),
            attempts=tuple(
                AttemptBodies(sent=redact(sent, limit), answer=None if answer is None else redact(answer, limit))
                for sent, answer in raw.attempts
            ),
        )
        return self._box.seal(zlib.compress(_encode(bodies)), sealed_for(entry.time, entry.id))


def sealed_for(time: float, request_id: str) -> str:
    """For whom the bodies of a request are sealed: for its row."""
    return f"{time!r} {request_id}"


def _failed(row: UsageRow, attempts: Sequence[Attempt]) -> bool:
    """Whether something went wrong, be it mended since; a client that left is nothing wrong."""
    kinds = {row.error, *(attempt.error for attempt in attempts)}
    return bool(kinds - {None, Kind.CANCELLED})


def _record(attempt: Attempt) -> AttemptRecord:
    return AttemptRecord(
        engine=attempt.engine,
        model=attempt.model,
        began_ms=attempt.began,
        answered_ms=attempt.answered,
        ended_ms=attempt.ended,
        status=attempt.status,
        error=attempt.error.value if attempt.error is not None else None,
        upstream_id=attempt.upstream_id,
    )
