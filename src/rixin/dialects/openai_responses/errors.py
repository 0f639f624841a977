"""Errors as OpenAI renders them: `{"error": {"message", "type", "param", "code"}}`, and those of a broken stream.

Sources: OpenAI's error reference; the codes that Codex acts upon (it shortens a conversation, waits for the seconds
that a message names, or gives up); all others it tries again.
"""

from math import ceil

import msgspec

from rixin.core.json import JsonObject
from rixin.dialects.base import Reply, Stamp
from rixin.dialects.openai_chat.errors import WORDS, error_message
from rixin.dialects.openai_chat.errors import render_error as render_chat_error
from rixin.errors import Kind, RixinError

_SERVER = "server_error"
_PROMPT = "invalid_prompt"
_RATE = "rate_limit_exceeded"
_OVERLOADED = "server_is_overloaded"

CODES: dict[Kind, str] = {
    Kind.INVALID_REQUEST: _PROMPT,
    Kind.CONTEXT_OVERFLOW: "context_length_exceeded",
    Kind.CONTENT_POLICY: _PROMPT,
    Kind.UNAUTHENTICATED: "invalid_api_key",
    Kind.PERMISSION_DENIED: _PROMPT,
    Kind.MODEL_NOT_FOUND: "model_not_found",
    Kind.NOT_FOUND: "not_found",
    Kind.METHOD_NOT_ALLOWED: "method_not_allowed",
    Kind.CANCELLED: _SERVER,
    Kind.REQUEST_TIMEOUT: _SERVER,
    Kind.CONFLICT: "conflict",
    Kind.CONCURRENT: "conflict",
    Kind.TOO_LARGE: _PROMPT,
    Kind.UNSUPPORTED_MEDIA_TYPE: _PROMPT,
    Kind.RATE_LIMITED: _RATE,
    Kind.QUOTA_EXHAUSTED: "insufficient_quota",
    Kind.QUEUE_FULL: _RATE,
    Kind.CONFIGURATION: _SERVER,
    Kind.INTERNAL: _SERVER,
    Kind.NOT_IMPLEMENTED: _PROMPT,
    Kind.UPSTREAM_INVALID: _SERVER,
    Kind.UPSTREAM_INTERRUPTED: _SERVER,
    Kind.UPSTREAM_UNREACHABLE: _SERVER,
    Kind.UPSTREAM_TIMEOUT: _SERVER,
    Kind.UPSTREAM_CREDENTIAL: _SERVER,
    Kind.OVERLOADED: _OVERLOADED,
    Kind.STARTING: _OVERLOADED,
    Kind.SHUTTING_DOWN: _SERVER,
}
"""The code of each kind, in a stream and before it."""

TYPES: dict[Kind, str] = {
    Kind.RATE_LIMITED: "rate_limit_error",
    Kind.QUEUE_FULL: "rate_limit_error",
    Kind.QUOTA_EXHAUSTED: "insufficient_quota",
}
"""Types where OpenAI's word is not the token platform's."""

IN_STREAM: dict[Kind, str] = {
    Kind.UNAUTHENTICATED: _PROMPT,
    Kind.MODEL_NOT_FOUND: _PROMPT,
    Kind.NOT_FOUND: _PROMPT,
    Kind.METHOD_NOT_ALLOWED: _PROMPT,
    Kind.CONFLICT: _PROMPT,
}
"""Codes of a stream that differ: there no status says that trying again is in vain, so the code must."""

PREVIOUS = "previous_response_id"
"""The field whose response nobody has any more; clients that know its code begin anew."""

_ENCODER = msgspec.json.Encoder()


def render_error(error: RixinError, stamp: Stamp) -> Reply:
    """The whole HTTP answer for an error."""
    inner: JsonObject = {
        "message": told(error),
        "type": TYPES.get(error.kind, WORDS[error.kind].type),
        "param": error.param,
        "code": _code(error),
    }
    return msgspec.structs.replace(render_chat_error(error, stamp), body=_ENCODER.encode({"error": inner}))


def _code(error: RixinError) -> str:
    if error.kind is Kind.NOT_FOUND and error.param == PREVIOUS:
        return "previous_response_not_found"
    return CODES[error.kind]


def failure(error: RixinError) -> JsonObject:
    """The error of a response that failed."""
    return {"code": IN_STREAM.get(error.kind, CODES[error.kind]), "message": told(error)}


def told(error: RixinError) -> str:
    """The error's words; those of a limit name the wait, which is read from there."""
    message = error_message(error)
    if CODES[error.kind] != _RATE or error.retry_after is None or "try again in " in message.lower():
        return message
    sentence = message.rstrip()
    stop = "" if sentence.endswith((".", "!", "?", "。")) else "."
    return f"{sentence}{stop} Please try again in {max(1, ceil(error.retry_after))}s."
