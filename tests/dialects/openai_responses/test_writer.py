"""Streams written. The ids in the names are the rows of our table of hard cases that a test stands for."""

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
from rixin.core.json import JsonObject
from rixin.core.messages import Opaque
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.openai_responses import DIALECT
from rixin.errors import Kind, RixinError
from tests.dialects.openai_responses.asking import answer, ask, fresh_stamp, items_of, kinds, told, write

START = Start(id="x", created=1, model="true")
CHANCE: JsonObject = {"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": []}
CITATION: JsonObject = {
    "type": "url_citation",
    "url": "https://x.test",
    "start_index": 0,
    "end_index": 1,
    "title": "x",
}
SEARCH: JsonObject = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
USAGE = Usage(prompt=7, completion=5, cached=3, reasoning=2)


def whole(*events: Event, reason: FinishReason = "stop") -> list[Event]:
    """A whole answer of these events."""
    return [START, *events, Finish(reason=reason), USAGE]


def called(name: str, *pieces: str, kind: str = "function", index: int = 0) -> list[Event]:
    """A whole call."""
    return [
        ToolStart(index=index, id=f"call_{index}", name=name, kind="custom" if kind == "custom" else "function"),
        *(ToolArguments(index=index, text=piece) for piece in pieces),
        ToolEnd(index=index),
    ]


def test_s1_the_whole_lifecycle_of_a_message() -> None:
    """Created, in progress, added, deltas, done, completed; ids and places are stable, and `done` sums up."""
    stream = write(ask(), whole(Text(text="Hel"), Text(text="lo")))
    events = told(stream)
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert {event["item_id"] for event in events if "item_id" in event} == {"msg_1"}
    assert {event["output_index"] for event in events if "output_index" in event} == {0}
    assert events[6]["text"] == "Hello"
    assert events[7]["part"] == {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}
    assert events[-1]["response"]["output"] == [events[8]["item"]]
    assert stream.endswith(b"data: [DONE]\n\n")


def test_s1_every_done_is_the_sum_of_its_deltas() -> None:
    """Whatever the item, and `completed` lists all items in order."""
    stream = write(
        ask(tools=[{"type": "custom", "name": "patch"}]),
        whole(
            Reasoning(text="a"),
            Reasoning(text="b", signature="s"),
            Text(text="c"),
            Refusal(text="d"),
            Refusal(text="e"),
            *called("f", '{"x"', ":1}"),
            *called("patch", '{"inp', 'ut":"g\\n', 'h"}', index=1),
            reason="tool_calls",
        ),
    )
    sums: dict[tuple[str, int, str], str] = {}
    done = 0
    for event in told(stream):
        base, _, stage = event["type"].rpartition(".")
        key = (event.get("item_id", ""), event.get("content_index", 0), base)
        if stage == "delta":
            sums[key] = sums.get(key, "") + event["delta"]
        elif stage == "done" and key in sums:
            final = next(event[name] for name in ("text", "refusal", "arguments", "input") if name in event)
            assert final == sums[key]
            done += 1
    assert done == len(sums) == 5
    assert told(stream)[-1]["response"]["output"] == items_of(stream)


@pytest.mark.parametrize("usage", [None, Usage(), USAGE, Usage(prompt=1, completion=2, cached=9, reasoning=9)])
def test_s2_all_five_counts_are_integers(usage: Usage | None) -> None:
    """Also where nothing was counted; parts are never more than the whole."""
    events: list[Event] = [START, Text(text="x"), Finish(reason="stop"), *([usage] if usage else [])]
    for response in (
        told(write(ask(), events))[-1]["response"],
        msgspec.json.decode(DIALECT.render_response(collect(events), ask(), fresh_stamp())),
    ):
        counts = response["usage"]
        numbers = (
            counts["input_tokens"],
            counts["input_tokens_details"]["cached_tokens"],
            counts["output_tokens"],
            counts["output_tokens_details"]["reasoning_tokens"],
            counts["total_tokens"],
        )
        assert all(type(number) is int for number in numbers)
        assert numbers[1] <= numbers[0]
        assert numbers[3] <= numbers[2]
        assert numbers[4] == numbers[0] + numbers[2]


