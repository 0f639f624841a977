"""Streams and whole answers as a client is sent them; rows G2, G3 and G5 of the agents' hard cases."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rixin.core.events import Event, Finish, FinishReason, Reasoning, Refusal, Start, Text, ToolArguments, ToolEnd
from rixin.core.events import ToolStart as Call
from rixin.core.requests import Generate
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.base import Typed
from rixin.dialects.gemini import DIALECT
from rixin.errors import Kind, RixinError
from tests.dialects.anthropic.streams import streams
from tests.dialects.gemini.asking import stream
from tests.dialects.gemini.client import BrokenError, Heard, finished, hear, read_array, read_events
from tests.dialects.support import STAMP

START = Start(id="up", created=1, model="m")
DONE = Finish(reason="stop")
ENOUGH = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
READERS = {"sse": read_events, "json": read_array}
ALT = pytest.mark.parametrize("alt", READERS)
BUSY = RixinError(Kind.OVERLOADED, "Busy.", retry_after=2.5)


def calling(index: int, name: str = "f", arguments: str = "{}") -> list[Event]:
    """A whole call."""
    return [
        Call(index=index, id=f"call_{index}", name=name),
        ToolArguments(index=index, text=arguments),
        ToolEnd(index=index),
    ]


def write(request: Generate, *events: Event) -> bytes:
    """A whole stream."""
    writer = DIALECT.writer(request, STAMP)
    return writer.feed([START, *events]) + writer.close()


def told(*events: Event, thoughts: bool = True) -> list[dict[str, Any]]:
    """The parts of the first candidate of a stream; those of a whole answer must be the same."""
    [heard] = hear(read_events(write(stream(thoughts=thoughts), *events))).values()
    assert heard == whole(*events, thoughts=thoughts)
    return heard.parts


def whole(*events: Event, thoughts: bool = True) -> Heard:
    """The first candidate of the whole answer that the events amount to."""
    return hear([answer(*events, thoughts=thoughts)])[0]


def answer(*events: Event, thoughts: bool = True) -> dict[str, Any]:
    """The whole answer that the events amount to."""
    return json.loads(DIALECT.render_response(collect([START, *events]), stream(thoughts=thoughts), STAMP))


def test_g1_each_chunk_looks_like_an_answer() -> None:
    """It has candidates, the model's name and the answer's id; the last has the reason and the counts."""
    first, last = read_events(write(stream(), Text(text="Hello"), DONE, Usage(prompt=7, completion=2)))
    common = {"modelVersion": "up-model", "responseId": "1"}
    content = {"parts": [{"text": "Hello"}], "role": "model"}
    assert first == {"candidates": [{"content": content, "index": 0}], **common}
    assert last == {
        "candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, "index": 0, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9},
        **common,
    }


def test_g1_a_stream_is_one_array_unless_events_are_asked_for() -> None:
    """The chunks are the same, and the kind of the stream says which form it has."""
    events: list[Event] = [Text(text="a"), Text(text="b"), *calling(0), DONE]
    as_events, as_array = stream("sse"), stream("json")
    assert read_array(write(as_array, *events)) == read_events(write(as_events, *events))
    kinds = [DIALECT.writer(request, STAMP) for request in (as_events, as_array)]
    assert [writer.content_type for writer in kinds if isinstance(writer, Typed)] == [
        "text/event-stream; charset=utf-8",
        "application/json",
    ]


@ALT
def test_g1_a_silent_stream_is_kept_alive_by_blank_space(alt: str) -> None:
    """Google's SDKs would take a comment for data; it may come before, between and after all chunks but the last."""
    writer = DIALECT.writer(stream(alt), STAMP)
    events: list[Event] = [START, Text(text="a"), Text(text="b"), DONE]
    written = b"".join(writer.keep_alive() + writer.feed([event]) for event in events)
    chunks = READERS[alt](written + writer.keep_alive() + writer.close())
    assert hear(chunks)[0].parts == [{"text": "ab"}]


def test_g1_no_line_of_a_stream_ends_early() -> None:
    """Google's SDK for JavaScript ends a line at U+2028 and U+2029 as well."""
    assert told(Text(text="a\u2028b\u2029c\n\nd"), DONE) == [{"text": "a\u2028b\u2029c\n\nd"}]


def test_g2_calls_have_ids_and_whole_arguments() -> None:
    """A call is told when it is complete, also when two come beside each other."""
    events: list[Event] = [
        Call(index=0, id="a", name="f"),
        Call(index=1, id="b", name="g"),
        ToolArguments(index=1, text='{"y":'),
        ToolArguments(index=0, text='{"x":1}'),
        ToolEnd(index=0),
        ToolArguments(index=1, text="2}"),
        Finish(reason="tool_calls"),
    ]
    assert told(*events) == [
        {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}},
        {"functionCall": {"id": "b", "name": "g", "args": {"y": 2}}},
    ]


