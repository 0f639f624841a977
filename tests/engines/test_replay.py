"""From an upstream's answer to a recording and back: the same events, without the upstream."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest
import structlog

from rixin.clock import SystemClock
from rixin.core.events import Event, Text
from rixin.core.redaction import Redactor
from rixin.core.requests import Generate
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.base import Batch, Engine, Lists
from rixin.engines.recorder import Recorder
from rixin.engines.recordings import load_all
from rixin.engines.replay import Replay
from rixin.engines.trace import Keeping, Trace
from rixin.errors import Kind, RixinError
from tests.engines.chat import CARD, chat, streaming
from tests.engines.test_remote import engine_at
from tests.support.hang import HANG
from tests.upstreams.scripted import (
    DONE,
    Cut,
    Reply,
    Request,
    Reset,
    ScriptedUpstream,
    answer,
    completion,
    completion_chunk,
    completion_events,
    event,
    stream,
)

DIALECTS = {DIALECT.name: DIALECT}
assert DIALECT.upstream is not None
BUILD_BODY = DIALECT.upstream.build_body


async def events_of(engine: Engine, request: Generate) -> tuple[list[Event], tuple[Kind, str, float | None] | None]:
    """The events of an answer, and how it broke."""
    events: list[Event] = []
    try:
        async with asyncio.timeout(HANG), aclosing(engine.stream(request)) as batches:
            async for batch in batches:
                events += batch.events
    except RixinError as error:
        return events, (error.kind, error.message, error.retry_after)
    return events, None


async def record(
    directory: Path, reply: Reply | Callable[[Request], Reply], requests: Sequence[Generate]
) -> list[tuple[list[Event], tuple[Kind, str, float | None] | None]]:
    """Records the answers to requests, one after the other; gives what they were."""
    clock = SystemClock()
    recorder = Recorder(directory, BUILD_BODY, Redactor(), clock)
    answers: list[tuple[list[Event], tuple[Kind, str, float | None] | None]] = []
    async with ScriptedUpstream(reply) as upstream:
        engine = engine_at(upstream.url)
        for request in requests:
            trace = Trace(clock, clock.monotonic(), Keeping(answers=True))
            answers.append(await events_of(engine, msgspec.structs.replace(request, observer=trace)))
            recorder.keep(request, trace)
        await engine.aclose()
    await recorder.aclose()
    return answers


def replay(directory: Path) -> Replay:
    """The engine of a directory."""
    return Replay.open("replay", directory, DIALECTS, BUILD_BODY, also=("local",))


TOOL_CALLS = [
    completion_chunk({"role": "assistant", "tool_calls": [
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
    completion_chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]}),
    completion_chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"Paris"}'}}]}),
    completion_chunk({}, "tool_calls"),
]  # fmt: skip


@pytest.mark.parametrize("request_stream", [True, False])
@pytest.mark.parametrize(
    "reply",
    [
        stream([*completion_events(), DONE]),
        stream([*TOOL_CALLS, DONE]),
        stream([b": hello\n\n", *completion_events()]),
        answer(completion()),
        answer(json.dumps({"error": {"message": "No.", "code": "3"}}), status=400),
        answer("{}", status=429, retry_after="7"),
        answer("<html><title>Bad gateway</title>", status=502, content_type="text/html"),
        answer("<html><title>Hello</title>", content_type="text/html"),
        answer("{", content_type="application/json"),
        stream(completion_events()[:2]),
        stream(completion_events()[:2], end=Cut()),
        stream([*completion_events()[:2], event({"error": {"message": "Overloaded"}})]),
        answer(""),
    ],
    ids=["sse", "tools", "no-done", "json", "400", "429", "502", "page", "half", "early-end", "cut", "error", "empty"],
)
async def test_an_answer_is_replayed_as_it_was(tmp_path: Path, reply: Reply, request_stream: bool) -> None:
    """The same events in the same order, and the same error where there was one."""
    request = streaming() if request_stream else chat()
    (before,) = await record(tmp_path, reply, [request])
    after = await events_of(replay(tmp_path), request)
    if request_stream or before[1] is None:  # of a whole answer that broke nobody is given anything
        assert after[0] == before[0]
    assert (after[1] is None) == (before[1] is None)
    if before[1] is not None and after[1] is not None:
        # How a connection ended is not recorded: it has ended.
        assert after[1][0] == before[1][0]
        assert after[1][2] == before[1][2]


async def test_a_stream_is_replayed_event_by_event(tmp_path: Path) -> None:
    """However the upstream's writes were read."""
    await record(tmp_path, stream([b"".join(completion_events(list("abcdef"))), DONE]), [streaming()])
    batches: list[Batch] = [batch async for batch in replay(tmp_path).stream(streaming())]
    texts = [[event.text for event in batch.events if isinstance(event, Text)] for batch in batches]
    assert [text for text in texts if text] == [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]


