"""Streams as a client is sent them; rows A10, A11, A14 and A15 of the agents' hard cases."""

from typing import Any

import msgspec
import pytest

from rixin.core.estimate import estimate_prompt
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
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.anthropic import DIALECT
from rixin.errors import Kind, RixinError
from tests.dialects.anthropic.asking import ask
from tests.dialects.anthropic.grammar import check_grammar, frames
from tests.dialects.support import STAMP

START = Start(id="up", created=1, model="m")
DONE = Finish(reason="stop")
CALLS: list[Event] = [
    ToolStart(index=0, id="a", name="f"),
    ToolArguments(index=0, text="{}"),
    ToolEnd(index=0),
]


def stream(*events: Event) -> list[dict[str, Any]]:
    """The events that a client is sent for a whole stream, which has to keep to the grammar."""
    writer = DIALECT.writer(ask(), STAMP)
    written = writer.feed([START, *events]) + writer.close()
    check_grammar(written)
    return frames(written)


def blocks(sent: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The kind of each block, and its words."""
    made: list[tuple[str, str]] = []
    for event in sent:
        if event["type"] == "content_block_start":
            made.append((event["content_block"]["type"], ""))
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            words = delta.get("text", delta.get("thinking", delta.get("partial_json", "")))
            made[-1] = (made[-1][0], made[-1][1] + words)
    return made


def whole(*events: Event) -> dict[str, Any]:
    """The whole answer that the same events amount to."""
    return msgspec.json.decode(DIALECT.render_response(collect([START, *events]), ask(), STAMP))


def test_a10_the_first_block_is_that_of_the_first_content() -> None:
    """An empty delta opens no block."""
    assert blocks(stream(Text(text=""), Reasoning(), Reasoning(text="Hm"), DONE)) == [("thinking", "Hm")]


def test_a10_no_transition_loses_a_word() -> None:
    """Thoughts, words and calls follow each other in any order, each in a block of its own."""
    sent = stream(
        Reasoning(text="a"), Text(text="b"), Reasoning(text="c"), *CALLS, Text(text="d"), Text(text="e"), DONE
    )
    assert blocks(sent) == [("thinking", "a"), ("text", "b"), ("thinking", "c"), ("tool_use", "{}"), ("text", "de")]


def test_a10_a_signature_comes_before_its_thoughts_end() -> None:
    """It is the last delta of its block, also where there is no thought to see."""
    sent = stream(Reasoning(text="a"), Reasoning(signature="s1"), Reasoning(signature="s2"), Text(text="b"), DONE)
    kinds = [event.get("delta", event).get("type") for event in sent[1:-2]]
    thought = ["content_block_start", "thinking_delta", "signature_delta", "content_block_stop"]
    assert kinds[:7] == [*thought, "content_block_start", "signature_delta", "content_block_stop"]


def test_a10_message_start_has_usage() -> None:
    """It is the upstream's where that is known at once, else an estimate that the end corrects."""
    known = stream(Usage(prompt=9, completion=1), Text(text="a"), DONE)
    assert known[0]["message"]["usage"]["input_tokens"] == 9
    late = stream(Text(text="a"), DONE, Usage(prompt=9, completion=1))
    assert late[0]["message"]["usage"]["input_tokens"] == estimate_prompt(ask()) > 0
    assert late[-2]["usage"]["input_tokens"] == 9


def test_a10_usage_is_never_missing() -> None:
    """Where nobody counted, the end tells an estimate; so does a whole answer."""
    sent = stream(Text(text="some words"), Reasoning(text="more words"), *CALLS, DONE)
    assert sent[-2]["usage"]["output_tokens"] > 5
    assert whole(Text(text="some words"), *CALLS, DONE)["usage"]["output_tokens"] > 2


def test_a10_a_start_alone_shows_nothing() -> None:
    """The message begins with what is in it."""
    assert DIALECT.writer(ask(), STAMP).feed([START]) == b""


def test_a10_a_stream_without_finish_is_not_closed() -> None:
    """Whoever closes it too early is sent an error instead of an end."""
    writer = DIALECT.writer(ask(), STAMP)
    sent = frames(writer.feed([START, Text(text="a")]) + writer.close())
    assert sent[-1]["type"] == "error"
    assert "message_stop" not in {event["type"] for event in sent}


def test_a10_a_failure_is_an_error_and_the_last_event() -> None:
    """Open blocks stay open, and what waited is not sent."""
    writer = DIALECT.writer(ask(), STAMP)
    sent = frames(writer.feed([START, *CALLS[:2]]) + writer.fail(RixinError(Kind.OVERLOADED, "Busy.")))
    assert sent[-1] == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Busy."},
        "request_id": STAMP.request_id,
    }
    assert sent[-2]["type"] == "content_block_delta"
    assert writer.close() == writer.feed([DONE]) == b""


def test_a11_calls_beside_each_other_are_told_one_after_the_other() -> None:
    """While a call is open, others wait with all that came of them, and so do words."""
    sent = stream(
        ToolStart(index=0, id="a", name="f"),
        ToolStart(index=1, id="b", name="g"),
        ToolArguments(index=1, text='{"y":'),
        ToolArguments(index=0, text='{"x":'),
        Text(text="meanwhile"),
        ToolStart(index=2, id="c", name="h"),
        ToolArguments(index=2, text="[]"),
        ToolEnd(index=2),
        ToolArguments(index=0, text="1}"),
        ToolEnd(index=0),
        ToolArguments(index=1, text="2}"),
        ToolEnd(index=1),
        Finish(reason="tool_calls"),
    )
    assert blocks(sent) == [("tool_use", '{"x":1}'), ("tool_use", '{"y":2}'), ("text", "meanwhile"), ("tool_use", "[]")]
    assert [event["content_block"].get("id") for event in sent if "content_block" in event] == ["a", "b", None, "c"]


