"""Streams written: what golden cases do not show."""

import json
from typing import Any

import msgspec
import pytest

from rixin.core.events import (
    Annotation,
    Event,
    Finish,
    FinishReason,
    Reasoning,
    Refusal,
    Start,
    Text,
    ToolArguments,
    ToolEnd,
    ToolStart,
)
from rixin.core.messages import Opaque
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.sensenova_native import DIALECT
from rixin.dialects.sensenova_native.wire import NAME
from rixin.errors import Kind, RixinError
from tests.dialects.sensenova_native.asking import ask, ask_prompt
from tests.dialects.support import STAMP

START = Start(id="x", created=1, model="m")


def chunks(stream: bytes) -> list[dict[str, Any]]:
    """The objects of a stream, without its last mark."""
    assert stream.endswith(b"data:[DONE]\n\n")
    lines = stream.removesuffix(b"data:[DONE]\n\n").split(b"\n\n")
    assert lines.pop() == b""
    return [json.loads(line.removeprefix(b"data:")) for line in lines]


def write(*events: Event) -> list[dict[str, Any]]:
    """The chunks of events that come one by one."""
    writer = DIALECT.writer(ask(stream=True), STAMP)
    return chunks(b"".join(writer.feed([event]) for event in events) + writer.close())


def test_usage_grows_while_nobody_counts_and_ends_with_the_true_count() -> None:
    """Engines that count at the end: each chunk tells an estimate, the last one what was reported."""
    told = write(
        START, Text(text="Hello"), Text(text=" world"), Text(text="!" * 404), Finish(reason="stop"),
        Usage(prompt=9, completion=3),
    )  # fmt: skip
    usages = [chunk["data"]["usage"] for chunk in told]
    assert [usage["completion_tokens"] for usage in usages] == [1, 2, 102, 3]
    assert usages[0]["prompt_tokens"] == usages[1]["prompt_tokens"] > 0
    assert usages[-1] == {"prompt_tokens": 9, "knowledge_tokens": 0, "completion_tokens": 3, "total_tokens": 12}
    for usage in usages:
        parts = usage["prompt_tokens"], usage["knowledge_tokens"], usage["completion_tokens"]
        assert usage["total_tokens"] == sum(parts)


def test_words_that_an_engine_counts_are_not_estimated() -> None:
    """Tokens that come with words are added to the last count of all."""
    told = write(
        START,
        Text(text="Hello", tokens=1),
        Reasoning(text="Hm", tokens=3),
        Usage(prompt=9, completion=5),
        Text(text=" world", tokens=1),
        Finish(reason="stop"),
    )
    assert [chunk["data"]["usage"]["completion_tokens"] for chunk in told] == [1, 4, 6, 6]


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "sensitive"),
        ("context", "context"),
        ("tool_calls", "stop"),
    ],
)
def test_p8_finish_reasons_have_the_platforms_words(reason: FinishReason, word: str) -> None:
    """In a stream the last chunk tells, and those before it an empty text; in a whole answer the choice."""
    events: list[Event] = [START, Text(text="Hi"), Finish(reason=reason), Usage(prompt=1, completion=1)]
    assert [chunk["data"]["choices"][0]["finish_reason"] for chunk in write(*events)] == ["", word]
    body = json.loads(DIALECT.render_response(collect(events), ask(), STAMP))
    assert body["data"]["choices"][0]["finish_reason"] == word


@pytest.mark.parametrize(
    ("fields", "usage", "word"),
    [
        ({}, Usage(prompt=6, completion=3), "length"),
        ({}, Usage(prompt=6, completion=4), "context"),
        ({}, Usage(prompt=4, completion=4, knowledge=2), "context"),
        ({"max_new_tokens": 4}, Usage(prompt=6, completion=4), "length"),
        ({"n": 2}, Usage(prompt=6, completion=6), "length"),
        ({"n": 2}, Usage(prompt=6, completion=8), "context"),
    ],
)
def test_an_answer_that_has_filled_the_window_says_so(fields: dict[str, Any], usage: Usage, word: str) -> None:
    """Engines say of it what they say of any long one; where the client set a limit, that was what ended it."""
    request = ask(stream=True, **fields)
    request = msgspec.structs.replace(request, card=msgspec.structs.replace(request.card, context_length=10))
    ends: list[Event] = [Finish(reason="length", choice=choice) for choice in range(request.n)]
    events: list[Event] = [START, Text(text="Hi"), *ends, usage]
    writer = DIALECT.writer(request, STAMP)
    assert chunks(writer.feed(events) + writer.close())[-1]["data"]["choices"][0]["finish_reason"] == word
    body = json.loads(DIALECT.render_response(collect(events), request, STAMP))
    assert {choice["finish_reason"] for choice in body["data"]["choices"]} == {word}


def test_a_refusal_is_words() -> None:
    """This wire has no place of its own for it, and what was said must not be lost."""
    events: list[Event] = [START, Refusal(text="I won't."), Finish(reason="content_filter")]
    assert write(*events)[0]["data"]["choices"][0]["delta"] == "I won't."
    body = json.loads(DIALECT.render_response(collect(events), ask(), STAMP))
    assert body["data"]["choices"][0]["message"] == "I won't."


def test_what_has_no_form_is_left_out() -> None:
    """Calls, citations and what is another dialect's."""
    writer = DIALECT.writer(ask(stream=True), STAMP)
    events: list[Event] = [
        START,
        ToolStart(index=0, id="c", name="f"),
        ToolArguments(index=0, text="{}"),
        ToolEnd(index=0),
        Annotation(value=1),
        Opaque(dialect="another", kind="x", value=1),
        Text(text=""),
        Reasoning(signature="s"),
    ]
    assert writer.feed(events) == b""


def test_what_is_the_platforms_own_goes_out() -> None:
    """Beside the whole answer or in a choice, wherever it came from."""
    [whole, inner, _] = write(
        START,
        Opaque(dialect=NAME, kind="knowledge_base_results", value=[1]),
        Opaque(dialect=NAME, kind="mark", value=2, choice=0),
        Finish(reason="stop"),
    )
    assert whole["data"]["knowledge_base_results"] == [1]
    assert inner["data"]["choices"][0]["mark"] == 2


def test_a_failure_ends_the_stream_without_done() -> None:
    """The error is an event of its own, and a finish that was not told by then never is."""
    writer = DIALECT.writer(ask(stream=True, n=2), STAMP)
    stream = writer.feed([START, Text(text="Hi"), Finish(reason="stop")])
    assert b'"stop"' not in stream
    assert writer.fail(RixinError(Kind.UPSTREAM_INTERRUPTED, "It broke.")) == (
        b'data:{"error":{"code":14,"message":"It broke.","details":[]}}\n\n'
    )


def test_a_sign_of_life_is_a_comment() -> None:
    """Clients ignore it."""
    assert DIALECT.writer(ask(stream=True), STAMP).keep_alive() == b": keep-alive\n\n"


def test_words_are_escaped() -> None:
    """Nothing that a model says can break out of its JSON."""
    writer = DIALECT.writer(ask(stream=True), STAMP)
    stream = writer.feed([Text(text='"}\n\ndata:[DONE]\n\n')])
    assert stream.count(b"\n\n") == 1


def test_an_answer_that_nobody_counted_has_zeros() -> None:
    """The field is always there."""
    body = json.loads(DIALECT.render_response(collect([START, Finish(reason="stop")]), ask_prompt(), STAMP))
    assert body["data"]["usage"]["total_tokens"] == 0
    assert body["data"]["choices"][0]["text"] == ""
