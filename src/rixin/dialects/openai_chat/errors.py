"""Errors as the token platform renders them: `{"error": {"message", "type", "code"}}`, with gRPC numbers as text.

Sources: SenseNova token platform guide, section 10; for an overflowing context, OpenAI's `context_length_exceeded`,
which agents look for before they shorten a conversation.
"""

from math import ceil
from typing import NamedTuple

import msgspec

from rixin.dialects.base import Reply, Stamp
from rixin.errors import Kind, RixinError


class Words(NamedTuple):
    """How a kind of error is called on this wire."""

    type: str
    code: str


_REQUEST = "invalid_request_error"
_DENIED = "permission_denied_error"
_NOT_FOUND = "not_found_error"
_QUOTA = "quota_exceeded_error"
_SERVER = "internal_server_error"

WORDS: dict[Kind, Words] = {
    Kind.INVALID_REQUEST: Words(_REQUEST, "3"),
    Kind.CONTEXT_OVERFLOW: Words(_REQUEST, "context_length_exceeded"),
    Kind.CONTENT_POLICY: Words(_DENIED, "7"),
    Kind.UNAUTHENTICATED: Words("authentication_error", "16"),
    Kind.PERMISSION_DENIED: Words(_DENIED, "7"),
    Kind.MODEL_NOT_FOUND: Words(_NOT_FOUND, "5"),
    Kind.NOT_FOUND: Words(_NOT_FOUND, "5"),
    Kind.METHOD_NOT_ALLOWED: Words(_REQUEST, "12"),
    Kind.CANCELLED: Words("canceled_error", "1"),
    Kind.REQUEST_TIMEOUT: Words("canceled_error", "4"),
    Kind.CONFLICT: Words("conflict_error", "10"),
    Kind.CONCURRENT: Words("conflict_error", "10"),
    Kind.TOO_LARGE: Words(_REQUEST, "3"),
    Kind.UNSUPPORTED_MEDIA_TYPE: Words(_REQUEST, "3"),
    Kind.RATE_LIMITED: Words(_QUOTA, "8"),
    Kind.QUOTA_EXHAUSTED: Words(_QUOTA, "8"),
    Kind.QUEUE_FULL: Words(_QUOTA, "8"),
    Kind.CONFIGURATION: Words(_SERVER, "13"),
    Kind.INTERNAL: Words(_SERVER, "13"),
    Kind.NOT_IMPLEMENTED: Words("not_implemented_error", "12"),
    Kind.UPSTREAM_INVALID: Words(_SERVER, "13"),
    Kind.UPSTREAM_INTERRUPTED: Words(_SERVER, "14"),
    Kind.UPSTREAM_UNREACHABLE: Words(_SERVER, "14"),
    Kind.UPSTREAM_TIMEOUT: Words(_SERVER, "4"),
    Kind.UPSTREAM_CREDENTIAL: Words(_SERVER, "13"),
    Kind.OVERLOADED: Words(_SERVER, "14"),
    Kind.STARTING: Words(_SERVER, "14"),
    Kind.SHUTTING_DOWN: Words(_SERVER, "14"),
}

_ENCODER = msgspec.json.Encoder()


def render_error(error: RixinError, stamp: Stamp) -> Reply:  # noqa: ARG001 - this envelope has no place for the stamp
    """The whole HTTP answer for an error."""
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, ceil(error.retry_after)))
        headers["retry-after-ms"] = str(max(0, ceil(error.retry_after * 1000)))
    if error.kind is Kind.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    return Reply(status=error.status, body=encode_error(error), headers=headers)


def encode_error(error: RixinError) -> bytes:
    """The envelope of an error, for an answer's body and for a stream's last event."""
    words = WORDS[error.kind]
    inner = {"message": error_message(error), "type": words.type, "code": words.code}
    if error.param is not None:
        inner["param"] = error.param
    return _ENCODER.encode({"error": inner})


def error_message(error: RixinError) -> str:
    """The error's words; those of an overflow name the window in the phrase that agents parse."""
    if error.kind is not Kind.CONTEXT_OVERFLOW or error.limit is None:
        return error.message
    phrase = f"maximum context length is {error.limit} tokens"
    if phrase in error.message and (error.requested is None or str(error.requested) in error.message):
        return error.message
    needs = "" if error.requested is None else f", but the request needs {error.requested} tokens"
    return f"This model's {phrase}{needs}. {error.message}"
