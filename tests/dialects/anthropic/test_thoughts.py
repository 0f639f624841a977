"""Envelopes in a client's own messages, replaced for an upstream of the same dialect."""

from typing import Any

from rixin.core.messages import ReasoningPart
from rixin.dialects.anthropic.thoughts import with_thoughts

HELLO: Any = {"role": "user", "content": "Hi"}
TEXT: Any = {"type": "text", "text": "Hello.", "cache_control": {"type": "ephemeral"}}
THOUGHTS = {"ours": ReasoningPart(text="Hm.", signature="sig"), "unsigned": ReasoningPart(text="Hm."), "foreign": None}


def thinking(signature: str, text: str = "Hm.") -> Any:
    """A block."""
    return {"type": "thinking", "thinking": text, "signature": signature}


def redacted(data: str) -> Any:
    """A block."""
    return {"type": "redacted_thinking", "data": data}


def turn(*blocks: Any) -> Any:
    """What the assistant said."""
    return {"role": "assistant", "content": [*blocks]}


def test_a6_an_envelope_becomes_the_upstreams_own_signature() -> None:
    """With the words that it signed, in the block that it stood in; the rest stays as it was."""
    given = [HELLO, turn(thinking("ours", ""), redacted("ours"), TEXT), HELLO]
    assert with_thoughts(given, THOUGHTS) == [HELLO, turn(thinking("sig"), redacted("sig"), TEXT), HELLO]


def test_a6_what_the_upstream_did_not_sign_is_left_out() -> None:
    """And so is a message of nothing else; empty ones are the upstream's to judge."""
    empty = turn()
    given = [turn(thinking("foreign"), redacted("unsigned"), TEXT), turn(thinking("foreign")), empty]
    assert with_thoughts(given, THOUGHTS) == [turn(TEXT), empty]


def test_a6_what_was_not_opened_stays() -> None:
    """Unsigned blocks, and whatever has another shape."""
    given: Any = [turn(thinking(""), redacted("other"), "text", {"type": 1}), "nonsense", {"content": 5}]
    assert with_thoughts(given, THOUGHTS) == given
