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
from rixin.errors import invalid

_BASE64 = ";base64,"


def render_messages(request: Generate) -> list[JsonValue]:
    """The messages of a request. Thoughts are left out: this wire has no place for them.

    Raises:
        RixinError: `INVALID_REQUEST` for what has no form on this wire, and where the last turn is the assistant's.
    """
    rendered = [_message(message) for message in request.messages]
    if rendered and rendered[-1]["role"] == "system":
        rendered[-1]["role"] = "user"
    if not rendered or rendered[-1]["role"] != "user":
        raise invalid("invalid messages, the last message to this model should be the user's.", "messages")
    return [*rendered]


def _message(message: Message) -> JsonObject:
    content: list[JsonValue] = [item for part in message.parts if (item := _item(part)) is not None]
    match content:
        case []:
            return {"role": message.role, "content": ""}
        case [{"type": "text", "text": str(text)}]:
            return {"role": message.role, "content": text}
        case _:
            return {"role": message.role, "content": content}


def _item(part: Part) -> JsonObject | None:
    match part:
        case TextPart(text=text) | RefusalPart(text=text):
            return {"type": "text", "text": text}
        case ImagePart():
            return _image(part)
        case VideoPart():
            kind, value = ("video_url", part.url) if part.file_id is None else ("video_file_id", part.file_id)
            return {"type": kind, kind: value}
        case DocumentPart():
            if part.text is None:
                raise invalid("a document cannot be sent to this model")
            return {"type": "text", "text": f"{part.name}:\n{part.text}" if part.name else part.text}
        case ToolCall() | ToolResult():
            raise invalid("a call of a tool cannot be sent to this model", "messages")
        case ReasoningPart() | Opaque():
            return None


def _image(image: ImagePart) -> JsonObject:
    if image.file_id is not None:
        return {"type": "image_file_id", "image_file_id": image.file_id}
    data, url = image.base64, image.url or ""
    if url.startswith("data:"):
        head, found, data = url.partition(_BASE64)
        if not found or "," in head:
            raise invalid("an image in a data URL that is not base64 cannot be sent to this model")
    if data is not None:
        return {"type": "image_base64", "image_base64": data}
    return {"type": "image_url", "image_url": url}
