"""What is known of a request's calls, from a real engine before a real HTTP server."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import msgspec
import pytest

from rixin.clock import SystemClock
from rixin.core.requests import Generate
from rixin.engines.trace import Attempt, Keeping, Trace
from rixin.errors import Kind, RixinError
from tests.engines.chat import chat, streaming
from tests.engines.test_remote import GOLDEN, engine_at
from tests.support.hang import HANG
from tests.upstreams.scripted import (
    DONE,
    Cut,
    Reply,
    Request,
    Reset,
    ScriptedUpstream,
    Stall,
    answer,
    completion_events,
    stream,
)

ALL = Keeping(bodies=True, answers=True)


async def traced(
    reply: Reply | Callable[[Request], Reply], keeping: Keeping, *, times: int = 1, request: Generate | None = None
) -> tuple[Trace, ScriptedUpstream]:
    """The trace of a request that is sent some times, however it ends."""
    clock = SystemClock()
    trace = Trace(clock, clock.monotonic(), keeping)
    request = msgspec.structs.replace(streaming() if request is None else request, observer=trace)
    async with ScriptedUpstream(reply) as upstream, asyncio.timeout(HANG):
        engine = engine_at(upstream.url)
        for _ in range(times):
            try:
                async with aclosing(engine.stream(request)) as batches:
                    async for _batch in batches:
                        pass
            except RixinError:
                continue
        await engine.aclose()
    return trace, upstream


def told(attempt: Attempt) -> tuple[int | None, Kind | None, bytes]:
    """How a call ended."""
    return attempt.status, attempt.error, attempt.answer


async def test_a_call_is_told_from_its_body_to_its_end() -> None:
    """Who was asked for what, with exactly which body, what came back, and when, in that order."""
    trace, upstream = await traced(stream([*completion_events(), DONE]), ALL)
    (attempt,) = trace.attempts
    assert (attempt.engine, attempt.dialect, attempt.model) == ("up", "openai_chat", "scripted")
    assert attempt.body == upstream.requests[0].body
    assert told(attempt) == (200, None, GOLDEN)
    assert attempt.answered is not None
    assert attempt.ended is not None
    assert 0 <= attempt.began <= attempt.answered <= attempt.ended


@pytest.mark.parametrize(
    ("reply", "status", "error", "said"),
    [
        (answer('{"error":"no"}', status=400), 400, Kind.INVALID_REQUEST, b'{"error":"no"}'),
        (answer('{"error":"slow"}', status=429), 429, Kind.RATE_LIMITED, b'{"error":"slow"}'),
        (answer("<html>no", content_type="text/html"), 200, Kind.UPSTREAM_INVALID, b"<html>no"),
        (stream([completion_events()[1]]), 200, Kind.UPSTREAM_INTERRUPTED, completion_events()[1]),
        (stream([completion_events()[1]], end=Cut()), 200, Kind.UPSTREAM_INTERRUPTED, completion_events()[1]),
        (stream([completion_events()[1]], end=Stall()), 200, Kind.UPSTREAM_TIMEOUT, completion_events()[1]),
        ([Reset()], None, Kind.UPSTREAM_INTERRUPTED, b""),
        ([Stall()], None, Kind.UPSTREAM_TIMEOUT, b""),
    ],
)
async def test_how_a_call_failed_is_told(reply: Reply, status: int | None, error: Kind, said: bytes) -> None:
    """With the status, where there was one, the kind of error, and what came before it."""
    trace, _ = await traced(reply, ALL)
    (attempt,) = trace.attempts
    assert told(attempt) == (status, error, said)
    assert attempt.ended is not None


async def test_nobody_there_is_told() -> None:
    """A call that found no connection has an end and no answer."""
    clock = SystemClock()
    trace = Trace(clock, clock.monotonic())
    engine = engine_at("http://127.0.0.1:1/v1")
    with pytest.raises(RixinError):
        async for _ in engine.stream(msgspec.structs.replace(chat(), observer=trace)):
            pass
    await engine.aclose()
    (attempt,) = trace.attempts
    assert told(attempt) == (None, Kind.UPSTREAM_UNREACHABLE, b"")


async def test_a_client_that_leaves_is_told() -> None:
    """A stream that is given up is cancelled, and is no failure of the upstream."""
    clock = SystemClock()
    trace = Trace(clock, clock.monotonic(), ALL)
    async with ScriptedUpstream(stream([*completion_events()[:2], Stall()])) as upstream, asyncio.timeout(HANG):
        engine = engine_at(upstream.url)
        async with aclosing(engine.stream(msgspec.structs.replace(streaming(), observer=trace))) as batches:
            async for batch in batches:
                if batch.events:
                    break
        await engine.aclose()
    (attempt,) = trace.attempts
    assert (attempt.status, attempt.error) == (200, Kind.CANCELLED)


async def test_calls_come_in_their_order() -> None:
    """Each call has its own end."""
    replies = iter([answer("{}", status=500), stream([*completion_events(), DONE])])
    trace, _ = await traced(lambda _request: next(replies), ALL, times=2)
    assert [attempt.status for attempt in trace.attempts] == [500, 200]
    first, second = trace.attempts
    assert first.ended is not None
    assert first.ended <= second.began


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"x_request_id": "req-1", "cf_ray": "ray"}, "req-1"),
        ({"request_id": "r" * 500}, "r" * 128),
        ({"cf_ray": "ray"}, "ray"),
        ({}, None),
    ],
)
async def test_the_upstreams_own_id_is_kept(headers: dict[str, str], found: str | None) -> None:
    """By it an upstream's operator finds the request again."""
    trace, _ = await traced(answer("{}", status=500, **headers), Keeping())
    assert trace.attempts[0].upstream_id == found


