"""Whole answers, rendered for a client.

Source: SenseNova V6 API documentation, section on image-text chat; the platform's Python SDK for text completions.
"""

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import RefusalPart, TextPart
from rixin.core.requests import Generate, Request
from rixin.core.responses import Choice, Response
from rixin.core.usage import Usage
from rixin.dialects.base import Stamp
from rixin.dialects.sensenova_native.finish import RENDERED
from rixin.dialects.sensenova_native.usage import render_usage
from rixin.dialects.sensenova_native.wire import NAME

_ENCODER = msgspec.json.Encoder()


def render_response(response: Response, request: Request, stamp: Stamp) -> bytes:
    """The body of a whole answer to a chat, or to a bare prompt."""
    if not isinstance(request, Generate):
        raise TypeError(f"a chat answers a Generate, not a {type(request).__name__}")
    name = "message" if request.prompt is None else "text"
    own = [opaque for opaque in response.opaque if opaque.dialect == NAME]
    choices: list[JsonValue] = []
    for choice in response.choices:
        rendered = _choice(choice, name)
        for opaque in own:
            if opaque.choice == choice.index:
                rendered.setdefault(opaque.kind, opaque.value)
        choices.append(rendered)
    data: JsonObject = {
        "id": stamp.new_id(""),
        "choices": choices,
        "usage": render_usage(response.usage or Usage()),
    }
    for opaque in own:
        if opaque.choice is None:
            data.setdefault(opaque.kind, opaque.value)
    return _ENCODER.encode({"data": data})


def _choice(choice: Choice, name: str) -> JsonObject:
    words = "".join(part.text for part in choice.parts if isinstance(part, TextPart | RefusalPart))
    rendered: JsonObject = {name: words}
    if choice.reasoning:
        rendered["reasoning_content"] = choice.reasoning
    return {**rendered, "finish_reason": RENDERED[choice.finish_reason], "index": choice.index, "role": "assistant"}
