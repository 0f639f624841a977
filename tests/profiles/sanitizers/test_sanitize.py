"""What holds for all sanitizers together, whatever the body and the profile."""

import copy
from typing import Any

import msgspec
from hypothesis import given, settings

from rixin.profiles.profile import NOTHING, Profile
from rixin.profiles.sanitizers import ORDER, sanitize
from rixin.profiles.sanitizers.draft import Draft
from tests.profiles.bodies import bodies, messages, profiles
from tests.profiles.sanitizing import Body, rewritten
from tests.profiles.strict_upstream import text

EXAMPLES = 100


@settings(max_examples=EXAMPLES, deadline=None)
@given(body=bodies, profile=profiles)
def test_to_sanitize_twice_is_to_sanitize_once(body: Body, profile: Profile) -> None:
    """A sanitized body passes unchanged, and nothing is said to have been done to it."""
    once = sanitize(body, profile).body
    twice = sanitize(once, profile)
    assert twice.body == once
    assert twice.changes == ()


@settings(max_examples=EXAMPLES, deadline=None)
@given(body=bodies, profile=profiles)
def test_a_sanitizer_that_is_left_out_would_do_nothing(body: Body, profile: Profile) -> None:
    """The profile tells which sanitizers are worth asking; all of them together make the same of a body."""
    draft = Draft(body, profile)
    for sanitizer in ORDER:
        sanitizer(draft)
    sanitized = sanitize(body, profile)
    assert (sanitized.body, sanitized.tool_names) == (draft.body, draft.tool_names)
    assert {*sanitized.changes} <= {*draft.changes}


@settings(max_examples=EXAMPLES, deadline=None)
@given(body=bodies, profile=profiles)
def test_the_body_that_was_given_is_not_changed(body: Body, profile: Profile) -> None:
    """Whatever shares the body's insides, another candidate's attempt included, sees no change."""
    before = copy.deepcopy(body)
    sanitize(body, profile)
    assert body == before


@settings(max_examples=EXAMPLES, deadline=None)
@given(body=bodies, profile=profiles)
def test_what_is_sent_is_said(body: Body, profile: Profile) -> None:
    """A body that differs has a change with a name, and one without changes is the same."""
    sanitized = sanitize(body, profile)
    assert (sanitized.body != body) == bool(sanitized.changes)


@settings(max_examples=EXAMPLES, deadline=None)
@given(body=bodies, profile=profiles)
def test_no_field_leaks(body: Body, profile: Profile) -> None:
    """What the whitelist does not have is not sent, unless the profile itself sets it."""
    if profile.allowed_fields is not None:
        assert set(sanitize(body, profile).body) <= profile.allowed_fields | profile.extra_body.keys()


@settings(max_examples=EXAMPLES, deadline=None)
@given(body=bodies, profile=profiles)
def test_no_words_are_lost(body: Body, profile: Profile) -> None:
    """Each word of a system, developer or user message, and of a result that has its call, is still there."""
    sent: list[Body] = rewritten(body, profile)["messages"]
    given_words = " ".join(text(message) for message in sent if message["role"] != "assistant")
    called = {call["id"] for message in body["messages"] for call in calls_of(message)}
    answered: dict[str, str] = {}
    for message in body["messages"]:
        words = " ".join(part["text"] for part in parts(message) if part["type"] == "text")
        if message["role"] == "tool":
            if message["tool_call_id"] in called:
                answered[message["tool_call_id"]] = words
        elif message["role"] != "assistant":
            assert all(word in given_words for word in words.split())
    assert all(word in given_words for words in answered.values() for word in words.split())


@settings(max_examples=EXAMPLES, deadline=None)
@given(body=bodies, profile=profiles)
def test_each_call_is_kept_and_answered_once(body: Body, profile: Profile) -> None:
    """Calls stay in number and order under ids of their own, and their results follow the message that made them."""
    sent: list[Body] = rewritten(body, profile)["messages"]
    asked = [len(calls_of(message)) for message in body["messages"] if calls_of(message)]
    assert [len(calls_of(message)) for message in sent if calls_of(message)] == asked
    ids = [call["id"] for message in sent for call in calls_of(message)]
    assert len(ids) == len(set(ids))
    waiting: list[str] = []
    for message in sent:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
        else:
            assert waiting == []
            waiting = [call["id"] for call in calls_of(message)]
    assert waiting == []


@settings(max_examples=EXAMPLES, deadline=None)
@given(body=bodies, profile=profiles)
def test_tools_of_known_types_are_kept(body: Body, profile: Profile) -> None:
    """Only hosted tools that the upstream does not know go, and those that are listed twice."""
    chosen = body.get("tool_choice")
    if profile.allowed_tools_choice == "filter" and isinstance(chosen, dict):
        return
    allowed = profile.allowed_tool_types
    kept = [tool for tool in body.get("tools", []) if allowed is None or "*" in allowed or tool["type"] in allowed]
    listed: list[Body] = rewritten(body, msgspec.structs.replace(profile, allowed_fields=None)).get("tools") or []
    assert len({msgspec.json.encode(tool, order="sorted") for tool in kept}) >= len(listed)
    assert {name_of(tool) for tool in kept} == {name_of(tool, profile) for tool in listed} or profile.tool_name_policy


@settings(max_examples=EXAMPLES, deadline=None)
@given(history=messages, profile=profiles)
def test_a_longer_conversation_begins_as_the_shorter_one(history: list[Body], profile: Profile) -> None:
    """What was sent stays a prefix of what is sent next, so that prompt caches hold, unless late systems move."""
    if profile.system_policy == "merge_head":
        return
    first: Body = {"model": "m", "messages": [*history, {"role": "user", "content": "one"}]}
    second: Body = {"model": "m", "messages": [*first["messages"], {"role": "user", "content": "two"}]}
    shorter, longer = rewritten(first, profile)["messages"], rewritten(second, profile)["messages"]
    assert msgspec.json.encode(longer[: len(shorter)]) == msgspec.json.encode(shorter)


def test_a_profile_that_says_nothing_changes_nothing() -> None:
    """A sound body of an unknown upstream goes out as the client wrote it, nulls and unknown fields included."""
    body: Body = {
        "model": "m",
        "unheard_of": None,
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "content": None, "tool_calls": [call("call_1")]},
            {"role": "tool", "tool_call_id": "call_1", "content": "b"},
            {"role": "user", "content": "c"},
        ],
        "tools": [{"type": "function", "function": {"name": "read", "strict": None}}],
        "tool_choice": "auto",
        "temperature": None,
    }
    sanitized = sanitize(body, NOTHING)
    assert sanitized.body == body
    assert list(sanitized.body) == list(body)
    assert sanitized.changes == ()


def call(call_id: str) -> Body:
    """A call of a tool."""
    return {"id": call_id, "type": "function", "function": {"name": "read", "arguments": "{}"}}


def calls_of(message: Body) -> list[Body]:
    """The calls in a message."""
    return message.get("tool_calls") or []


def parts(message: Body) -> list[Body]:
    """The content of a message as parts."""
    content: Any = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def name_of(tool: Body, profile: Profile = NOTHING) -> str:
    """The name of a tool, or its type."""
    return tool[tool["type"]]["name"] if tool["type"] in tool else tool["type"]
