"""Which earlier thoughts an upstream is told, over each of the dialects that carry them."""

import json
from typing import Any

import msgspec
import pytest

from rixin.core.messages import Message, Part, ReasoningPart, TextPart, ToolCall, ToolResult
from rixin.core.requests import Generate
from rixin.dialects.anthropic import DIALECT as ANTHROPIC
from rixin.dialects.base import Dialect
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.dialects.openai_responses import DIALECT as RESPONSES
from rixin.engines.past_thoughts import with_past_thoughts
from rixin.engines.remote import Remote
from rixin.profiles.profile import Profile
from rixin.settings import Provider
from tests.engines.chat import CARD, chat

CALL = ToolCall(id="call_1", name="look", arguments="{}")
USER = Message(role="user", parts=(TextPart("Hi"),))
RESULT = Message(role="tool", parts=(ToolResult(call_id="call_1", parts=(TextPart("a"),)),))
LOST = ReasoningPart(text="Let me look.", signature="sig", issuer="up")
ECHO = Profile(reasoning_echo="always", reasoning_field="reasoning_content", reasoning_placeholder="(lost)")


def history(*parts: Part, recall: Any = None, origin: Any = None) -> Generate:
    """A request whose assistant did this before it was told a result."""
    messages = (USER, Message(role="assistant", parts=parts), RESULT)
    return Generate(model="scripted", card=CARD, messages=messages, recall=recall, origin=origin)


def sent(request: Generate, dialect: Dialect, profile: Profile = ECHO) -> Any:
    """The body for an upstream that is called `up`."""
    provider = Provider(name="up", base_url="http://127.0.0.1:9/v1", dialect=dialect.name)
    engine = Remote(provider, dialect, None, lambda _: profile)  # pyright: ignore[reportArgumentType] - nothing is sent
    return json.loads(msgspec.json.encode(engine.prepare(request).body))


def found(call: ToolCall) -> ReasoningPart | None:
    """A memory that knows one call."""
    return LOST if call == CALL else None


def forgotten(_call: ToolCall) -> ReasoningPart | None:
    """A memory that knows nothing."""
    return None


def test_r15_lost_thoughts_are_found_by_their_call() -> None:
    """The upstream that demands them is told the very words."""
    assert sent(history(CALL, recall=found), CHAT)["messages"][1]["reasoning_content"] == "Let me look."


def test_r15_where_nothing_is_remembered_a_placeholder_stands_in() -> None:
    """Only on the message with the call, and only under a profile that needs it."""
    request = history(CALL, recall=forgotten)
    assert sent(request, CHAT)["messages"][1]["reasoning_content"] == "(lost)"
    assert "reasoning_content" not in sent(request, CHAT, Profile())["messages"][1]
    assert "reasoning_content" not in sent(history(TextPart("Hello.")), CHAT)["messages"][1]


def test_r15_thoughts_that_came_back_are_not_looked_up() -> None:
    """The client's word stands."""
    request = history(ReasoningPart(text="mine"), CALL, recall=found)
    assert sent(request, CHAT)["messages"][1]["reasoning_content"] == "mine"


@pytest.mark.parametrize("echo", ["never", None])
def test_r16_where_thoughts_are_not_wanted_none_are_looked_up(echo: Any) -> None:
    """Providers that refuse the field, or that nothing is known of, are sent what the client sent."""
    request = history(CALL, recall=found)
    assert "reasoning_content" not in sent(request, CHAT, Profile(reasoning_echo=echo))["messages"][1]


def test_a6_an_upstream_is_shown_the_signature_that_it_gave() -> None:
    """On either of the dialects that have one; nobody else is shown it."""
    own = ReasoningPart(text="think", signature="sig", issuer="up")
    other = ReasoningPart(text="think", signature="sig", issuer="elsewhere")
    assert sent(history(own, CALL), ANTHROPIC)["messages"][1]["content"][0] == {
        "type": "thinking",
        "thinking": "think",
        "signature": "sig",
    }
    assert sent(history(other, CALL), ANTHROPIC)["messages"][1]["content"][0]["type"] == "tool_use"
    assert sent(history(own, CALL), RESPONSES)["input"][1]["encrypted_content"] == "sig"
    assert "encrypted_content" not in sent(history(other, CALL), RESPONSES)["input"][1]


def test_lost_thoughts_go_to_upstreams_that_sign_them() -> None:
    """A Chat client cannot send a signature back, and Anthropic wants it before a call."""
    content = sent(history(CALL, recall=found), ANTHROPIC)["messages"][1]["content"]
    assert content[0] == {"type": "thinking", "thinking": "Let me look.", "signature": "sig"}


def test_r30_the_clients_own_body_stays_where_nothing_is_to_be_told() -> None:
    """A Chat request to a Chat upstream keeps what only its client knows."""
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}, "x_new": 1}
    turn = {"role": "assistant", "content": None, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "a"}
    request = chat(messages=[{"role": "user", "content": "Hi"}, turn, result])
    request = msgspec.structs.replace(request, recall=forgotten)
    assert sent(request, CHAT, Profile())["messages"][1] == turn


def test_a6_envelopes_of_the_same_dialect_are_filtered_without_touching_the_messages() -> None:
    """So that the client's own body goes out, with those that this upstream gave."""
    thoughts = {
        "one": ReasoningPart(text="a", signature="sig", issuer="up"),
        "two": ReasoningPart(text="b", signature="sig", issuer="elsewhere"),
        "three": None,
    }
    request = msgspec.structs.replace(
        history(*(thought for thought in thoughts.values() if thought)), thoughts=thoughts
    )
    told = with_past_thoughts(request, "up", wanted=False)
    assert told.thoughts == {"one": thoughts["one"], "two": ReasoningPart(text="b"), "three": None}
    assert [getattr(part, "signature", None) for part in told.messages[1].parts] == ["sig", None]
    assert told.edited == frozenset()
