"""Whole answers, rendered for a client.

Sources: Anthropic's Messages reference; the SenseNova token platform's Messages route.
"""

import msgspec

from rixin.core.estimate import estimate_usage
from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import Opaque, Part, ReasoningPart, RefusalPart, TextPart, ToolCall
from rixin.core.requests import Generate, Request
from rixin.core.responses import Choice, Response
from rixin.dialects.anthropic.citations import is_citation
from rixin.dialects.anthropic.finish import render_stop_reason
from rixin.dialects.anthropic.usage import render_usage
from rixin.dialects.anthropic.wire import NAME
from rixin.dialects.arguments import call_input
from rixin.dialects.base import Stamp

_ENCODER = msgspec.json.Encoder()


def render_response(response: Response, request: Request, stamp: Stamp) -> bytes:
    """The body of a whole answer; of several choices a client of this dialect sees the first."""
    if not isinstance(request, Generate):
        raise TypeError(f"a message answers a Generate, not a {type(request).__name__}")
    choice = response.choices[0]
    own = [opaque for opaque in response.opaque if opaque.dialect == NAME and not opaque.choice]
    beside = {opaque.kind: opaque.value for opaque in own if opaque.kind != "content_block"}
    native, usage_beside = beside.pop("stop_reason", None), beside.pop("usage", None)
    usage = response.usage or estimate_usage(request, choice.parts)
    body: JsonObject = {
        "id": stamp.new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": _content(choice, own),
        "stop_reason": render_stop_reason(
            choice.finish_reason,
            stop_sequence=choice.stop_sequence,
            called=bool(choice.tool_calls),
            refused=any(isinstance(part, RefusalPart) for part in choice.parts),
            native=native if isinstance(native, str) else None,
        ),
        "stop_sequence": choice.stop_sequence,
        "usage": render_usage(usage, usage_beside if isinstance(usage_beside, dict) else {}),
    }
    return _ENCODER.encode({**beside, **body})


def response_headers(stamp: Stamp) -> dict[str, str]:
    """Where clients of this dialect look for the request's id."""
    return {"request-id": stamp.request_id}


def render_count(tokens: int, stamp: Stamp) -> bytes:  # noqa: ARG001 - this answer has no identity
    """The body of an answer to a request for the number of its prompt's tokens."""
    return _ENCODER.encode({"input_tokens": tokens})


def _content(choice: Choice, own: list[Opaque]) -> list[JsonValue]:
    """The blocks of an answer; those that only this dialect knows stand where they stood."""
    blocks = [block for part in choice.parts if (block := _block(part)) is not None]
    _cite(blocks, [value for value in choice.annotations if is_citation(value)])
    for opaque in own:
        match opaque:
            case Opaque(kind="content_block", value={"index": int(index), "content_block": dict(block)}):
                blocks.insert(index, block)
            case _:
                pass
    return [*blocks]


def _block(part: Part) -> JsonObject | None:
    match part:
        case TextPart(text=text) | RefusalPart(text=text):
            return {"type": "text", "text": text}
        case ReasoningPart():
            return {"type": "thinking", "thinking": part.text, "signature": part.signature or ""}
        case ToolCall():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": call_input(part)}
        case _:
            return None


def _cite(blocks: list[JsonObject], citations: list[JsonValue]) -> None:
    """Puts the citations into the last text: an answer does not say which of its texts they belong to."""
    text = next((block for block in reversed(blocks) if block["type"] == "text"), None)
    if citations and text is not None:
        text["citations"] = citations