def test_s4_interleaved_calls_each_have_their_own_item() -> None:
    """Fragments of parallel calls never mix."""
    events = whole(
        ToolStart(index=0, id="a", name="f"),
        ToolStart(index=1, id="b", name="g"),
        ToolArguments(index=0, text='{"x":'),
        ToolArguments(index=1, text='{"y":'),
        ToolArguments(index=0, text="1}"),
        ToolArguments(index=1, text="2}"),
        ToolEnd(index=0),
        ToolEnd(index=1),
        reason="tool_calls",
    )
    assert [(item["call_id"], item["arguments"]) for item in answer(ask(), events)] == [
        ("a", '{"x":1}'),
        ("b", '{"y":2}'),
    ]


@pytest.mark.parametrize("pieces", [(), ("",), ("  ",)])
def test_s5_a_call_without_arguments_has_an_empty_object(pieces: tuple[str, ...]) -> None:
    """And the delta that says so."""
    (item,) = answer(ask(), whole(*called("f", *pieces), reason="tool_calls"))
    assert msgspec.json.decode(item["arguments"]) == {}


def test_s6_a_calls_end_waits_for_what_follows() -> None:
    """`done` is only sent when the next item begins or the finish has come."""
    writer = DIALECT.writer(ask(), fresh_stamp())
    assert b"output_item.done" not in writer.feed([START, *called("f", "{}")]) + writer.keep_alive()
    assert b"response.output_item.done" in writer.feed([Text(text="x")])


def test_s6_a_broken_stream_fails_and_ends_no_item() -> None:
    """What came is shown as incomplete, no item is done that was not, and there is no `[DONE]`."""
    writer = DIALECT.writer(ask(), fresh_stamp())
    stream = writer.feed([START, Text(text="a"), *called("f", '{"x":1}'), ToolStart(index=1, id="b", name="g")])
    stream += writer.fail(RixinError(Kind.UPSTREAM_INTERRUPTED, "It broke."))
    events = told(stream)
    assert b"[DONE]" not in stream
    assert [item["type"] for item in items_of(stream)] == ["message", "function_call"]
    response = events[-1]["response"]
    assert (events[-1]["type"], response["status"]) == ("response.failed", "failed")
    assert response["error"] == {"code": "server_error", "message": "It broke."}
    assert [item["status"] for item in response["output"]] == ["completed", "completed", "incomplete"]


def test_s6_the_last_call_of_a_broken_stream_is_not_done() -> None:
    """Although its arguments look whole: nothing said that they are."""
    writer = DIALECT.writer(ask(), fresh_stamp())
    stream = writer.feed([START, *called("f", '{"x":1}')])
    stream += writer.fail(RixinError(Kind.UPSTREAM_INTERRUPTED, "It broke."))
    assert items_of(stream) == []


def test_s6_closing_without_a_finish_is_a_failure() -> None:
    """An answer without its finish is never told as whole."""
    assert kinds(write(ask(), [START, Text(text="x")]))[-1] == "response.failed"


def test_s7_an_empty_answer_still_has_an_item() -> None:
    """A model that stops without a word is told as an empty message: clients break on no item at all."""
    (item,) = answer(ask(), whole())
    assert item["content"] == [{"type": "output_text", "text": "", "annotations": [], "logprobs": []}]


