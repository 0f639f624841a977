"""A conversation, rendered for an upstream."""

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
from rixin.dialects.openai_chat.wire import NAME
from rixin.errors import invalid

IMAGE_TYPES = {"/9j/": "jpeg", "iVBOR": "png", "R0lGOD": "gif", "UklGR": "webp"}
"""How the base64 of an image file begins."""


def render_messages(request: Generate) -> list[JsonValue]:
    """The messages of a request.

    Tool results become messages of their own, before the rest of the turn that held them. Thoughts are rendered under
    the name that the model's own answers use; whether a model may see them again is for a profile to say.

    Raises:
        RixinError: `INVALID_REQUEST` for a medium that is only known by the id of a file.
    """
    rendered: list[JsonValue] = []
    for message in request.messages:
        if message.parts and all(isinstance(part, Opaque) and part.dialect != NAME for part in message.parts):
            continue  # all of it is another dialect's, and an empty message would say what nobody said
        if message.role == "assistant":
            rendered.append(_assistant(message, request.card.reasoning_field))
        else:
            rendered += _turn(message)
    return rendered


def _assistant(message: Message, reasoning_field: str) -> JsonObject:
    parts = message.parts
    calls = [_call(part) for part in parts if isinstance(part, ToolCall)]
    refusal = "".join(part.text for part in parts if isinstance(part, RefusalPart))
    thoughts = [part for part in parts if isinstance(part, ReasoningPart)]
    reasoning = "\n".join(part.text or "\n".join(part.summary) for part in thoughts)
    content: list[JsonValue] = [item for part in parts if (item := _item(part)) is not None]
    rendered = _named("assistant", message)
    rendered["content"] = _content(content) if content or not (calls or refusal) else None
    if reasoning:
        rendered[reasoning_field] = reasoning
    if refusal:
        rendered["refusal"] = refusal
    if calls:
        rendered["tool_calls"] = calls
    return rendered


def _turn(message: Message) -> list[JsonValue]:
    """A user's or system's message, after the tool results that it holds."""
    rendered: list[JsonValue] = []
    content: list[JsonValue] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            # A tool message is text on this wire: what else a tool gave is shown by the user.
            rendered.append(_result(part))
            content += [item for inner in part.parts if not isinstance(inner, TextPart) and (item := _item(inner))]
        elif (item := _item(part)) is not None:
            content.append(item)
    if content or not rendered:
        role = "user" if message.role == "tool" else message.role
        rendered.append({**_named(role, message), "content": _content(content)})
    return rendered


def _result(result: ToolResult) -> JsonObject:
    text = "".join(part.text for part in result.parts if isinstance(part, TextPart))
    rendered: JsonObject = {"role": "tool", "tool_call_id": result.call_id}
    if result.name is not None:
        rendered["name"] = result.name
    return {**rendered, "content": f"Error: {text}" if result.is_error else text}


def _named(role: str, message: Message) -> JsonObject:
    return {"role": role} if message.name is None else {"role": role, "name": message.name}


def _content(items: list[JsonValue]) -> JsonValue:
    """A plain text where there is only one, which every upstream takes."""
    if not items:
        return ""
    match items:
        case [{"type": "text", "text": str(text)}]:
            return text
        case _:
            return items


def _item(part: Part) -> JsonValue:
    """A part of a message's content; None for what has its place elsewhere, or is another dialect's."""
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ImagePart():
            return _image(part)
        case VideoPart():
            if part.url is None:
                raise invalid("a video known only by the id of its file cannot be sent to this model")
            return {"type": "video_url", "video_url": {"url": part.url}}
        case DocumentPart():
            return _document(part)
        case Opaque():
            return part.value if part.dialect == NAME else None
        case ReasoningPart() | RefusalPart() | ToolCall() | ToolResult():
            return None


def _image(image: ImagePart) -> JsonValue:
    url = image.url
    if url is None and image.base64 is not None:
        kind = next((kind for head, kind in IMAGE_TYPES.items() if image.base64.startswith(head)), "jpeg")
        url = f"data:image/{kind};base64,{image.base64}"
    if url is None:
        raise invalid("an image known only by the id of its file cannot be sent to this model")
    source: JsonObject = {"url": url} if image.detail is None else {"url": url, "detail": image.detail}
    return {"type": "image_url", "image_url": source}


def _document(document: DocumentPart) -> JsonValue:
    if document.text is not None:
        title = f"{document.name}:\n" if document.name else ""
        return {"type": "text", "text": title + document.text}
    data = document.url
    if data is None and document.base64 is not None:
        data = f"data:{document.media_type or 'application/pdf'};base64,{document.base64}"
    fields = {"file_id": document.file_id, "file_data": data, "filename": document.name}
    return {"type": "file", "file": {name: value for name, value in fields.items() if value is not None}}


def _call(call: ToolCall) -> JsonValue:
    if call.kind == "custom":
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
