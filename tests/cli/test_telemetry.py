"""Metrics and traces of the real program, with real clients, upstreams and collectors."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.program import HANG_LIMIT, ended, rixin, serving, until
from tests.support.clients import CHAT
from tests.upstreams.scripted import (
    DONE,
    Reply,
    Request,
    ScriptedUpstream,
    answer,
    completion,
    completion_events,
    stream,
)

REQUESTS = "rixin_requests_total"
REQUEST, CALL = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
SECRET = "the treasure lies under the old oak"
CLIENTS_TRACE = "0af7651916cd43dd8448eb211c80319c"
CLIENTS_SPAN = "b7ad6b7169203331"
TRACEPARENT = f"00-{CLIENTS_TRACE}-{CLIENTS_SPAN}-01"


def model(request: Request) -> Reply:
    """An upstream that answers in the form that it is asked in."""
    if request.method == "GET":
        return answer('{"data":[{"id":"m"}]}')
    return (
        stream([*completion_events(model="m"), DONE]) if request.json.get("stream") else answer(completion(model="m"))
    )


@dataclass
class Program:
    """A running server, its upstream, and what it is asked with."""

    process: asyncio.subprocess.Process
    upstream: ScriptedUpstream
    url: str
    key: str

    async def ask(self, headers: dict[str, str] | None = None, **fields: Any) -> tuple[int, str]:
        """Sends one request over a connection of its own, so that any worker may get it."""
        body = {"model": "m", "messages": [{"role": "user", "content": SECRET}], **fields}
        sent = {"authorization": f"Bearer {self.key}", **(headers or {})}
        async with aiohttp.ClientSession() as client, client.post(self.url + CHAT, json=body, headers=sent) as response:
            return response.status, await response.text()

    async def metrics(self, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """The answer of `/metrics`, over a connection of its own."""
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"{self.url}/metrics", headers=headers or {}) as response,
        ):
            return response.status, await response.text()

    async def sum(self, name: str, **labels: str) -> float:
        """The sum of a metric over all series that have these labels."""
        _, text = await self.metrics()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    async def wait_for(self, name: str, value: float) -> None:
        """Waits until a metric has a value."""
        async with asyncio.timeout(HANG_LIMIT):
            while await self.sum(name) != value:
                pass


@asynccontextmanager
async def running(
    data_dir: Path,
    *arguments: str,
    settings: str = "",
    reply: Reply | Callable[[Request], Reply] = model,
    collector: str | None = None,
) -> AsyncGenerator[Program]:
    """A server before an upstream `p` with the model `m`."""
    async with ScriptedUpstream(reply) as upstream:
        provider = f'[[providers]]\nname = "p"\nbase_url = "{upstream.url}"\nmodels = ["m"]\nretries = 0\n'
        data_dir.mkdir()
        (data_dir.parent / "rixin.toml").write_text(f"{settings}\n{provider}")
        environ = {} if collector is None else {"OTEL_EXPORTER_OTLP_ENDPOINT": collector}
        async with serving(data_dir, "--json", *arguments, **environ) as process:
            url = json.loads(await until(process, "listening"))["url"]
            yield Program(process, upstream, url, (data_dir / "first-key").read_text().strip())


def workers(supervisor: int) -> list[int]:
    """The processes of a server's workers."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == supervisor and b"rixin.cli.worker" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except FileNotFoundError:
            continue  # it has ended since
    return found