async def test_only_what_is_wanted_is_kept() -> None:
    """No bodies unless somebody keeps them; of answers the beginning, unless somebody wants all."""
    reply = stream([*completion_events(), DONE])
    (nothing,) = (await traced(reply, Keeping()))[0].attempts
    assert (nothing.body, nothing.answer) == (b"", b"")
    (some,) = (await traced(reply, Keeping(bodies=True, beginning=30)))[0].attempts
    assert some.body
    assert GOLDEN.startswith(some.beginning)
    assert 10 < len(some.beginning) <= 30
    (answers,) = (await traced(reply, Keeping(answers=True, beginning=30)))[0].attempts
    assert (answers.body, answers.answer) == (b"", GOLDEN)


async def test_a_beginning_holds_no_part_of_a_credential() -> None:
    """A word that is cut is left out: its first characters would not be known for what they are."""
    said = b'{"error": "wrong key sk-0123456789abcdef"}'
    for size in range(len(said) + 1):
        (attempt,) = (await traced(answer(said, status=400), Keeping(bodies=True, beginning=size)))[0].attempts
        assert said.startswith(attempt.beginning)
        assert size == len(said) or b"sk-0" not in attempt.beginning or attempt.beginning.endswith(b'"')


async def test_a_request_that_nobody_watches_costs_nothing() -> None:
    """Without an observer an engine's own transport is used."""
    async with ScriptedUpstream(stream([*completion_events(), DONE])) as upstream:
        engine = engine_at(upstream.url)
        assert [batch async for batch in engine.stream(streaming())]
        await engine.aclose()


async def test_bodies_are_told_as_they_are_sent() -> None:
    """Whoever listens hears the exact body before the call is made."""
    heard: list[tuple[str, bytes]] = []
    clock = SystemClock()
    trace = Trace(clock, clock.monotonic(), tell=lambda engine, body: heard.append((engine, body)))
    async with ScriptedUpstream(stream([*completion_events(), DONE])) as upstream:
        engine = engine_at(upstream.url)
        async for _ in engine.stream(msgspec.structs.replace(streaming(), observer=trace)):
            pass
        await engine.aclose()
    assert heard == [("up", upstream.requests[0].body)]


async def test_a_call_carries_what_its_request_is_part_of() -> None:
    """Headers of whoever follows the calls reach the upstream, beside those that it always gets."""

    class Following:
        def called(self, attempt: Attempt) -> dict[str, str]:
            return {"x-part": f"{attempt.engine}/{attempt.model}"}

    clock = SystemClock()
    trace = Trace(clock, clock.monotonic(), spans=Following())
    request = msgspec.structs.replace(streaming(), observer=trace)
    async with ScriptedUpstream(stream([*completion_events(), DONE])) as upstream, asyncio.timeout(HANG):
        engine = engine_at(upstream.url)
        async with aclosing(engine.stream(request)) as batches:
            async for _ in batches:
                pass
        await engine.aclose()
    [asked] = upstream.requests
    assert asked.headers["x-part"] == "up/scripted"
    assert asked.headers["accept"] == "text/event-stream"


def test_waits_are_told_by_their_names() -> None:
    """Each one by its times since the arrival; together they say what the request waited for. A moment is no wait."""
    clock = SystemClock()
    trace = Trace(clock, 100.0)
    trace.on_phase("queue", 100.5, 101.0)
    trace.on_phase("media", 101.0, 101.00001)
    trace.on_phase("queue", 102.0, 102.25)
    assert [(phase.name, phase.began, phase.ended) for phase in trace.phases] == [
        ("queue", 500.0, 1000.0),
        ("queue", 2000.0, 2250.0),
    ]
    assert trace.times() == {"queue": 750.0}
