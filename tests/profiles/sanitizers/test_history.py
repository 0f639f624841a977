"""Calls and results of a conversation."""

from typing import Any

import pytest

from rixin.profiles.profile import NOTHING, Profile
from rixin.profiles.sanitizers import sanitize
from rixin.profiles.sanitizers.history import INTERRUPTED

USER = {"role": "user", "content": "hi"}


def calling(*ids: str) -> dict[str, Any]:
    """An assistant's message with calls."""
    calls = [{"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id_ in ids]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def result(id_: str, content: str = "done") -> dict[str, Any]:
    """A result."""
    return {"role": "tool", "tool_call_id": id_, "content": content}


def outcome(messages: list[Any], profile: Profile = NOTHING) -> tuple[list[Any], set[str]]:
    """The messages as they are sent, and what was done."""
    sanitized = sanitize({"model": "m", "messages": messages}, profile)
    return sanitized.body["messages"], {change.name for change in sanitized.changes}  # type: ignore[return-value]


CASES: dict[str, tuple[list[Any], list[Any], set[str]]] = {
    "sound": (
        [USER, calling("a", "b"), result("a"), result("b"), USER],
        [USER, calling("a", "b"), result("a"), result("b"), USER],
        set(),
    ),
    "results in another order": (
        [calling("a", "b"), result("b"), result("a")],
        [calling("a", "b"), result("a"), result("b")],
        {"reorder_results"},
    ),
    "text between call and result": (
        [calling("a"), USER, result("a")],
        [calling("a"), result("a"), USER],
        {"reorder_results"},
    ),
    "result before its call": (
        [result("a"), calling("a"), USER],
        [calling("a"), result("a"), USER],
        {"reorder_results"},
    ),
    "no result": (
        [calling("a", "b"), result("b"), USER],
        [calling("a", "b"), result("a", INTERRUPTED), result("b"), USER],
        {"synthesise_result"},
    ),
    "call at the very end": (
        [USER, calling("a")],
        [USER, calling("a"), result("a", INTERRUPTED)],
        {"synthesise_result"},
    ),
    "orphan": ([USER, result("gone"), USER], [USER, USER], {"drop_orphan_result"}),
    "duplicate": (
        [calling("a"), result("a", "old"), result("a", "new"), USER],
        [calling("a"), result("a", "new"), USER],
        {"drop_duplicate_result"},
    ),
    "an id used again in a later turn": (
        [calling("a"), result("a", "one"), USER, calling("a"), result("a", "two")],
        [calling("a"), result("a", "one"), USER, calling("a_1_2"), result("a_1_2", "two")],
        {"tool_call_id"},
    ),
    "empty ids": (
        [calling("", ""), result("", "one"), result("", "two")],
        [calling("call_0", "call_1"), result("call_0", "one"), result("call_1", "two")],
        {"tool_call_id"},
    ),
}


@pytest.mark.parametrize(("messages", "expected", "done"), CASES.values(), ids=CASES)
def test_r19_histories_are_repaired(messages: list[Any], expected: list[Any], done: set[str]) -> None:
    """Each call is answered once, right after the message that made it; each repair has its name."""
    assert outcome(messages) == (expected, done)


def test_custom_calls_are_answered_too() -> None:
    """A call is a call whatever its type."""
    custom = {"id": "a", "type": "custom", "custom": {"name": "patch", "input": "x"}}
    messages = [{"role": "assistant", "content": None, "tool_calls": [custom]}, result("a")]
    assert outcome(messages) == (messages, set())


@pytest.mark.parametrize(
    ("policy", "ids", "expected"),
    [
        ("keep", ("x" * 50,), ["x" * 50]),
        ("openai", ("call_1", "functions.f:0"), ["call_1", "call_91ea38ed5f2a7df4a6fa07f4"]),
        ("alnum9", ("abcdefgh1", "call_1"), ["abcdefgh1", "c6d5d0a1d"]),
        ("max40", ("y" * 40, "x" * 50), ["y" * 40, "x" * 31 + "_00000000"]),
        ("kimi", ("call_1", "call_2"), ["functions.f:0", "functions.f:1"]),
    ],
)
def test_ids_take_the_form_that_is_asked_for(policy: Any, ids: tuple[str, ...], expected: list[str]) -> None:
    """An id that fits stays, and results go along; a digest stands where letters had to go."""
    messages, _ = outcome([calling(*ids), *(result(id_) for id_ in ids)], Profile(tool_call_id_policy=policy))
    written = [call["id"] for call in messages[0]["tool_calls"]]
    assert [len(id_) for id_ in written] == [len(id_) for id_ in expected]
    assert [id_ for id_ in written if id_ in ids] == [id_ for id_ in expected if id_ in ids]
    assert [message["tool_call_id"] for message in messages[1:]] == written
    if policy == "kimi":
        assert written == expected


def test_replayed_calls_can_be_cut_to_what_is_documented() -> None:
    """SenseNova's own answers hold an `index`, which comes back with the conversation."""
    message = calling("a")
    message["tool_calls"][0]["index"] = 0
    assert outcome([message, result("a")], Profile(call_fields="documented")) == (
        [calling("a"), result("a")],
        {"drop_call_field"},
    )