async def test_whichever_worker_is_asked_tells_of_all_and_a_killed_one_is_neither_lost_nor_counted_twice(
    data_dir: Path,
) -> None:
    """Of two workers one is killed: what it counted stays, before and after another one takes its place."""
    async with running(data_dir, "--workers", "2") as program:
        await program.wait_for("rixin_workers", 2)
        for _ in range(20):
            assert (await program.ask(stream=True))[0] == 200
        await program.wait_for(REQUESTS, 20)  # a client has its answer before the answer is counted
        assert {await program.sum(REQUESTS) for _ in range(10)} == {20}
        assert await program.sum("rixin_completion_tokens_total") == 40
        victim = workers(program.process.pid)[0]
        os.kill(victim, signal.SIGKILL)
        async with asyncio.timeout(HANG_LIMIT):
            while victim in workers(program.process.pid) or len(workers(program.process.pid)) < 2:
                await program.metrics()
        await program.wait_for("rixin_workers", 2)
        assert await program.sum(REQUESTS) == 20
        for _ in range(10):
            assert (await program.ask())[0] == 200
        await program.wait_for(REQUESTS, 30)
        assert {await program.sum(REQUESTS) for _ in range(10)} == {30}
        assert await program.sum("http_server_request_duration_seconds_count", http_route=CHAT) == 30


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"x-forwarded-for": "203.0.113.7"}, 401),
        ({"forwarded": "for=203.0.113.7"}, 401),
        ({"host": "rixin.example.com"}, 401),
        ({"origin": "https://evil.example.com"}, 401),
    ],
    ids=["a program of this machine", "through a proxy", "through another", "by another name", "a page"],
)
async def test_who_is_elsewhere_needs_a_key(program: Program, headers: dict[str, str], status: int) -> None:
    """On this machine nobody does; whoever comes through a proxy, or from a page, is not on this machine."""
    assert (await program.metrics(headers))[0] == status


async def test_a_key_needs_the_scope(program: Program, data_dir: Path) -> None:
    """One of scope `metrics` reads metrics and nothing else, and one without reads none."""
    elsewhere = {"x-forwarded-for": "203.0.113.7"}
    for scope, metrics, chat in (("metrics", 200, 403), ("inference", 403, 200)):
        made = await rixin("keys", "create", scope, "--scope", scope, "--json", data_dir=data_dir)
        bearer = {"authorization": f"Bearer {json.loads(made.out)['key']}"}
        assert (await program.metrics({**bearer, **elsewhere}))[0] == metrics
        assert (await program.ask(headers=bearer))[0] == chat


async def test_l7_names_that_clients_invent_are_no_label(program: Program) -> None:
    """Neither those that nobody serves, nor those that an alias takes, nor paths, nor methods."""
    for number in range(40):
        await program.ask(model=f"invented-{number}")
        await program.ask(model=f"gpt-invented-{number}")
        await program.ask(model=f"p/invented-{number}")
    async with aiohttp.ClientSession() as client:
        for number in range(40):
            async with client.request("PATCH", f"{program.url}/invented-{number}") as response:
                assert response.status == 404
    _, text = await program.metrics()
    assert "invented" not in text
    assert await program.sum(REQUESTS, model="m", error_type="") == 40
    assert await program.sum(REQUESTS, model="", error_type="model_not_found") == 80


async def test_metrics_tell_of_upstreams_and_engines(program: Program) -> None:
    """The breaker of an upstream, the state of each local model, the database, workers and tasks."""
    await program.ask()
    assert await program.sum("rixin_tasks") > 0
    assert await program.sum("rixin_store_up", store="database") == 1
    assert await program.sum("rixin_workers") == 1
    assert await program.sum("rixin_engine_state", model="local", state="stopped") == 1
    _, text = await program.metrics()
    assert 'rixin_upstream_breaker_state{model="m",provider="p"} 0.0' in text
    assert 'rixin_upstream_keys_resting{model="m",provider="p"} 0.0' in text


async def test_an_upstream_that_fails_is_seen(data_dir: Path) -> None:
    """Its calls by how they failed, and that it is left alone in the end."""
    async with running(data_dir, reply=answer('{"error": {"message": "no"}}', status=500)) as program:
        for _ in range(6):
            assert (await program.ask())[0] >= 500
        assert await program.sum("rixin_upstream_breaker_state", provider="p", model="m") == 2
        assert await program.sum("rixin_upstream_attempts_total", error_type="") == 0
        assert await program.sum("rixin_upstream_attempts_total") == len(program.upstream.posted) >= 5


