"""A span for each request, by OpenTelemetry, with those of its calls and of its waits below it.

Attributes are those of the conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/) and some that begin with `rixin.`. What was said is
in none of them, unless that is asked for; then it is redacted as in the request log. Spans are sent by a thread of the
SDK's, which drops what nobody takes.

This module imports the SDK, which takes half a second; who wants no traces leaves it alone.
"""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from rixin import __version__
from rixin.clock import Clock
from rixin.core.observer import QUEUE
from rixin.core.redaction import Redactor
from rixin.engines.trace import Attempt, Trace
from rixin.errors import Kind
from rixin.service.telemetry.metrics import OPERATIONS
from rixin.store.usage_row import UsageRow

LONGEST_CONTENT: Final = 65536
"""Bytes that a span tells of what was said."""
_LAST_WORDS: Final = 3.0
"""Seconds in which the last spans must be sent."""
_ROUTE: Final = "/v1/traces"
_PARENT: Final = "traceparent"

_propagator = TraceContextTextMapPropagator()


class RequestSpans:
    """The spans of one request, while it is under way.

    Args:
        tracer: Makes them.
        arrived: When the request did, in nanoseconds since the epoch.
        traceparent: What its client says that it is part of.
    """

    def __init__(self, tracer: Tracer, arrived: int, traceparent: str) -> None:
        parent = _propagator.extract({_PARENT: traceparent}) if traceparent else None
        self.span = tracer.start_span("request", parent, kind=SpanKind.SERVER, start_time=arrived)
        self.calls: list[tuple[Attempt, Span]] = []
        self._tracer = tracer
        self._arrived = arrived

    def at(self, milliseconds: float) -> int:
        """An instant since the arrival, in nanoseconds since the epoch."""
        return self._arrived + int(milliseconds * 1_000_000)

    def called(self, attempt: Attempt) -> Mapping[str, str]:
        """A call begins; see `Spans.called`."""
        span = self._child("call", self.span, attempt.began, SpanKind.CLIENT)
        self.calls.append((attempt, span))
        carrier: dict[str, str] = {}
        _propagator.inject(carrier, set_span_in_context(span))
        # Not what else the client may have sent along: nothing of its headers reaches an upstream.
        return {name: value for name, value in carrier.items() if name == _PARENT}

    def waited(self, name: str, parent: Span, began: float, ended: float) -> None:
        """The request waited for something."""
        self._child(name, parent, began, SpanKind.INTERNAL).end(self.at(ended))

    def _child(self, name: str, parent: Span, began: float, kind: SpanKind) -> Span:
        return self._tracer.start_span(name, set_span_in_context(parent), kind=kind, start_time=self.at(began))


class Tracing:
    """Makes spans of requests; see `RequestWatch`. It must be closed.

    Args:
        endpoint: The collector's base URL; None where the SDK's own variables name it.
        environ: Of those variables, for the service's name.
        redactor: Hides what must not be told of what was said; None where nothing of that is told.
        clock: Time.
    """

    def __init__(
        self, endpoint: str | None, environ: Mapping[str, str], redactor: Redactor | None, clock: Clock
    ) -> None:
        about: dict[str, AttributeValue] = {SERVICE_VERSION: __version__}
        if "OTEL_SERVICE_NAME" not in environ:
            about[SERVICE_NAME] = "rixin"
        self._exporter = OTLPSpanExporter(None if endpoint is None else f"{endpoint.removesuffix(_ROUTE)}{_ROUTE}")
        self._provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("rixin", __version__)
        self._redactor = redactor
        self._clock = clock

    @property
    def wants_answers(self) -> bool:
        """Whether all that comes back from upstreams is wanted; see `RequestWatch.wants_answers`."""
        return self._redactor is not None

    def began(self, since: float, traceparent: str) -> RequestSpans:
        """A request has begun; see `RequestWatch.began`."""
        arrived = self._clock.now() - (self._clock.monotonic() - since)
        return RequestSpans(self._tracer, int(arrived * 1_000_000_000), traceparent)

    def ended(self, row: UsageRow, trace: Trace | None, body: bytes) -> None:
        """A request is over; see `RequestWatch.ended`."""
        spans = None if trace is None else trace.spans
        if trace is None or not isinstance(spans, RequestSpans):
            return
        operation = OPERATIONS.get(row.operation, row.operation)
        for phase in trace.phases:
            spans.waited(phase.name, spans.span, phase.began, phase.ended)
        for attempt, span in spans.calls:
            self._end_call(operation, attempt, span, spans)
        if row.queue_ms and spans.calls:
            attempt, span = spans.calls[-1]
            spans.waited(QUEUE, span, attempt.began, attempt.began + row.queue_ms)
        span = spans.span
        span.update_name(f"{operation} {row.model}" if row.model else operation)
        span.set_attributes(_of_request(operation, row))
        if self._redactor is not None:
            span.set_attribute("rixin.request.body", self._redactor.body(body, LONGEST_CONTENT))
        if row.status >= 500:
            span.set_status(Status(StatusCode.ERROR, row.error))
        span.end(spans.at(row.total_ms))

    async def aclose(self) -> None:
        """Sends what is left, as far as somebody takes it."""
        done, loop = asyncio.Event(), asyncio.get_running_loop()

        def close() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(done.set)

        # A thread of its own that dies with the process: a collector that hangs must not keep it.
        threading.Thread(target=close, daemon=True).start()
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await done.wait()
        except TimeoutError:
            self._exporter.shutdown()

    def _end_call(self, operation: str, attempt: Attempt, span: Span, spans: RequestSpans) -> None:
        span.update_name(f"{operation} {attempt.model}")
        span.set_attributes(_of_call(operation, attempt))
        if attempt.answered is not None:
            span.add_event("response", timestamp=spans.at(attempt.answered))
        if self._redactor is not None and attempt.answer:
            span.set_attribute("rixin.response.body", self._redactor.body(attempt.answer, LONGEST_CONTENT))
        if attempt.error is not None and attempt.error is not Kind.CANCELLED:
            span.set_status(Status(StatusCode.ERROR, attempt.error.value))
        span.end(None if attempt.ended is None else spans.at(attempt.ended))


def _of_request(operation: str, row: UsageRow) -> dict[str, AttributeValue]:
    told: dict[str, AttributeValue | None] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": row.provider or None,
        "gen_ai.request.model": row.model_asked,
        "gen_ai.response.model": row.model or None,
        "gen_ai.usage.input_tokens": row.prompt_tokens,
        "gen_ai.usage.output_tokens": row.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": row.cached_tokens,
        "http.response.status_code": row.status,
        "error.type": row.error,
        "rixin.request.id": row.id,
        "rixin.key.id": row.key_id,
        "rixin.dialect": row.dialect,
        "rixin.stream": row.stream,
        "rixin.changes": row.changes or None,
        "rixin.usage.reasoning_tokens": row.reasoning_tokens,
        "rixin.usage.estimated": row.estimated,
        "rixin.time_to_first_token": None if row.first_token_ms is None else row.first_token_ms / 1000,
    }
    return {name: value for name, value in told.items() if value is not None}


def _of_call(operation: str, attempt: Attempt) -> dict[str, AttributeValue]:
    told: dict[str, AttributeValue | None] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": attempt.engine,
        "gen_ai.request.model": attempt.model,
        "http.response.status_code": attempt.status,
        "error.type": None if attempt.error is None else attempt.error.value,
        "rixin.dialect": attempt.dialect,
        "rixin.upstream.id": attempt.upstream_id,
    }
    return {name: value for name, value in told.items() if value is not None}