def test_a11_an_open_call_is_told_as_it_comes() -> None:
    """The call whose turn it is does not wait for its end."""
    writer = DIALECT.writer(ask(), STAMP)
    writer.feed([START, *CALLS[:1]])
    assert frames(writer.feed([ToolArguments(index=0, text="{")]))[0]["delta"]["partial_json"] == "{"


def test_a_custom_tools_words_become_an_object() -> None:
    """A call of free text arrives as the one field of an object, streamed and whole."""
    events: list[Event] = [
        ToolStart(index=0, id="a", name="f", kind="custom"),
        ToolArguments(index=0, text='say "hi"'),
        ToolArguments(index=0, text="\nnow"),
        ToolEnd(index=0),
        Finish(reason="tool_calls"),
    ]
    [(_, arguments)] = blocks(stream(*events))
    expected = {"input": 'say "hi"\nnow'}
    assert msgspec.json.decode(arguments) == whole(*events)["content"][0]["input"] == expected


@pytest.mark.parametrize(
    ("reason", "stop_sequence", "told"),
    [
        ("stop", None, "end_turn"),
        ("stop", "###", "stop_sequence"),
        ("length", None, "max_tokens"),
        ("tool_calls", None, "tool_use"),
        ("content_filter", None, "refusal"),
        ("context", None, "model_context_window_exceeded"),
    ],
)
def test_a14_each_finish_reason_has_its_word(reason: FinishReason, stop_sequence: str | None, told: str) -> None:
    """Streamed and whole, with the sequence that stopped it."""
    finish = Finish(reason=reason, stop_sequence=stop_sequence)
    sent = stream(Text(text="a"), finish)[-2]["delta"]
    answer = whole(Text(text="a"), finish)
    expected = (told, stop_sequence)
    assert (sent["stop_reason"], sent["stop_sequence"]) == expected
    assert (answer["stop_reason"], answer["stop_sequence"]) == expected


@pytest.mark.parametrize(("reason", "told"), [("stop", "tool_use"), ("length", "max_tokens")])
def test_a14_calls_are_to_be_run_unless_they_may_be_cut(reason: FinishReason, told: str) -> None:
    """Where there are calls, a stop asks for them to be run; a length may have cut the last."""
    assert stream(*CALLS, Finish(reason=reason))[-2]["delta"]["stop_reason"] == told
    assert whole(*CALLS, Finish(reason=reason))["stop_reason"] == told


def test_a14_a_refusal_is_told_as_one() -> None:
    """Its words are text, and the stop reason says what they are."""
    events: list[Event] = [Refusal(text="No."), DONE]
    sent = stream(*events)
    assert (blocks(sent), sent[-2]["delta"]["stop_reason"]) == ([("text", "No.")], "refusal")
    answer = whole(*events)
    assert (answer["content"], answer["stop_reason"]) == ([{"type": "text", "text": "No."}], "refusal")


def test_a15_input_tokens_exclude_what_a_cache_knew() -> None:
    """The prompt is the sum of what was read anew and what was read from the cache, and nothing is below zero."""
    usage = Usage(prompt=100, completion=7, cached=80, reasoning=3)
    sent = stream(Text(text="a"), DONE, usage)[-2]["usage"]
    assert sent == whole(Text(text="a"), DONE, usage)["usage"]
    assert (sent["input_tokens"], sent["cache_read_input_tokens"], sent["output_tokens"]) == (20, 80, 7)
    assert sent["input_tokens"] + sent["cache_read_input_tokens"] + sent["cache_creation_input_tokens"] == 100
    assert stream(DONE, Usage(prompt=5, cached=9))[-2]["usage"]["input_tokens"] == 0


def test_a19_the_keep_alive_is_a_ping() -> None:
    """Clients of this dialect ignore it at any place of a stream."""
    assert DIALECT.writer(ask(), STAMP).keep_alive() == b'event: ping\ndata: {"type":"ping"}\n\n'


def test_only_the_first_choice_is_told() -> None:
    """The wire has one answer."""
    assert blocks(stream(Text(text="b", choice=1), Text(text="a"), DONE)) == [("text", "a")]


def test_citations_of_other_dialects_are_left_out() -> None:
    """A client would not know what to do with them."""
    sent = stream(Text(text="a"), Annotation(value={"type": "url_citation"}), DONE)
    assert "citations" not in str(sent)


def test_arguments_that_are_no_object_are_kept_under_a_name() -> None:
    """A whole answer's `input` is an object; what is none is not lost."""
    events: list[Event] = [CALLS[0], ToolArguments(index=0, text='{"x": '), ToolEnd(index=0), DONE]
    assert whole(*events)["content"][0]["input"] == {"_raw": '{"x": '}


def test_answers_name_the_request() -> None:
    """The header that Anthropic's clients read."""
    assert DIALECT.response_headers is not None
    assert DIALECT.response_headers(STAMP) == {"request-id": STAMP.request_id}


def test_a16_a_count_is_one_number() -> None:
    """The answer to `count_tokens`."""
    assert DIALECT.render_count is not None
    assert DIALECT.render_count(42, STAMP) == b'{"input_tokens":42}'
