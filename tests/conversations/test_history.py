"""Histories with thoughts and summaries of ours, of others, and of nobody."""

from typing import Any

import msgspec
import pytest

from rixin.conversations.envelope import Content, Envelopes, Refusal
from rixin.conversations.history import SUMMARY, Open, open_history
from rixin.core.messages import Message, ReasoningPart, TextPart
from rixin.core.requests import Generate
from rixin.dialects.anthropic import DIALECT as ANTHROPIC
from rixin.dialects.base import Call, Dialect
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.dialects.openai_responses import DIALECT as RESPONSES
from tests.dialects.support import card_of


def parsed(dialect: Dialect, **body: Any) -> Generate:
    """A request as its dialect reads it."""
    call = Call(body=msgspec.json.encode({"model": "up-model", **body}))
    request = dialect.routes[0].parse(call, card_of)
    assert isinstance(request, Generate)
    return request


def messages(*blocks: dict[str, Any]) -> Generate:
    """A Messages request whose assistant said these blocks."""
    turn = {"role": "assistant", "content": [*blocks, {"type": "text", "text": "Hello."}]}
    user = {"role": "user", "content": "Hi"}
    return parsed(ANTHROPIC, messages=[user, turn, user])


def items(*given: dict[str, Any]) -> Generate:
    """A Responses request with these items between two messages."""
    user = {"role": "user", "content": "Hi"}
    return parsed(RESPONSES, input=[user, *given, user])


def thinking(envelope: str, text: str = "shown") -> dict[str, Any]:
    """A block."""
    return {"type": "thinking", "thinking": text, "signature": envelope}


def reasoning(envelope: str) -> dict[str, Any]:
    """An item."""
    return {"type": "reasoning", "summary": [], "encrypted_content": envelope}


def thoughts(request: Generate) -> list[ReasoningPart]:
    """The thoughts of a history."""
    return [part for message in request.messages for part in message.parts if isinstance(part, ReasoningPart)]


def changes(request: Generate) -> list[str]:
    """What was done, as clients are told."""
    return [f"{change.name}({change.field})" for change in request.changes]


@pytest.fixture
def alice(envelopes: Envelopes) -> Open:
    """Opens what is hers."""

    def open_(envelope: str) -> Content | Refusal:
        return envelopes.open(envelope, "alice")

    return open_


def test_a6_our_own_thoughts_are_opened(envelopes: Envelopes, alice: Open) -> None:
    """In blocks and items, also where the client was shown another text, or none; not one word is lost."""
    envelope = envelopes.seal_thought("what I thought", "alice", signature="sig", issuer="up")
    opened = ReasoningPart(text="what I thought", signature="sig", issuer="up")
    for request in (
        messages(thinking(envelope)),
        messages(thinking(envelope, "")),
        messages({"type": "redacted_thinking", "data": envelope}),
        items(reasoning(envelope)),
    ):
        opened_request = open_history(request, alice)
        assert thoughts(opened_request) == [opened]
        assert opened_request.thoughts == {envelope: opened}
        assert opened_request.edited == {"thoughts"}
        assert changes(opened_request) == []


@pytest.mark.parametrize(
    "block", [thinking("EqoBCkYI"), {"type": "redacted_thinking", "data": "EqoBCkYI"}], ids=["signed", "redacted"]
)
def test_a6_foreign_thoughts_are_dropped_by_name(alice: Open, block: dict[str, Any]) -> None:
    """Whoever wrote them is not who answers now."""
    opened = open_history(messages(block), alice)
    assert [message.role for message in opened.messages] == ["user", "assistant", "user"]
    assert opened.messages[1].parts == (TextPart("Hello."),)
    assert changes(opened) == ["drop_foreign_reasoning(messages)"]


def test_r18_foreign_encrypted_content_is_dropped_by_name(alice: Open) -> None:
    """A history that began at OpenAI goes on without its thoughts."""
    opened = open_history(items(reasoning("gAAAAABo"), reasoning("gAAAAABp")), alice)
    assert thoughts(opened) == []
    assert len(opened.messages) == 2
    assert changes(opened) == ["drop_foreign_reasoning(input)"]


def test_a6_unsigned_thoughts_stay(alice: Open) -> None:
    """Whether a model may see them again is for its profile to say."""
    request = messages(thinking(""))
    assert open_history(request, alice) is request
    assert thoughts(request) == [ReasoningPart(text="shown")]


def test_k7_broken_and_others_envelopes_are_dropped_by_name(envelopes: Envelopes, alice: Open) -> None:
    """Also a summary that stands where a thought should."""
    for envelope in (envelopes.seal_thought("a", "bob"), "rx1.abcd", "rx9.abcd", envelopes.seal_summary("a", "alice")):
        opened = open_history(messages(thinking(envelope)), alice)
        assert thoughts(opened) == []
        assert changes(opened) == ["drop_broken_reasoning(messages)"]


def test_expired_envelopes_are_dropped_by_name(envelopes: Envelopes, alice: Open, clock: Any) -> None:
    """And nothing else of the turn."""
    request = items(reasoning(envelopes.seal_thought("old", "alice")), {"role": "assistant", "content": "Hello."})
    clock.time += 31 * 86400
    opened = open_history(request, alice)
    assert opened.messages[1] == Message(role="assistant", parts=(TextPart("Hello."),))
    assert changes(opened) == ["drop_expired_reasoning(input)"]


@pytest.mark.parametrize("kind", ["compaction", "compaction_summary"])
def test_k3_our_own_summary_becomes_a_message_of_the_users(envelopes: Envelopes, alice: Open, kind: str) -> None:
    """Wherever it stands, it stands alone."""
    item = {"type": kind, "id": "cmp_1", "encrypted_content": envelopes.seal_summary("We did it.", "alice")}
    opened = open_history(items({"role": "assistant", "content": "Hello."}, item), alice)
    assert [message.role for message in opened.messages] == ["user", "assistant", "user", "user"]
    assert opened.messages[2].text == SUMMARY.format(text="We did it.")


@pytest.mark.parametrize("item", [{"encrypted_content": "gAAAAABo"}, {}], ids=["foreign", "empty"])
def test_k3_a_foreign_summary_is_dropped_by_name(alice: Open, item: dict[str, Any]) -> None:
    """Nobody but its maker can read it."""
    opened = open_history(items({"type": "compaction", "id": "cmp_1", **item}), alice)
    assert len(opened.messages) == 2
    assert changes(opened) == ["drop_foreign_compaction(input)"]


def test_other_dialects_are_left_alone(alice: Open) -> None:
    """Chat has no field for envelopes."""
    request = parsed(CHAT, messages=[{"role": "assistant", "content": "a", "reasoning_content": "b"}])
    assert open_history(request, alice) is request