async def test_a_stream_answers_who_asked_for_a_whole(tmp_path: Path) -> None:
    """How an answer is sent is not part of what is asked."""
    (before,) = await record(tmp_path, stream([*completion_events(), DONE]), [streaming()])
    assert await events_of(replay(tmp_path), chat(temperature=0)) == before


async def test_repeated_requests_are_given_what_came_next(tmp_path: Path) -> None:
    """In the order in which it was recorded, then the last again and again; other requests do not disturb."""
    count = iter(range(10))

    def reply(_request: Request) -> Reply:
        return answer(completion(f"answer {next(count)}"))

    other = chat(messages=[{"role": "user", "content": "Else?"}])
    before = await record(tmp_path, reply, [chat(), chat(), other, chat()])
    engine = replay(tmp_path)
    expected = [before[0], before[1], before[3], before[3], before[3]]
    for wanted in expected:
        assert await events_of(engine, chat()) == wanted
        assert await events_of(engine, other) == before[2]


async def test_a_miss_names_the_nearest_and_the_first_difference(tmp_path: Path) -> None:
    """So that whoever reads it knows what changed."""
    hello, bye = (chat(messages=[{"role": "user", "content": text}]) for text in ("Hello there", "Good bye"))
    await record(tmp_path, answer(completion()), [hello, bye])
    near = load_all(tmp_path)[0].name
    events, error = await events_of(replay(tmp_path), chat(messages=[{"role": "user", "content": "Hello here"}]))
    assert events == []
    assert error is not None
    assert error[0] is Kind.NOT_FOUND
    assert error[1] == (
        f"no recording fits this request. The nearest is {near}, and messages[0].content is recorded as "
        "`Hello there`, asked as `Hello here`."
    )


async def test_secrets_do_not_part_equal_requests(tmp_path: Path) -> None:
    """What is asked is redacted before it is compared, and no file holds what was hidden."""
    secret, image = "sk-0123456789abcdef0123", "data:image/png;base64," + "iVBORw0KGgo" * 40
    parts = [{"type": "text", "text": f"My key {secret}"}, {"type": "image_url", "image_url": {"url": image}}]
    card = msgspec.structs.replace(CARD, input_modalities=("text", "image"))
    request = chat(card, messages=[{"role": "user", "content": parts}])
    words = ["Yours is sk-01234", "56789abcdef", "0123."]
    await record(tmp_path, stream([*completion_events(words), DONE]), [request])
    for path in tmp_path.rglob("*.*"):
        if path.is_file():
            text = path.read_text()
            assert "sk-0" not in text
            assert "0123." not in text
            assert "iVBOR" not in text
    events, error = await events_of(replay(tmp_path), request)
    assert error is None
    assert "".join(event.text for event in events if isinstance(event, Text)) == "Yours is [redacted]."


