"""What a worker counts: its requests, its calls of upstreams, its HTTP exchanges.

Everything that is counted of one request stands in one row of the worker's sheet, found by one look-up, so that it
costs a few microseconds. Labels are bounded: names that clients invent are never one, and what the server's own catalog
brings beyond `MOST_ROWS` shares the label `other`.
"""

import math
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from rixin.core.observer import QUEUE
from rixin.engines.trace import Attempt, Trace
from rixin.errors import Kind
from rixin.service.telemetry.families import ATTEMPTS, EXCHANGES, LOSSES, REFUSALS, REQUESTS, Layout
from rixin.service.telemetry.sheet import Key, Sheet
from rixin.settings import LOCAL
from rixin.store.usage_row import UsageRow

MOST_ROWS: Final = 2000
"""Sets of labels that one worker tells apart."""
OTHER: Final = "other"
"""Every label of those beyond."""
GAUGE: Final = "gauge"
"""The kind of the rows of what is true now. Those that say nothing any more hold `nan`."""
OPERATIONS: Final = {"generate": "chat", "embed": "embeddings"}
"""What OpenTelemetry's conventions call our operations, where they have a name for them."""
UNKNOWN_METHOD: Final = "_OTHER"
"""What OpenTelemetry's conventions call an HTTP method that is none of the known ones."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
_LONGEST_LABEL: Final = 200

(
    _REQUEST,
    _PROMPT,
    _COMPLETION,
    _CACHED,
    _REASONING,
    _KNOWLEDGE,
    _DURATION,
    _FIRST_TOKEN,
    _PER_TOKEN,
    _INPUT,
    _OUTPUT,
    _QUEUE,
    _OVERHEAD,
) = REQUESTS.places
_ATTEMPT, _CALL, _RESPONSE = ATTEMPTS.places
[_EXCHANGE] = EXCHANGES.places
[_REFUSAL] = REFUSALS.places
[_LOSS] = LOSSES.places


class Sample(Struct, frozen=True):
    """The value that a gauge has now."""

    gauge: str
    """Its name."""
    value: float
    labels: tuple[str, ...] = ()


class Metrics:
    """The metrics of one worker.

    Args:
        sheet: Where they are kept. What another process of this place counted goes on; what was true then is not.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._numbers = sheet.numbers
        self._rows: dict[Key, int] = {}
        self._others = {
            layout.kind: self._other(layout) for layout in (REQUESTS, ATTEMPTS, EXCHANGES, REFUSALS, LOSSES)
        }
        self._lost: dict[str, int] = {}
        self._shown = {key for key in sheet.keys if key[0] == GAUGE}
        self.show(())

    def ended(self, row: UsageRow, trace: Trace | None) -> None:
        """Counts a request, and the calls that were made for it."""
        operation = OPERATIONS.get(row.operation, row.operation)
        key = ("requests", operation, row.dialect, row.provider, row.model, row.error or "")
        at = self._rows.get(key) or self._row(key, REQUESTS)
        numbers, total = self._numbers, row.total_ms / 1000
        _REQUEST.count(numbers, at)
        _DURATION.observe(numbers, at, total)
        if row.prompt_tokens or row.completion_tokens:
            self._count_tokens(row, at)
        if row.stream and row.first_token_ms is not None:
            first = row.first_token_ms / 1000
            _FIRST_TOKEN.observe(numbers, at, first)
            if row.completion_tokens > 1:
                _PER_TOKEN.observe(numbers, at, (total - first) / (row.completion_tokens - 1))
        if trace is None or not trace.attempts:
            return
        times = trace.times()
        _QUEUE.observe(numbers, at, (times.get(QUEUE, 0.0) + (row.queue_ms or 0.0)) / 1000)
        _OVERHEAD.observe(numbers, at, max(0.0, row.total_ms - sum(times.values())) / 1000)
        for attempt in trace.attempts:
            self._count_attempt(operation, attempt)

    def exchanged(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an HTTP exchange; `route` is a path as it is declared, never one that a client chose, or empty."""
        if not route and method not in _METHODS:
            method = UNKNOWN_METHOD
        key = ("exchanges", method, route, str(status))
        _EXCHANGE.observe(self._numbers, self._rows.get(key) or self._row(key, EXCHANGES), seconds)

    def refused(self, kind: Kind) -> None:
        """Counts a request that a limit of its own key refused, and as what."""
        key = ("refusals", kind.value)
        _REFUSAL.count(self._numbers, self._rows.get(key) or self._row(key, REFUSALS))

    def lost(self, book: str, rows: int) -> None:
        """Takes down how many rows of a book this process has lost since it started."""
        if more := rows - self._lost.get(book, 0):
            self._lost[book] = rows
            key = ("losses", book)
            _LOSS.count(self._numbers, self._rows.get(key) or self._row(key, LOSSES), more)

    def show(self, samples: Iterable[Sample]) -> None:
        """Replaces what is true now."""
        before, self._shown = self._shown, set[Key]()
        for sample in samples:
            key = (GAUGE, sample.gauge, *sample.labels)
            at = self._rows.get(key) or self._gauge(key)
            if at is not None:
                self._numbers[at] = sample.value
                self._shown.add(key)
        for key in before - self._shown:
            at = self._gauge(key)
            if at is not None:
                self._numbers[at] = math.nan

    def _count_tokens(self, row: UsageRow, at: int) -> None:
        numbers = self._numbers
        _PROMPT.count(numbers, at, row.prompt_tokens)
        _COMPLETION.count(numbers, at, row.completion_tokens)
        if row.cached_tokens:
            _CACHED.count(numbers, at, row.cached_tokens)
        if row.reasoning_tokens:
            _REASONING.count(numbers, at, row.reasoning_tokens)
        if row.knowledge_tokens:
            _KNOWLEDGE.count(numbers, at, row.knowledge_tokens)
        _INPUT.observe(numbers, at, row.prompt_tokens)
        _OUTPUT.observe(numbers, at, row.completion_tokens)

    def _count_attempt(self, operation: str, attempt: Attempt) -> None:
        provider = LOCAL if attempt.engine.startswith(f"{LOCAL}/") else attempt.engine
        key = ("attempts", operation, provider, attempt.model, "" if attempt.error is None else attempt.error.value)
        at = self._rows.get(key) or self._row(key, ATTEMPTS)
        _ATTEMPT.count(self._numbers, at)
        if attempt.ended is not None:
            _CALL.observe(self._numbers, at, (attempt.ended - attempt.began) / 1000)
        if attempt.answered is not None:
            _RESPONSE.observe(self._numbers, at, (attempt.answered - attempt.began) / 1000)

    def _row(self, key: Key, layout: Layout) -> int:
        """The place of a row; that of all others where there is no room for it."""
        if len(self._rows) < MOST_ROWS:
            at = self._sheet.find(tuple(label[:_LONGEST_LABEL] for label in key), layout.width)
            if at is not None:
                self._rows[key] = at
                return at
        return self._others[layout.kind]

    def _gauge(self, key: Key) -> int | None:
        at = self._rows.get(key)
        if at is None and len(self._rows) < MOST_ROWS:
            at = self._sheet.find(key, 1)
            if at is not None:
                self._rows[key] = at
        return at

    def _other(self, layout: Layout) -> int:
        at = self._sheet.find((layout.kind, *(OTHER for _ in layout.labels)), layout.width)
        assert at is not None  # noqa: S101 - a sheet has room for a few rows
        return at
