"""Whole answers that are plain, told in one step."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rixin.core.events import Event, Finish, Start, Text
from rixin.core.usage import Usage
from rixin.dialects.openai_chat.plain_answer import read_plain
from rixin.dialects.openai_chat.reader import ChatReader
from rixin.errors import RixinError

PLAIN: dict[str, Any] = {
    "id": "a",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "words"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
DETAILS = [{"cached_tokens": 9}, {"cached_tokens": 2}, {"reasoning_tokens": 4}, {"reasoning_tokens": 0}]
VALUES: list[Any] = [None, 0, -1, 5, 1.5, True, "", "x", "stop", "length", "error", [], {}, ["x"], [CALL], *DETAILS]
FIELDS = {
    "answer": [*PLAIN, "error", "base_resp", "citations", "system_fingerprint", "service_tier", "timings"],
    "choice": ["index", "message", "delta", "text", "finish_reason", "logprobs", "stop_reason", "usage", "seed"],
    "message": [
        *["role", "content", "text", "reasoning", "reasoning_content", "reasoning_details", "refusal", "tool_calls"],
        *["function_call", "annotations", "audio", "name", "padding"],
    ],
    "usage": [
        *["prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"],
        *["input_tokens", "cached_tokens", "knowledge_tokens", "reasoning_tokens", "cost"],
    ],
}
changes = st.lists(
    st.sampled_from([*FIELDS]).flatmap(
        lambda place: st.tuples(st.just(place), st.sampled_from(FIELDS[place]), st.sampled_from(VALUES))
    ),
    max_size=4,
)


def changed(changes: list[tuple[str, str, Any]]) -> dict[str, Any]:
    """A plain answer with some fields put in their places."""
    answer = json.loads(json.dumps(PLAIN))
    [choice] = answer["choices"]
    places = {"answer": answer, "choice": choice, "message": choice["message"], "usage": answer["usage"]}
    for place, field, value in changes:
        places[place][field] = value
    return answer


def read(body: bytes) -> list[Event] | str:
    """The events of a whole answer by all the rules, or the error that it is."""
    reader = ChatReader()
    try:
        return reader.feed(body) + reader.eof()
    except RixinError as error:
        return error.message


@settings(max_examples=600, deadline=None)
@given(changes)
def test_what_is_told_in_one_step_is_what_the_rules_tell(each: list[tuple[str, str, Any]]):
    """Whatever an answer holds, it is told as by the rules, or not at all."""
    body = json.dumps(changed(each)).encode()
    told = read_plain(body)
    assert told is None or told == read(body)


def test_a_plain_answer_is_told_in_one_step():
    """Its events are there at once, its thoughts and the details of its usage among them."""
    start, finish = Start(id="a", created=1, model="m"), Finish(reason="stop")
    plain: list[Event] = [start, Text(text="words"), finish, Usage(prompt=3, completion=5)]
    assert read_plain(json.dumps(PLAIN).encode()) == plain
    detailed = changed([
        ("message", "reasoning_content", "hm"),
        ("message", "tool_calls", []),
        ("usage", "prompt_tokens_details", {"cached_tokens": 2}),
        ("usage", "completion_tokens_details", {"reasoning_tokens": 4}),
    ])  # fmt: skip
    body = json.dumps(detailed).encode()
    told = read_plain(body)
    assert told is not None
    assert told == read(body)
    assert told[-1] == Usage(prompt=3, completion=5, cached=2, reasoning=4)


def test_what_is_no_answer_is_left_to_the_rules():
    """Streams, errors, calls, other bytes."""
    called = changed([("message", "tool_calls", [CALL])])
    for body in (b"", b"data: {}\n\n", b'{"error":{"message":"no"}}', b"\xff", json.dumps(called).encode()):
        assert read_plain(body) is None
    assert read_plain(json.dumps({**PLAIN, "choices": PLAIN["choices"] * 2}).encode()) is None