def test_g2_arguments_that_are_no_object_are_kept_under_a_name() -> None:
    """`args` is an object; nothing is lost of what is none."""
    [part] = told(*calling(0, arguments='{"x": '), DONE)
    assert part["functionCall"]["args"] == {"_raw": '{"x": '}


def test_g3_a_signature_comes_with_the_part_after_its_thought() -> None:
    """On the first of several calls, or on the words that follow."""
    signed: list[Event] = [Reasoning(text="Hm"), Reasoning(signature="s")]
    hidden = told(*signed, *calling(0), *calling(1), DONE, thoughts=False)
    assert [part.get("thoughtSignature") for part in hidden] == ["s", None]
    assert told(*signed, Text(text="a"), Text(text="b"), DONE) == [
        {"text": "Hm", "thought": True},
        {"text": "ab", "thoughtSignature": "s"},
    ]


def test_g3_no_signature_is_lost() -> None:
    """Where no part follows its thought, it comes with a text that is empty."""
    events: list[Event] = [
        Reasoning(text="a"),
        Reasoning(signature="s1"),
        Reasoning(text="b"),
        Reasoning(signature="s2"),
    ]
    assert told(*events, DONE, thoughts=False) == [
        {"text": "", "thoughtSignature": "s1"},
        {"text": "", "thoughtSignature": "s2"},
    ]


def test_g5_thoughts_are_shown_to_who_asks_for_them() -> None:
    """And to nobody else; they are counted in any case."""
    events: list[Event] = [Reasoning(text="Hm"), Text(text="Yes"), DONE]
    assert told(*events) == [{"text": "Hm", "thought": True}, {"text": "Yes"}]
    assert told(*events, thoughts=False) == [{"text": "Yes"}]


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "STOP"),
        ("length", "MAX_TOKENS"),
        ("tool_calls", "STOP"),
        ("content_filter", "SAFETY"),
        ("context", "MAX_TOKENS"),
    ],
)
def test_g5_each_finish_reason_has_its_word(reason: FinishReason, word: str) -> None:
    """Streamed and whole."""
    finish = Finish(reason=reason)
    heard = hear(read_events(write(stream(), Text(text="a"), finish)))
    assert heard[0].finish == whole(Text(text="a"), finish).finish == word


def test_g5_a_refusal_is_told_as_one() -> None:
    """Its words are text, and the finish reason says what they are."""
    heard = whole(Refusal(text="No."), DONE)
    assert (heard.parts, heard.finish) == ([{"text": "No."}], "SAFETY")
    assert told(Refusal(text="No."), DONE) == heard.parts


def test_g5_usage_tells_thoughts_and_what_a_cache_knew() -> None:
    """Thoughts are counted beside the candidates, and the total is the sum of all but the cache."""
    usage = Usage(prompt=100, completion=20, cached=60, reasoning=5, knowledge=3)
    expected = {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 60,
        "candidatesTokenCount": 15,
        "thoughtsTokenCount": 5,
        "toolUsePromptTokenCount": 3,
        "totalTokenCount": 123,
    }
    events: list[Event] = [Text(text="a"), DONE, usage]
    assert read_events(write(stream(), *events))[-1]["usageMetadata"] == expected
    assert answer(*events)["usageMetadata"] == expected


def test_g5_usage_is_never_missing() -> None:
    """Where nobody counted, it is an estimate."""
    events: list[Event] = [Reasoning(text="some thought"), Text(text="some words"), *calling(0), DONE]
    for counts in (read_events(write(stream(), *events))[-1]["usageMetadata"], answer(*events)["usageMetadata"]):
        assert counts["promptTokenCount"] > 0
        assert counts["candidatesTokenCount"] > 4


def test_every_choice_is_a_candidate() -> None:
    """Each with an index and a finish reason of its own."""
    events: list[Event] = [
        Text(text="a"),
        Text(text="b", choice=1),
        Finish(reason="length", choice=1),
        Text(text="c"),
        DONE,
    ]
    heard = hear(read_events(write(stream(), *events)))
    assert heard == hear([answer(*events)])
    assert {index: (one.parts, one.finish) for index, one in heard.items()} == {
        0: ([{"text": "ac"}], "STOP"),
        1: ([{"text": "b"}], "MAX_TOKENS"),
    }


