"""Whole answers, rendered for a client."""

import msgspec

from rixin.core.estimate import estimate_usage
from rixin.core.json import JsonObject
from rixin.core.messages import ReasoningPart, RefusalPart, TextPart, ToolCall
from rixin.core.requests import Generate, Request
from rixin.core.responses import Choice, Response
from rixin.dialects.base import Stamp
from rixin.dialects.gemini.finish import render_finish_reason
from rixin.dialects.gemini.parts import call_part, candidate, identity, text_part, thought_part
from rixin.dialects.gemini.usage import render_usage
from rixin.dialects.gemini.wire import THOUGHTS

_ENCODER = msgspec.json.Encoder()


def render_response(response: Response, request: Request, stamp: Stamp) -> bytes:
    """The body of a whole answer."""
    if not isinstance(request, Generate):
        raise TypeError(f"candidates answer a Generate, not a {type(request).__name__}")
    usage = response.usage or estimate_usage(request, (part for choice in response.choices for part in choice.parts))
    return _ENCODER.encode({
        "candidates": [_candidate(choice, shown=THOUGHTS in request.form) for choice in response.choices],
        "usageMetadata": render_usage(usage),
        **identity(request, stamp),
    })  # fmt: skip


def render_count(tokens: int, stamp: Stamp) -> bytes:  # noqa: ARG001 - this answer has no identity
    """The body of an answer to a request for the number of its prompt's tokens."""
    return _ENCODER.encode({"totalTokens": tokens})


def _candidate(choice: Choice, *, shown: bool) -> JsonObject:
    parts: list[JsonObject] = []
    signature: str | None = None
    for part in choice.parts:
        match part:
            case ReasoningPart():
                if signature is not None:
                    parts.append(text_part("", signature))
                if shown and part.text:
                    parts.append(thought_part(part.text))
                signature = part.signature
            case TextPart(text=text) | RefusalPart(text=text):
                parts.append(text_part(text, signature))
                signature = None
            case ToolCall():
                parts.append(call_part(part, signature))
                signature = None
            case _:
                pass
    if signature is not None:
        parts.append(text_part("", signature))
    refused = any(isinstance(part, RefusalPart) for part in choice.parts)
    return candidate(choice.index, parts, render_finish_reason(choice.finish_reason, refused=refused))
