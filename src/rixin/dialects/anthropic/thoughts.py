"""Thoughts in a client's own messages, put as their upstream signed them."""

from collections.abc import Mapping

from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import ReasoningPart

_SIGNED = {"thinking": "signature", "redacted_thinking": "data"}
"""Blocks that hold thoughts, and where their signatures stand."""


def with_thoughts(messages: JsonValue, thoughts: Mapping[str, ReasoningPart | None]) -> JsonValue:
    """Messages whose envelopes are replaced by what they hold; the rest stays as the client wrote it.

    A thought that holds no signature for this upstream is left out, and so is a message of nothing else.
    """
    told: list[JsonValue] = []
    for message in messages if isinstance(messages, list) else []:
        match message:
            case {"content": list(content)} if content:
                blocks: list[JsonValue] = [new for block in content if (new := _block(block, thoughts)) is not None]
                if blocks:
                    turn: JsonObject = {**message, "content": blocks}
                    told.append(turn)
            case _:
                told.append(message)
    return told


def _block(block: JsonValue, thoughts: Mapping[str, ReasoningPart | None]) -> JsonValue:
    if not isinstance(block, dict) or not isinstance(kind := block.get("type"), str) or kind not in _SIGNED:
        return block
    envelope = block.get(_SIGNED[kind])
    if not isinstance(envelope, str) or envelope not in thoughts:
        return block
    thought = thoughts[envelope]
    if thought is None or thought.signature is None:
        return None
    words = {"thinking": thought.text} if kind == "thinking" else {}
    return {**block, **words, _SIGNED[kind]: thought.signature}