def test_a_count_is_one_number() -> None:
    """The answer to `countTokens`."""
    assert DIALECT.render_count is not None
    assert DIALECT.render_count(42, STAMP) == b'{"totalTokens":42}'


@ALT
def test_a_stream_without_finish_is_not_closed(alt: str) -> None:
    """Whoever closes it too early is sent an error, as for a candidate that never ended."""
    for events in ([], [Text(text="a")], [Text(text="a"), DONE, Text(text="b", choice=1)]):
        with pytest.raises(BrokenError, match="broke off"):
            READERS[alt](write(stream(alt), *events))


@ALT
def test_a_failure_is_told_as_google_does_and_is_the_end(alt: str) -> None:
    """Bare in an event stream, where SDKs look for it; the last entry of an array. A call that is open is not told."""
    writer = DIALECT.writer(stream(alt), STAMP)
    written = writer.feed([START, Text(text="a"), *calling(0)[:2]])
    failure = writer.fail(BUSY)
    error = json.loads(failure.decode().strip().removeprefix(",").removesuffix("]"))["error"]
    assert (error["code"], error["status"], error["message"]) == (503, "UNAVAILABLE", "Busy.")
    assert writer.close() == writer.feed([DONE]) == b""
    assert b"functionCall" not in written
    with pytest.raises(BrokenError, match="UNAVAILABLE"):
        READERS[alt](written + failure)


def same(heard: Heard) -> tuple[object, ...]:
    """A candidate, where calls that ran beside each other may be told in another order."""
    texts = [part for part in heard.parts if "text" in part]
    words = "".join(part["text"] for part in texts if "thought" not in part)
    thoughts = "".join(part["text"] for part in texts if "thought" in part)
    calls = {part["functionCall"]["id"]: part["functionCall"] for part in heard.parts if "functionCall" in part}
    signatures = sorted(part["thoughtSignature"] for part in heard.parts if "thoughtSignature" in part)
    return (words, thoughts, calls, signatures, heard.finish)


@ENOUGH
@ALT
@given(events=streams("tr"), data=st.data())
def test_a_stream_amounts_to_the_whole_answer(alt: str, events: list[Event], data: st.DataObject) -> None:
    """Fed in any portions, with signs of life between them."""
    writer, written = DIALECT.writer(stream(alt), STAMP), b""
    places = sorted(data.draw(st.sets(st.integers(0, len(events)), max_size=4)))
    for start, end in itertools.pairwise([0, *places, len(events)]):
        written += writer.keep_alive() + writer.feed(events[start:end])
    chunks = READERS[alt](written + writer.close())
    rendered = json.loads(DIALECT.render_response(collect(events), stream(alt), STAMP))
    assert same(hear(chunks)[0]) == same(hear([rendered])[0])
    assert chunks[-1]["usageMetadata"] == rendered["usageMetadata"]


@ENOUGH
@given(events=streams("tr", beside=False))
def test_a_stream_keeps_the_order_of_parts(events: list[Event]) -> None:
    """What comes one after the other is told so, streamed and whole."""
    chunks = read_events(write(stream(), *events[1:]))
    assert hear(chunks) == hear([json.loads(DIALECT.render_response(collect(events), stream(), STAMP))])


@ENOUGH
@ALT
@given(events=streams("tr"))
def test_events_may_come_one_by_one(alt: str, events: list[Event]) -> None:
    """The bytes are the same as for all at once."""
    writer = DIALECT.writer(stream(alt), STAMP)
    one_by_one = b"".join(writer.feed([event]) for event in events) + writer.close()
    assert one_by_one == write(stream(alt), *events[1:])


@ALT
def test_a_stream_cut_at_any_byte_never_looks_whole(alt: str) -> None:
    """To a client, it is broken or has no finish reason."""
    written = write(
        stream(alt), Reasoning(text="思"), Text(text="城市"), *calling(0), DONE, Usage(prompt=1, completion=2)
    )
    assert finished(READERS[alt](written))
    for place in range(len(written.rstrip())):
        try:
            chunks = READERS[alt](written[:place])
        except (BrokenError, UnicodeDecodeError):
            continue
        assert not finished(chunks)


@ENOUGH
@ALT
@given(events=streams("tr"), place=st.integers(0, 10**9))
def test_a_stream_that_fails_never_looks_whole(alt: str, events: list[Event], place: int) -> None:
    """However much was told."""
    writer = DIALECT.writer(stream(alt), STAMP)
    written = writer.feed(events[: place % len(events)]) + writer.fail(BUSY)
    assert b"finishReason" not in written
    with pytest.raises(BrokenError, match="Busy"):
        READERS[alt](written)