async def test_it_answers_for_every_name_that_was_asked_for(tmp_path: Path) -> None:
    """An alias and the model that it stood for, and whatever else nobody else shall answer for."""
    alias = msgspec.structs.replace(CARD, name="claude-x")
    (before,) = await record(tmp_path, answer(completion()), [chat(alias)])
    engine = replay(tmp_path)
    assert isinstance(engine, Lists)
    assert [model.name for model in await engine.models()] == ["claude-x", "scripted", "local"]
    prefixed = msgspec.structs.replace(CARD, name="replay/scripted")
    for card in (alias, CARD, prefixed):
        assert await events_of(engine, chat(card)) == before


async def test_a_bare_prompt_is_recorded_too(tmp_path: Path) -> None:
    """Text completions have their own form."""
    request = msgspec.structs.replace(chat(), prompt="Once upon", messages=(), origin=None)
    reply = answer(json.dumps({"id": "1", "created": 1, "model": "scripted", "choices": [
        {"index": 0, "text": " a time", "finish_reason": "stop"}]}))  # fmt: skip
    (before,) = await record(tmp_path, reply, [request])
    engine = replay(tmp_path)
    assert await events_of(engine, request) == before
    _, error = await events_of(engine, msgspec.structs.replace(request, prompt="Twice upon"))
    assert error is not None
    assert "prompt is recorded as `Once upon`" in error[1]


async def test_a_replayed_call_is_seen_like_any_other(tmp_path: Path) -> None:
    """The request log tells of it."""
    await record(tmp_path, answer("{}", status=500), [chat()])
    clock = SystemClock()
    trace = Trace(clock, clock.monotonic(), Keeping(bodies=True))
    await events_of(replay(tmp_path), msgspec.structs.replace(chat(), observer=trace))
    (attempt,) = trace.attempts
    assert (attempt.engine, attempt.status, attempt.answer) == ("replay", 500, b"{}\n")
    assert attempt.error is not None
    assert attempt.ended is not None


async def test_what_has_no_answer_is_not_recorded(tmp_path: Path) -> None:
    """Neither a call that reached nobody, nor one whose client left."""
    await record(tmp_path, [Reset()], [chat()])
    clock = SystemClock()
    recorder = Recorder(tmp_path, BUILD_BODY, Redactor(), clock)
    left = Trace(clock, clock.monotonic(), Keeping(answers=True))
    async with ScriptedUpstream(stream([*completion_events(), DONE])) as upstream:
        engine = engine_at(upstream.url)
        async with aclosing(engine.stream(msgspec.structs.replace(streaming(), observer=left))) as batches:
            async for _ in batches:
                break
        await engine.aclose()
    recorder.keep(chat(), left)
    recorder.keep(chat(), Trace(clock, clock.monotonic()))
    await recorder.aclose()
    assert list(tmp_path.iterdir()) == []


async def test_a_disk_that_fails_is_told_and_costs_no_answer(tmp_path: Path) -> None:
    """What cannot be written is counted, with an error in the log."""
    clock = SystemClock()
    directory = tmp_path / "recordings"
    recorder = Recorder(directory, BUILD_BODY, Redactor(), clock)
    directory.rmdir()
    directory.touch()
    trace = Trace(clock, clock.monotonic(), Keeping(answers=True))
    attempt = trace.on_attempt("up", "openai_chat", "m", b"{}")
    attempt.on_answer(200, {})
    attempt.on_end(None)
    with structlog.testing.capture_logs() as logs:
        recorder.keep(chat(), trace)
        await recorder.aclose()
    assert recorder.lost == 1
    assert [(entry["log_level"], entry["lost_since_start"]) for entry in logs] == [("error", 1)]


async def test_a_recording_in_an_unknown_dialect_is_refused(tmp_path: Path) -> None:
    """At the start, by its name."""
    await record(tmp_path, answer(completion()), [chat()])
    (meta,) = tmp_path.rglob("meta.json")
    meta.write_text(meta.read_text().replace("openai_chat", "klingon"))
    with pytest.raises(RixinError) as caught:
        replay(tmp_path)
    assert caught.value.kind is Kind.CONFIGURATION
    assert "klingon" in caught.value.message
