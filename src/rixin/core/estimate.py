"""How many tokens a text is, where nobody has counted them. Never used where a true count is at hand."""

from collections.abc import Iterable, Sequence
from string import ascii_letters, digits, punctuation
from typing import assert_never

from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.core.requests import Generate

BYTES_PER_TOKEN = 4
_MESSAGE_OVERHEAD = 4
_TOOLS_OVERHEAD = 80
"""What a model is told about tools in general."""
_TOOL_OVERHEAD = 20
_IMAGE_TOKENS = 1024
_VIDEO_TOKENS = 8192

_LETTERS, _DIGITS, _PUNCTUATION = (group.encode() for group in (ascii_letters, digits, punctuation))
_NARROW = bytes(range(0xC2, 0xE3))
_WIDE = bytes(range(0xE3, 0xF5))
"""First bytes of characters in UTF-8: below U+3000, and above, where the scripts of East Asia are."""
_WORDS = bytes(byte if byte in _LETTERS else ord(" ") for byte in range(256))
_MARKS = bytes(byte if byte in _PUNCTUATION else ord(" ") for byte in range(256))
"""Tables that leave only letters, or only punctuation."""


def estimate_text(text: str) -> int:
    """Tokens of a piece of text, quickly: about four ASCII characters, or one character of any other script.

    Good to a third either way.
    """
    if text.isascii():
        return -(-len(text) // BYTES_PER_TOKEN)
    wide = sum(1 for character in text if ord(character) > 0x2E7F)
    return wide + -(-(len(text) - wide) // BYTES_PER_TOKEN)


def estimate_prompt(request: Generate) -> int:
    """Prompt tokens of a request, its tools included; mostly good to a tenth either way."""
    tokens = _text(request.prompt or "") + sum(_message(message) for message in request.messages)
    if request.tools:
        tokens += _TOOLS_OVERHEAD
    for tool in request.tools:
        tokens += _TOOL_OVERHEAD + _text(tool.name + (tool.description or "")) + _json(tool.parameters or {})
    return round(tokens)


def estimate_inputs(inputs: Iterable[str | Sequence[int]]) -> int:
    """Tokens of texts, some of which may be token ids already."""
    return round(sum(_text(entry) if isinstance(entry, str) else len(entry) for entry in inputs))


def most_prompt_tokens(request: Generate) -> int:
    """A number of prompt tokens that a request of text certainly does not exceed:

    one a byte, what was retrieved for it, and the turns' markers.
    """
    most = 2 * BYTES_PER_TOKEN
    origin = request.origin
    size = most * estimate_prompt(request) if origin is None else len(origin.body) + most * request.knowledge_tokens
    return size + 2 * _MESSAGE_OVERHEAD * (len(request.messages) + 1)


def _message(message: Message) -> float:
    return _MESSAGE_OVERHEAD + sum(_part(part) for part in message.parts)


def _part(part: Part) -> float:
    match part:
        case TextPart() | RefusalPart() | ReasoningPart():
            return _text(part.text)
        case ToolCall():
            return _text(part.name) + _text(part.arguments)
        case ToolResult():
            return sum(_part(inner) for inner in part.parts)
        case ImagePart():
            return _IMAGE_TOKENS
        case VideoPart():
            return _VIDEO_TOKENS
        case DocumentPart():
            return _text(part.text or "")
        case Opaque():
            return _json(part.value)
        case _:
            assert_never(part)


def _json(value: object) -> float:
    return _text(str(value))


def _text(text: str) -> float:
    """Tokens of a text, from what it is made of.

    The weights lie between those that fit Qwen2.5's tokenizer best over prose, code and JSON and those that fit
    SmolLM2's: the former's counts are 5 % smaller on average, and the latter's, of a third of the vocabulary, 10 %
    larger.
    """
    data = text.encode("utf-8", "surrogatepass")
    return (
        0.57 * len(data.translate(_WORDS).split())
        + 0.11 * _count(data, _LETTERS)
        + 1.2 * _count(data, _DIGITS)
        + 0.8 * len(data.translate(_MARKS).split())
        + 0.05 * _count(data, _PUNCTUATION)
        + 0.9 * data.count(b"\n")
        + 0.65 * _count(data, _WIDE)
        + 0.5 * _count(data, _NARROW)
    )


def _count(data: bytes, wanted: bytes) -> int:
    return len(data) - len(data.translate(None, wanted))