@pytest.mark.parametrize(
    ("reason", "kind", "why"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("context", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_s8_finish_reasons(reason: FinishReason, kind: str, why: object) -> None:
    """Each ends the response in its own way, with usable items closed."""
    stream = write(ask(), whole(Text(text="x"), reason=reason))
    last = told(stream)[-1]
    assert (last["type"], last["response"]["status"]) == (f"response.{kind}", kind)
    assert last["response"]["incomplete_details"] == why
    assert items_of(stream)[0]["status"] == kind
    assert stream.endswith(b"data: [DONE]\n\n")


def test_s8_a_call_that_the_limit_cut_is_not_done() -> None:
    """Whole calls are; half a patch must not run."""
    stream = write(ask(), whole(*called("f", '{"x":1}'), *called("g", '{"x', index=1), reason="length"))
    assert [item["name"] for item in items_of(stream)] == ["f"]
    assert [item["status"] for item in told(stream)[-1]["response"]["output"]] == ["completed", "incomplete"]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (RixinError(Kind.CONTEXT_OVERFLOW, "Too long.", limit=8192), "context_length_exceeded", "8192 tokens"),
        (RixinError(Kind.RATE_LIMITED, "Slow down.", retry_after=2.2), "rate_limit_exceeded", "try again in 3s"),
        (RixinError(Kind.QUEUE_FULL, "Full.", retry_after=0.1), "rate_limit_exceeded", "try again in 1s"),
        (RixinError(Kind.QUOTA_EXHAUSTED, "None left."), "insufficient_quota", "None left."),
        (RixinError(Kind.OVERLOADED, "Busy."), "server_is_overloaded", "Busy."),
        (RixinError(Kind.INVALID_REQUEST, "Bad."), "invalid_prompt", "Bad."),
        (RixinError(Kind.MODEL_NOT_FOUND, "None."), "invalid_prompt", "None."),
        (RixinError(Kind.UPSTREAM_TIMEOUT, "Late."), "server_error", "Late."),
    ],
)
def test_s9_s10_failures_have_the_codes_that_agents_act_upon(error: RixinError, code: str, words: str) -> None:
    """Nothing follows `response.failed`, also where nothing came before it."""
    stream = DIALECT.writer(ask(), fresh_stamp()).fail(error)
    events = told(stream)
    assert [event["type"] for event in events] == ["response.created", "response.in_progress", "response.failed"]
    assert events[-1]["response"]["error"]["code"] == code
    assert words in events[-1]["response"]["error"]["message"]


def test_s11_items_are_closed_and_opened_as_things_alternate() -> None:
    """No delta comes without an open item, and each item is closed before the next one."""
    stream = write(
        ask(),
        whole(
            Text(text="a"),
            Reasoning(text="b"),
            *called("f", "{}"),
            Text(text="c"),
            Reasoning(text="d"),
            reason="tool_calls",
        ),
    )
    open_items: set[str] = set()
    for event in told(stream):
        if event["type"] == "response.output_item.added":
            assert not open_items
            open_items.add(event["item"]["id"])
        elif event["type"] == "response.output_item.done":
            open_items.remove(event["item"]["id"])
        elif "item_id" in event:
            assert event["item_id"] in open_items
    assert [item["id"] for item in items_of(stream)] == ["msg_1", "rs_1", "fc_1", "msg_2", "rs_2"]


@pytest.mark.parametrize(("summary", "field"), [("auto", "summary"), (None, "content"), ("none", "content")])
def test_s12_thoughts_are_told_in_the_wished_form(summary: str | None, field: str) -> None:
    """As a summary where one was asked for, else as they are; the envelope closes the item."""
    request = ask(reasoning={"summary": summary})
    stream = write(request, whole(Reasoning(text="a"), Reasoning(text="b"), Reasoning(signature="s"), Text(text="c")))
    item = items_of(stream)[0]
    assert (item["type"], item["encrypted_content"], item[field][0]["text"]) == ("reasoning", "s", "ab")
    word = "reasoning_summary_text" if field == "summary" else "reasoning_text"
    assert f"response.{word}.delta" in kinds(stream)


def test_s14_the_input_of_a_custom_tool_is_unwrapped_as_it_comes() -> None:
    """The deltas are the text itself, and the item is of the declared kind."""
    request = ask(tools=[{"type": "custom", "name": "apply_patch"}])
    stream = write(request, whole(*called("apply_patch", '{"in', 'put": "*** Be', "gin\\", "n+x\\u00", 'e9"}')))
    deltas = [event["delta"] for event in told(stream) if event["type"] == "response.custom_tool_call_input.delta"]
    assert deltas == ["*** Be", "gin", "\n+x", "é"]
    (item,) = items_of(stream)
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "apply_patch", "*** Begin\n+xé")


def test_s14_a_custom_call_that_came_as_one_is_passed_on() -> None:
    """An upstream of this dialect sends the text bare."""
    request = ask(tools=[{"type": "custom", "name": "apply_patch"}])
    (item,) = answer(request, whole(*called("apply_patch", '{"not', " wrapped", kind="custom")))
    assert (item["type"], item["input"]) == ("custom_tool_call", '{"not wrapped')


def test_r4_the_declared_kind_decides_and_not_the_name() -> None:
    """`apply_patch` as a function is answered with a function's call."""
    request = ask(tools=[{"type": "function", "name": "apply_patch", "parameters": {}}])
    (item,) = answer(request, whole(*called("apply_patch", '{"input":"x"}')))
    assert (item["type"], item["arguments"]) == ("function_call", '{"input":"x"}')


SPACES = [
    {"type": "namespace", "name": "clock", "tools": [{"type": "function", "name": "sleep"}]},
    {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]},
    {"type": "namespace", "name": "n." * 40, "tools": [{"type": "function", "name": "deep"}]},
]