async def test_what_a_limit_refuses_is_counted(data_dir: Path) -> None:
    """Of a key that may ask once an hour the second request is counted as refused, and calls nobody."""
    plan = '[[plans.once.limits]]\nunit = "requests"\namount = 1\nwindow = 3600\n'
    async with running(data_dir, settings=plan) as program:
        made = await rixin("keys", "create", "once", "--plan", "once", "--json", data_dir=data_dir)
        program.key = json.loads(made.out)["key"]
        assert [(await program.ask())[0] for _ in range(2)] == [200, 429]
        assert await program.sum("rixin_limits_refused_total", error_type="quota_exhausted") == 1
        assert len(program.upstream.posted) == 1


async def test_without_metrics_there_are_none(data_dir: Path) -> None:
    """Requests are answered as before, and nothing is at the path."""
    async with running(data_dir, settings="[telemetry]\nmetrics = false\n") as program:
        assert (await program.ask())[0] == 200
        assert (await program.metrics())[0] == 404


@pytest.fixture
async def program(data_dir: Path) -> AsyncGenerator[Program]:
    """A server with one worker."""
    async with running(data_dir) as started:
        yield started


class Collector:
    """What a collector of traces was sent, decoded."""

    def __init__(self, server: ScriptedUpstream) -> None:
        self._server = server

    @property
    def endpoint(self) -> str:
        """Its base URL."""
        return self._server.url.removesuffix("/v1")

    @property
    def requests(self) -> list[ExportTraceServiceRequest]:
        """What it was sent."""
        return [ExportTraceServiceRequest.FromString(request.body) for request in self._server.posted]

    @property
    def spans(self) -> list[Span]:
        """All spans, in the order in which they ended."""
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@asynccontextmanager
async def collector() -> AsyncGenerator[Collector]:
    """A collector that speaks OTLP over HTTP."""
    async with ScriptedUpstream(answer("", content_type="application/x-protobuf")) as server:
        yield Collector(server)


def of_kind(spans: list[Span], kind: int) -> list[Span]:
    """Those of requests, or of calls."""
    return [span for span in spans if span.kind == kind]


def attributes(span: Span) -> dict[str, str | int | bool | float]:
    """The attributes of a span."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value") or "") for item in span.attributes}


async def test_a_trace_tells_of_a_request_and_of_its_calls(data_dir: Path) -> None:
    """One span for the request, below the client's own; below it one for the call, which the upstream is told of."""
    async with collector() as found:
        async with running(data_dir, settings=f'[telemetry]\notlp_endpoint = "{found.endpoint}"\n') as program:
            await program.ask(headers={"traceparent": TRACEPARENT, "x-request-id": "mine"}, stream=True)
            [asked] = program.upstream.posted
            assert (await ended(program.process))[0] == 0
        [call], [request] = (of_kind(found.spans, kind) for kind in (CALL, REQUEST))
        assert request.trace_id.hex() == call.trace_id.hex() == CLIENTS_TRACE
        assert request.parent_span_id.hex() == CLIENTS_SPAN
        assert call.parent_span_id == request.span_id
        assert asked.headers["traceparent"] == f"00-{CLIENTS_TRACE}-{call.span_id.hex()}-01"
        assert request.name == call.name == "chat m"
        assert request.start_time_unix_nano <= call.start_time_unix_nano
        assert call.start_time_unix_nano < call.end_time_unix_nano <= request.end_time_unix_nano
        told = attributes(request)
        assert told["gen_ai.operation.name"] == "chat"
        assert told["gen_ai.provider.name"] == "p"
        assert told["gen_ai.request.model"] == "m"
        assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (5, 2)
        assert (told["http.response.status_code"], told["rixin.request.id"]) == (200, "mine")
        assert "error.type" not in told
        [resource] = {request.resource_spans[0].resource.SerializeToString() for request in found.requests}
        assert b"rixin" in resource
        assert SECRET.encode() not in b"".join(request.SerializeToString() for request in found.requests)


