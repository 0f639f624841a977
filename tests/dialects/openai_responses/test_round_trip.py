"""The writer and the reader are each other's inverse, alone and crossed with the other dialects."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rixin.core.events import Annotation, Event, Finish, FinishReason, Reasoning, Refusal, Start, Text
from rixin.core.messages import Opaque, ToolCall
from rixin.core.requests import Generate
from rixin.core.responses import Response, collect
from rixin.core.usage import Usage
from rixin.dialects.anthropic import DIALECT as MESSAGES
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.dialects.openai_chat.reader import ChatReader
from rixin.dialects.openai_responses import DIALECT
from rixin.dialects.openai_responses.tools import wrap_input
from rixin.dialects.openai_responses.upstream import ResponsesReader, read_response
from rixin.errors import Kind, RixinError
from tests.dialects.anthropic.asking import ask as ask_messages
from tests.dialects.anthropic.streams import streams as message_streams
from tests.dialects.openai_chat.test_round_trip import LOGPROBS, NAMES, WORDS, calls
from tests.dialects.openai_responses.asking import ask, fresh_stamp
from tests.dialects.support import STAMP, ask_chat


def search(identity: str) -> Opaque:
    """An item that only this dialect knows."""
    return Opaque(
        dialect="openai_responses", kind="output_item", value={"type": "web_search_call", "id": identity}, choice=0
    )


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """A stream of one choice by the grammar of `core.events`."""
    events: list[Event] = [Start(id="resp_1", created=STAMP.created, model="up-model")]
    made = 0
    for kind in draw(st.lists(st.sampled_from("treaoc"), max_size=8)):
        match kind:
            case "t":
                events.append(Text(text=draw(WORDS), logprobs=draw(LOGPROBS)))
            case "r":
                events.append(Reasoning(text=draw(WORDS)))
                if draw(st.booleans()):
                    events.append(Reasoning(signature=draw(NAMES)))
            case "e":
                events.append(Refusal(text=draw(WORDS)))
            case "a":
                events.append(Annotation(value={"type": "url_citation", "url": draw(WORDS)}))
            case "o":
                events.append(search(draw(NAMES)))
            case _:
                events += draw(calls(0, made))
                made += 1
    reasons: list[FinishReason] = ["length", "content_filter", "tool_calls" if made else "stop"]
    counts = st.integers(0, 10**6)
    prompt, completion = draw(counts), draw(counts)
    usage = Usage(
        prompt=prompt,
        completion=completion,
        cached=draw(st.integers(0, prompt)),
        reasoning=draw(st.integers(0, completion)),
    )
    return [*events, Finish(reason=draw(st.sampled_from(reasons))), usage]


def cut(stream: bytes, data: st.DataObject) -> list[bytes]:
    """A stream in pieces."""
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=5)))
    return [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]


def read(pieces: Iterable[bytes], reader: Any = None) -> Response:
    """What a stream amounts to."""
    reader = reader or ResponsesReader()
    events = [event for piece in pieces for event in reader.feed(piece)]
    return collect([*events, *reader.eof()])


def written(request: Generate, events: list[Event], data: st.DataObject) -> bytes:
    """A stream whose events came in two batches, with a sign of life between them."""
    writer, place = DIALECT.writer(request, fresh_stamp()), data.draw(st.integers(0, len(events)))
    return writer.feed(events[:place]) + writer.keep_alive() + writer.feed(events[place:]) + writer.close()


REQUESTS = st.sampled_from([ask(stream=True), ask(stream=True, reasoning={"summary": "auto"})])
MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(streams(), REQUESTS, st.data())
def test_reading_undoes_writing(events: list[Event], request: Generate, data: st.DataObject) -> None:
    """A stream that is written, cut anywhere and read again amounts to the same answer."""
    stream = written(request, events, data)
    assert read(cut(stream, data)) == collect(events)
    assert read_response(stream) == collect(events)


@MANY
@given(streams(), REQUESTS)
def test_a_whole_answer_keeps_all(events: list[Event], request: Generate) -> None:
    """Rendered whole and read again, it is the same, but for where a citation stands and what stands beside words."""
    response = collect(events)
    body = read_response(DIALECT.render_response(response, request, fresh_stamp()))
    mine, theirs = response.choices[0], body.choices[0]
    assert (body.usage, body.opaque) == (response.usage, response.opaque)
    assert (theirs.parts, theirs.finish_reason, theirs.annotations) == (
        mine.parts,
        mine.finish_reason,
        mine.annotations,
    )


CUSTOM = ask(stream=True, tools=[{"type": "custom", "name": "patch"}, {"type": "local_shell"}])


@MANY
@given(WORDS, st.data())
def test_r2_custom_calls_survive_the_way_there_and_back(text: str, data: st.DataObject) -> None:
    """Whatever a model wraps reaches the client bare, is replayed, and is wrapped as it was."""
    events = collect_events(wrap_input(text))
    stream = written(CUSTOM, events, data)
    (call,) = read(cut(stream, data)).choices[0].tool_calls
    assert call == ToolCall(id="c1", name="patch", arguments=text, kind="custom")
    replay = {"type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": call.arguments}
    (part,) = ask(tools=[{"type": "custom", "name": "patch"}], input=[replay]).messages[0].parts
    assert part == ToolCall(id="c1", name="patch", arguments=wrap_input(text))


def collect_events(arguments: str) -> list[Event]:
    """A call of `patch`, as a Chat upstream makes it."""
    chunk = {
        "id": "x",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "delta": {
                    "tool_calls": [{"index": 0, "id": "c1", "function": {"name": "patch", "arguments": arguments}}]
                },
            }
        ],
    }
    reader = ChatReader()
    return [*reader.feed(b"data: " + msgspec.json.encode(chunk) + b"\n\n"), *reader.eof()]


def told(response: Response) -> tuple[object, ...]:
    """What both dialects have words for: Chat keeps the order only among parts of a kind."""
    choice = response.choices[0]
    return (choice.text, choice.reasoning, choice.tool_calls, choice.finish_reason, choice.annotations, response.usage)


@MANY
@given(streams(), st.data())
def test_crossed_with_chat(events: list[Event], data: st.DataObject) -> None:
    """What a Chat upstream streams, a client of Responses is told; and the other way round."""
    chat = CHAT.writer(ask_chat(stream=True, stream_options={"include_usage": True}), STAMP)
    theirs = chat.feed(events) + chat.close()
    reader = ChatReader()
    received = [event for piece in cut(theirs, data) for event in reader.feed(piece)] + reader.eof()
    assert told(read([written(ask(stream=True), received, data)])) == told(collect(events))

    responses = ResponsesReader()
    ours = written(ask(stream=True), events, data)
    received = [event for piece in cut(ours, data) for event in responses.feed(piece)] + responses.eof()
    chat = CHAT.writer(ask_chat(stream=True, stream_options={"include_usage": True}), STAMP)
    assert told(read([chat.feed(received) + chat.close()], ChatReader())) == told(collect(events))


def parts(response: Response) -> tuple[object, ...]:
    """What this dialect and Messages both keep, order included. A full window is a length here."""
    choice = response.choices[0]
    reason = "length" if choice.finish_reason == "context" else choice.finish_reason
    return (choice.parts, reason, response.usage)


@MANY
@given(message_streams("tr"), st.data())
def test_crossed_with_messages(events: list[Event], data: st.DataObject) -> None:
    """What an upstream of Messages streams, a client of Responses is told; and the other way round.

    Words and thoughts come while calls are open.
    """
    messages = MESSAGES.writer(ask_messages(max_tokens=9, stream=True), STAMP)
    theirs = messages.feed(events) + messages.close()
    assert MESSAGES.upstream is not None
    reader = MESSAGES.upstream.reader()
    received = [event for piece in cut(theirs, data) for event in reader.feed(piece)] + reader.eof()
    assert parts(read([written(ask(stream=True), received, data)])) == parts(collect(received))

    responses = ResponsesReader()
    ours = written(ask(stream=True), events, data)
    received = [event for piece in cut(ours, data) for event in responses.feed(piece)] + responses.eof()
    assert parts(collect(received)) == parts(collect(events))
    messages = MESSAGES.writer(ask_messages(max_tokens=9, stream=True), STAMP)
    told_again = read([messages.feed(received) + messages.close()], MESSAGES.upstream.reader())
    assert told(told_again)[:4] == told(collect(received))[:4]


@settings(max_examples=60, deadline=None)
@given(streams())
def test_a_stream_cut_at_any_byte_never_ends_cleanly(events: list[Event]) -> None:
    """Before its last event it is broken, and may be tried again."""
    writer = DIALECT.writer(ask(stream=True), fresh_stamp())
    stream = writer.feed(events)
    end = len(stream)
    stream += writer.close()
    for place in range(0, len(stream), 7):
        if place <= end:
            with pytest.raises(RixinError) as caught:
                read([stream[:place]])
            assert caught.value.retryable
            continue
        # In the last event itself only its final bytes decide.
        with suppress(RixinError):
            assert read([stream[:place]]) == collect(events)


@settings(max_examples=60, deadline=None)
@given(streams(), st.integers(0, 10**9))
def test_a_stream_that_fails_never_looks_whole(events: list[Event], place: int) -> None:
    """After `fail` there is no `[DONE]`, and a reader raises the error however much was finished."""
    writer = DIALECT.writer(ask(stream=True), fresh_stamp())
    stream = writer.feed(events[: place % len(events)])
    stream += writer.fail(RixinError(Kind.UPSTREAM_INTERRUPTED, "It broke."))
    assert b"[DONE]" not in stream
    with pytest.raises(RixinError, match=r"It broke\.") as caught:
        read([stream])
    assert caught.value.retryable
