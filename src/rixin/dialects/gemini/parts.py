"""Parts of a candidate's content, rendered, and what one whole answer has in common with each chunk of a stream."""

from rixin.core.json import JsonObject
from rixin.core.messages import ToolCall
from rixin.core.requests import Generate
from rixin.dialects.arguments import call_input
from rixin.dialects.base import Stamp


def text_part(text: str, signature: str | None = None) -> JsonObject:
    """Words, with what proves the thought before them."""
    return signed({"text": text}, signature)


def thought_part(text: str) -> JsonObject:
    """A thought that is shown."""
    return {"text": text, "thought": True}


def call_part(call: ToolCall, signature: str | None = None) -> JsonObject:
    """A call, with what proves the thought before it."""
    return signed({"functionCall": {"id": call.id, "name": call.name, "args": call_input(call)}}, signature)


def signed(part: JsonObject, signature: str | None) -> JsonObject:
    """A part with what proves the thought before it."""
    return part if signature is None else {**part, "thoughtSignature": signature}


def candidate(index: int, parts: list[JsonObject], finish: str | None = None) -> JsonObject:
    """A candidate, or what is new of it."""
    rendered: JsonObject = {"content": {"parts": [*parts], "role": "model"}, "index": index}
    return rendered if finish is None else {**rendered, "finishReason": finish}


def identity(request: Generate, stamp: Stamp) -> JsonObject:
    """What says which answer it is, and whose."""
    return {"modelVersion": request.model, "responseId": stamp.new_id("")}
