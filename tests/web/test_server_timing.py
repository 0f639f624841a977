"""The header that tells where the time before an answer's begin went."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rixin.clock import SystemClock
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.base import ListedModel
from rixin.engines.remote import Remote
from rixin.engines.trace import Trace
from rixin.limits.process import ProcessLimiter
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.settings import Provider, Server, Settings
from rixin.store.database import Database
from rixin.web.server_timing import server_timing
from tests.limits.manual_clock import ManualClock
from tests.support.web import Site, site
from tests.upstreams.scripted import (
    DONE,
    Delay,
    Reply,
    Request,
    ScriptedUpstream,
    answer,
    completion,
    completion_events,
    stream,
)

SLOW = 0.15
"""Seconds that an upstream takes where it takes its time."""


def durations(header: str) -> dict[str, float]:
    """What a header tells."""
    assert re.fullmatch(r"[a-z]+;dur=\d+\.\d\d(, [a-z]+;dur=\d+\.\d\d)*", header)
    return {name: float(text) for name, text in re.findall(r"([a-z]+);dur=([\d.]+)", header)}


def test_the_parts_add_up() -> None:
    """Waits, calls and our own time are the total; waiting within an engine is waiting, and no work of its own."""
    clock = ManualClock()
    trace = Trace(clock, clock.monotonic())
    now = clock.monotonic()
    trace.on_phase("body", now, now + 0.010)
    trace.on_phase("queue", now + 0.010, now + 0.030)
    clock.advance(40_000)
    attempt = trace.on_attempt("local/m", "openai_chat", "m", b"")
    clock.advance(50_000)
    attempt.on_answer(200, {})
    clock.advance(110_000)
    told = durations(server_timing(trace, queued=0.060).decode())
    assert told == {"body": 10, "queue": 80, "upstream": 100, "ttfb": 50, "rixin": 10, "total": 200}


def test_what_called_nobody_has_its_own_time_only() -> None:
    """No part is named that did not happen."""
    clock = ManualClock()
    trace = Trace(clock, clock.monotonic())
    clock.advance(2_000)
    assert durations(server_timing(trace, queued=0.0).decode()) == {"rixin": 2, "total": 2}


@asynccontextmanager
async def served(folder: Path, reply: Callable[[Request], Reply], **settings: Any) -> AsyncGenerator[Site]:
    """An application before an upstream."""

    def wire(_database: Database, catalog: Catalog) -> Router:
        provider = Provider(name="up", base_url=upstream.url, api_keys=("sk-1",), **settings)
        catalog.configure({}, ["up"])
        catalog.set_provider_models("up", [ListedModel(name="m")])
        clock = SystemClock()
        engines.append(Remote.connect(provider, DIALECT, {}))
        return Router({"up": engines[0]}, providers=(provider,), limiter=ProcessLimiter(clock), clock=clock)

    engines: list[Remote] = []
    async with ScriptedUpstream(reply) as upstream:
        async with site(folder, Settings(server=Server(data_dir=folder)), wire) as running:
            yield running
        for engine in engines:
            await engine.aclose()


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_tells_its_times(tmp_path: Path, streamed: bool) -> None:
    """The upstream's time is the upstream's, and what is left is ours."""

    def slowly(_request: Request) -> Reply:
        whole = stream([*completion_events(model="m"), DONE]) if streamed else answer(completion(model="m"))
        return [Delay(SLOW), *whole]

    async with served(tmp_path, slowly) as running, running.post(stream=streamed) as response:
        await response.read()
        assert response.status == 200
        told = durations(response.headers["server-timing"])
    assert told["upstream"] >= told["ttfb"] >= SLOW * 1000
    assert told["total"] >= told["upstream"] + told["rixin"] - 0.02
    assert "queue" not in told


async def test_a_wait_for_the_next_try_is_told_as_such(tmp_path: Path) -> None:
    """All calls count as the upstream's, and what lies between them does not."""
    replies = [
        answer('{"error":{"message":"slow down"}}', status=429, retry_after="0.2"),
        answer(completion(model="m")),
    ]
    async with served(tmp_path, lambda _request: replies.pop(0)) as running, running.post() as response:
        await response.read()
        assert response.status == 200
        assert response.headers["x-rixin-attempts"] == "2"
        told = durations(response.headers["server-timing"])
    assert told["queue"] >= 190
    assert told["upstream"] < told["total"] - told["queue"]


async def test_an_error_tells_them_too(tmp_path: Path) -> None:
    """Where the upstream was asked, with its time; pages may read the header."""
    failing = answer('{"error":{"message":"no"}}', status=500)
    async with (
        served(tmp_path, lambda _request: failing, retries=0) as running,
        running.post(headers={"origin": "http://localhost:3000"}) as response,
    ):
        await response.read()
        assert response.status >= 500
        assert durations(response.headers["server-timing"])["ttfb"] > 0
        assert "server-timing" in response.headers["access-control-expose-headers"]
