"""A conversation, rendered for an upstream.

Turns of the same side become one message, its tool results first. A system prompt goes to the head; one that comes
later is told by the user, between tags, since not every model of this dialect takes such a turn.
"""

import re
from typing import NamedTuple

from rixin.core.json import JsonObject, JsonValue
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
from rixin.dialects.anthropic.wire import NAME
from rixin.dialects.arguments import call_input
from rixin.dialects.openai_chat.conversation import IMAGE_TYPES
from rixin.dialects.tool_names import fitting
from rixin.errors import invalid

_DATA_URL = re.compile(r"data:(?P<type>[^;,]*)(?:;[^;,]*)*?;base64,(?P<data>.*)", re.DOTALL)


class Rendered(NamedTuple):
    """The fields `system` and `messages`."""

    system: str
    messages: list[JsonValue]


def render_conversation(request: Generate) -> Rendered:
    """The conversation of a request.

    Raises:
        RixinError: `INVALID_REQUEST` for a medium that has no form on this wire.
    """
    system: list[str] = []
    turns: list[tuple[str, list[JsonObject]]] = []
    for message in request.messages:
        if message.role == "system" and not turns:
            system.append(message.text)
            continue
        role = "assistant" if message.role == "assistant" else "user"
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        turns[-1][1].extend(_blocks(message))
    messages: list[JsonValue] = []
    for role, blocks in turns:
        blocks.sort(key=lambda block: block["type"] != "tool_result")
        if blocks:
            messages.append({"role": role, "content": _content(blocks)})
    return Rendered("\n\n".join(text for text in system if text), messages)


def _content(blocks: list[JsonObject]) -> JsonValue:
    """A plain text where there is only one."""
    match blocks:
        case [{"type": "text", "text": str(text)}]:
            return text
        case _:
            return [*blocks]


def _blocks(message: Message) -> list[JsonObject]:
    if message.role == "system":
        return [{"type": "text", "text": f"<system-reminder>\n{message.text}\n</system-reminder>"}]
    return [block for part in message.parts if (block := _block(part)) is not None]


def _block(part: Part) -> JsonObject | None:
    """A part's block; None for what has no words, is another dialect's, or is a thought that nobody signed."""
    match part:
        case TextPart(text=text) | RefusalPart(text=text):
            return {"type": "text", "text": text} if text.strip() else None
        case ImagePart():
            return {"type": "image", "source": _image_source(part)}
        case DocumentPart():
            return _document(part)
        case VideoPart():
            raise invalid("a video cannot be sent to this model")
        case ReasoningPart():
            if part.signature is None:
                return None
            return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        case ToolCall():
            return {"type": "tool_use", "id": fitting(part.id), "name": part.name, "input": call_input(part)}
        case ToolResult():
            return _result(part)
        case Opaque():
            return part.value if part.dialect == NAME and isinstance(part.value, dict) else None


def _result(result: ToolResult) -> JsonObject:
    blocks = [block for part in result.parts if (block := _block(part)) is not None]
    rendered: JsonObject = {"type": "tool_result", "tool_use_id": fitting(result.call_id)}
    if blocks:
        rendered["content"] = _content(blocks)
    if result.is_error:
        rendered["is_error"] = True
    return rendered


def _image_source(image: ImagePart) -> JsonObject:
    if image.base64 is not None:
        kind = next((kind for head, kind in IMAGE_TYPES.items() if image.base64.startswith(head)), "jpeg")
        return {"type": "base64", "media_type": f"image/{kind}", "data": image.base64}
    if image.file_id is not None:
        return {"type": "file", "file_id": image.file_id}
    return _source(image.url or "", "an image")


def _document(document: DocumentPart) -> JsonObject:
    source: JsonObject
    if document.text is not None:
        source = {"type": "text", "media_type": "text/plain", "data": document.text}
    elif document.base64 is not None:
        kind = document.media_type or "application/pdf"
        source = {"type": "base64", "media_type": kind, "data": document.base64}
    elif document.file_id is not None:
        source = {"type": "file", "file_id": document.file_id}
    else:
        source = _source(document.url or "", "a document")
    rendered: JsonObject = {"type": "document", "source": source}
    return rendered if document.name is None else {**rendered, "title": document.name}


def _source(url: str, what: str) -> JsonObject:
    if not url.startswith("data:"):
        return {"type": "url", "url": url}
    match = _DATA_URL.fullmatch(url)
    if match is None:
        raise invalid(f"{what} in a data URL that is not base64 cannot be sent to this model")
    return {"type": "base64", "media_type": match["type"], "data": match["data"]}
