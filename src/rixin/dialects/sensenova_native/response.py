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
from rixin.dialects.sensenova_native.finish import finish_word
from rixin.dialects.sensenova_native.usage import render_usage
from rixin.dialects.sensenova_native.wire import NAME

_ENCODER = msgspec.json.Encoder()


def render_response(response: Response, request: Request, stamp: Stamp) -> bytes:
    """The body of a whole answer to a chat, or to a bare prompt."""
    if not isinstance(request, Generate):
        raise TypeError(f"a chat answers a Generate, not a {type(request).__name__}")
    name = "message" if request.prompt is None else "text"
    usage = response.usage or Usage()
    choices: list[JsonValue] = [
        with_beside(
            _choice(choice, name, finish_word(choice.finish_reason, usage, request)), beside(response, choice.index)
        )
        for choice in response.choices
    ]
    data: JsonObject = {
        "id": stamp.new_id(""),
        "choices": choices,
        "usage": render_usage(usage),
    }
    return _ENCODER.encode({"data": with_beside(data, beside(response))})


def beside(response: Response, choice: int | None = None) -> JsonObject:
    """What an upstream of this dialect told beside the words: of one choice, or of none."""
    return {told.kind: told.value for told in response.opaque if told.dialect == NAME and told.choice == choice}


def with_beside(rendered: JsonObject, beside: JsonObject) -> JsonObject:
    """What is told and what is told beside it, which replaces nothing."""
    return rendered | {name: value for name, value in beside.items() if name not in rendered}


def words_of(choice: Choice) -> str:
    """What a choice says; a refusal is said like anything else."""
    return "".join(part.text for part in choice.parts if isinstance(part, TextPart | RefusalPart))


def _choice(choice: Choice, name: str, finish: str) -> JsonObject:
    rendered: JsonObject = {name: words_of(choice)}
    if choice.reasoning:
        rendered["reasoning_content"] = choice.reasoning
    return {**rendered, "finish_reason": finish, "index": choice.index, "role": "assistant"}