def test_r5_the_reply_has_namespace_and_name() -> None:
    """As they were declared, also where the flat name is shortened."""
    request = ask(tools=SPACES)
    for tool in request.tools:
        (item,) = answer(request, whole(*called(tool.name, "{}")))
        assert tool.origin is not None
        assert (item["namespace"], item["name"]) == (tool.origin.namespace, tool.origin.name)


def test_r6_a_search_is_restored() -> None:
    """It is an item of its own kind, with an object for its arguments."""
    request = ask(tools=[{"type": "tool_search", "execution": "client"}])
    (item,) = answer(request, whole(*called("tool_search", '{"query"', ':"mail"}')))
    assert item == {
        "type": "tool_search_call",
        "id": "tsc_1",
        "status": "completed",
        "call_id": "call_0",
        "execution": "client",
        "arguments": {"query": "mail"},
    }


@pytest.mark.parametrize(
    ("arguments", "command"),
    [('{"command":["ls","-l"]}', ["ls", "-l"]), ('{"command":"ls -l"}', ["bash", "-lc", "ls -l"]), ("{half", [])],
)
def test_r7_the_local_shell_is_restored(arguments: str, command: list[str]) -> None:
    """Its action is what the model asked for."""
    request = ask(tools=[{"type": "local_shell"}])
    (item,) = answer(request, whole(*called("local_shell", arguments)))
    assert (item["type"], item["action"]["type"], item["action"]["command"]) == ("local_shell_call", "exec", command)


@pytest.mark.parametrize(
    ("said", "name", "namespace"),
    [
        ("clock.sleep", "sleep", "clock"),
        ("clock:sleep", "sleep", "clock"),
        ("functions.exec", "exec", "functions"),
        ("Clock__Sleep", "sleep", "clock"),
        ("nonsense", "nonsense", None),
    ],
)
def test_s16_a_misspelt_name_is_found_or_passed_on(said: str, name: str, namespace: str | None) -> None:
    """What can only mean one tool is that tool; anything else the agent will refuse itself."""
    (item,) = answer(ask(tools=SPACES), whole(*called(said, "{}")))
    assert (item["name"], item.get("namespace")) == (name, namespace)


def test_t3_a_sign_of_life_is_an_event_that_clients_ignore() -> None:
    """Before the first event it opens the response; then it repeats what is in progress."""
    writer = DIALECT.writer(ask(), fresh_stamp())
    stream = writer.keep_alive() + writer.keep_alive() + writer.feed([START, Text(text="a")]) + writer.keep_alive()
    stream += writer.feed([Finish(reason="stop")]) + writer.close()
    assert [kind.removeprefix("response.") for kind in kinds(stream)] == [
        "created",
        "in_progress",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "in_progress",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert len({event["response"]["id"] for event in told(stream) if "response" in event}) == 1


def test_annotations_and_log_probabilities_stand_in_their_part() -> None:
    """Each is told when it comes, and again in the whole part."""
    events = whole(Text(text="a", logprobs={"content": [CHANCE]}), Annotation(value=CITATION))
    (part,) = answer(ask(), events)[0]["content"]
    assert (part["logprobs"], part["annotations"]) == ([CHANCE], [CITATION])
    assert "response.output_text.annotation.added" in kinds(write(ask(), events))


def test_items_of_an_upstream_of_this_dialect_are_passed_on() -> None:
    """What only this dialect knows goes out as it came; another's does not."""
    events = whole(
        Opaque(dialect="openai_responses", kind="output_item", value=SEARCH, choice=0),
        Opaque(dialect="openai_chat", kind="x", value=1, choice=0),
        Text(text="a"),
    )
    assert answer(ask(), events)[0] == SEARCH


def test_a_whole_answer_is_what_the_streams_end_says() -> None:
    """The same items, status and counts."""
    events = whole(Reasoning(text="r", signature="s"), Text(text="t"), *called("f", "{}"), reason="tool_calls")
    request = ask(tools=SPACES, metadata={"a": "b"}, instructions="Be brief.", temperature=0.5)
    body: Any = msgspec.json.decode(DIALECT.render_response(collect(events), request, fresh_stamp()))
    assert body == told(write(request, events))[-1]["response"]
    assert (body["instructions"], body["metadata"], body["temperature"]) == ("Be brief.", {"a": "b"}, 0.5)


def test_an_answer_without_events_writes_nothing() -> None:
    """An empty batch opens no response."""
    assert DIALECT.writer(ask(), fresh_stamp()).feed([]) == b""