async def test_what_was_said_is_told_where_that_is_wanted_and_redacted(data_dir: Path) -> None:
    """The client's body and the upstream's answer, without what looks like a key."""
    settings = "[telemetry]\ncapture_content = true\n"
    async with collector() as found:
        async with running(data_dir, settings=settings, collector=found.endpoint) as program:
            await program.ask(messages=[{"role": "user", "content": f"{SECRET} sk-live-0123456789abcdef0123"}])
            assert (await ended(program.process))[0] == 0
        [call], [request] = (of_kind(found.spans, kind) for kind in (CALL, REQUEST))
        assert SECRET in str(attributes(request)["rixin.request.body"])
        assert "Paris" in str(attributes(call)["rixin.response.body"])
        assert b"0123456789abcdef" not in b"".join(request.SerializeToString() for request in found.requests)


async def test_a_trace_tells_how_a_request_failed(data_dir: Path) -> None:
    """Of a call that failed and a request that did so with it; and of one that was wrong, which called nobody."""
    failing = answer('{"error": {"message": "no"}}', status=500)
    async with collector() as found:
        async with running(data_dir, reply=failing, collector=found.endpoint) as program:
            assert (await program.ask())[0] >= 500
            assert (await program.ask(headers={"traceparent": TRACEPARENT}, temperature="hot"))[0] == 400
            assert (await ended(program.process))[0] == 0
        [call], [request, refused] = (of_kind(found.spans, kind) for kind in (CALL, REQUEST))
        assert attributes(call)["http.response.status_code"] == 500
        assert attributes(call)["error.type"] == attributes(request)["error.type"]
        assert call.status.code == request.status.code == 2
        assert attributes(refused)["error.type"] == "invalid_request"
        assert refused.parent_span_id.hex() == CLIENTS_SPAN
        assert refused.status.code == 0


@pytest.mark.parametrize("traceparent", ["", "00-zero-zero-01", "ff" * 200, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_a_traceparent_that_is_none_begins_a_trace(data_dir: Path, traceparent: str) -> None:
    """Nothing of it reaches the upstream."""
    async with collector() as found:
        async with running(data_dir, collector=found.endpoint) as program:
            assert (await program.ask(headers={"traceparent": traceparent, "tracestate": "a=canary"}))[0] == 200
            [asked] = program.upstream.posted
            assert (await ended(program.process))[0] == 0
        [request] = of_kind(found.spans, REQUEST)
        assert request.parent_span_id == b""
        assert asked.headers["traceparent"].startswith(f"00-{request.trace_id.hex()}-")
        assert "tracestate" not in asked.headers


async def test_without_an_endpoint_upstreams_are_told_nothing(program: Program) -> None:
    """What the client says that its request is part of stays here."""
    await program.ask(headers={"traceparent": TRACEPARENT})
    assert "traceparent" not in program.upstream.posted[0].headers


async def test_a_collector_that_is_down_harms_nothing(data_dir: Path) -> None:
    """Requests are answered, and the server ends as soon as it does otherwise."""
    async with running(data_dir, collector="http://127.0.0.1:9") as program:
        for _ in range(5):
            assert (await program.ask())[0] == 200
        code, log = await ended(program.process)
        assert code == 0
        assert not [line for line in log if SECRET in line]


async def test_traces_are_imported_by_who_wants_them_only() -> None:
    """A worker that makes none does not load OpenTelemetry, nor the Prometheus client before somebody asks."""
    code = "import sys, rixin.cli.worker; print([n for n in sys.modules if n.startswith(('opentelemetry', 'prom'))])"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.decode().strip() == "[]"
