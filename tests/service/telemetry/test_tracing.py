"""The spans of requests that waited, and collectors that do not take them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from rixin.clock import SystemClock
from rixin.engines.trace import Trace
from rixin.errors import Kind, RixinError
from rixin.service.telemetry.tracing import Tracing
from tests.service.telemetry.test_metrics import usage
from tests.support.hang import HANG
from tests.upstreams.scripted import Reply, ScriptedUpstream, Stall, answer


@asynccontextmanager
async def tracing(reply: Reply) -> AsyncGenerator[tuple[Tracing, ScriptedUpstream]]:
    """What makes spans, and a collector of them."""
    async with ScriptedUpstream(reply) as collector:
        endpoint = collector.url.removesuffix("/v1")
        yield Tracing(endpoint, {}, None, SystemClock()), collector


def spans(collector: ScriptedUpstream) -> list[Span]:
    """What a collector was sent."""
    requests = [ExportTraceServiceRequest.FromString(request.body) for request in collector.posted]
    return [
        span
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def request(made: Tracing, phases: Sequence[tuple[str, float, float]], error: Kind | None = None) -> None:
    """A request with some waits, by seconds since its arrival, and a call that took from 0.5 to 0.9."""
    clock = SystemClock()
    since = clock.monotonic()
    trace = Trace(clock, since, spans=made.began(since, ""))
    for name, began, ended in phases:
        trace.on_phase(name, since + began, since + ended)
    attempt = trace.on_attempt("local/m", "openai_chat", "m", b"")
    attempt.on_answer(200, {})
    attempt.on_end(None if error is None else RixinError(error, "It broke off."))
    attempt.began, attempt.answered, attempt.ended = 500.0, 700.0, 900.0
    made.ended(usage(provider="local", queue_ms=100.0), trace, b"")


async def test_each_wait_is_a_span() -> None:
    """Below the request; waiting within the engine below its call."""
    waits = [("body", 0.0, 0.05), ("retrieval", 0.05, 0.1), ("media", 0.1, 0.3), ("queue", 0.3, 0.5)]
    async with tracing(answer("")) as (made, collector):
        request(made, waits)
        await made.aclose()
        told = spans(collector)
    [whole] = [span for span in told if span.kind == Span.SPAN_KIND_SERVER]
    [call] = [span for span in told if span.kind == Span.SPAN_KIND_CLIENT]
    assert call.parent_span_id == whole.span_id
    lengths = {
        (span.name, span.parent_span_id): (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
        for span in told
        if span.kind == Span.SPAN_KIND_INTERNAL
    }
    below = {(name, whole.span_id): ended - began for name, began, ended in waits}
    assert lengths == pytest.approx({**below, ("queue", call.span_id): 0.1})


async def test_a_call_that_its_client_left_is_no_failure() -> None:
    """Its kind is told, and its status is not an error."""
    async with tracing(answer("")) as (made, collector):
        request(made, [], Kind.CANCELLED)
        await made.aclose()
        assert all(span.status.code == 0 for span in spans(collector))


@pytest.mark.parametrize("reply", [[Stall()], answer("no", status=500), answer("no", status=400)], ids=str)
async def test_a_collector_that_takes_nothing_holds_up_nothing(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a request nor the end of the server, be it silent or refuse everything."""
    caplog.set_level(logging.CRITICAL)
    async with tracing(reply) as (made, collector), asyncio.timeout(HANG):
        for _ in range(5000):
            request(made, [])
        await made.aclose()
        assert collector.posted


async def test_a_request_that_nobody_began_has_no_span() -> None:
    """A row without a trace is none of its business."""
    async with tracing(answer("")) as (made, collector):
        made.ended(usage(), None, b"")
        made.ended(usage(), Trace(SystemClock(), 0.0), b"")
        await made.aclose()
        assert collector.posted == []
