"""How many tokens a text is, where nobody has counted them.

Good to a quarter either way; never used where a true count is at hand.
"""

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
_IMAGE_TOKENS = 1024
_VIDEO_TOKENS = 8192


def estimate_text(text: str) -> int:
    """Tokens of a text: about four ASCII characters, or one character of any other script."""
    if text.isascii():
        return -(-len(text) // BYTES_PER_TOKEN)
    wide = sum(1 for character in text if ord(character) > 0x2E7F)
    return wide + -(-(len(text) - wide) // BYTES_PER_TOKEN)


def estimate_prompt(request: Generate) -> int:
    """Prompt tokens of a request, its tools included."""
    tokens = estimate_text(request.prompt or "") + sum(_message(message) for message in request.messages)
    for tool in request.tools:
        tokens += (
            estimate_text(tool.name + (tool.description or "")) + len(str(tool.parameters or "")) // BYTES_PER_TOKEN
        )
    return tokens


def most_prompt_tokens(request: Generate) -> int:
    """A number of prompt tokens that a request of text certainly does not exceed:

    one a byte, and the turns' markers.
    """
    size = len(request.origin.body) if request.origin is not None else BYTES_PER_TOKEN * 2 * estimate_prompt(request)
    return size + 2 * _MESSAGE_OVERHEAD * (len(request.messages) + 1)


def _message(message: Message) -> int:
    return _MESSAGE_OVERHEAD + sum(_part(part) for part in message.parts)


def _part(part: Part) -> int:
    match part:
        case TextPart() | RefusalPart() | ReasoningPart():
            return estimate_text(part.text)
        case ToolCall():
            return estimate_text(part.name) + estimate_text(part.arguments)
        case ToolResult():
            return sum(_part(inner) for inner in part.parts)
        case ImagePart():
            return _IMAGE_TOKENS
        case VideoPart():
            return _VIDEO_TOKENS
        case DocumentPart():
            return estimate_text(part.text or "")
        case Opaque():
            return len(str(part.value)) // BYTES_PER_TOKEN
        case _:
            assert_never(part)
