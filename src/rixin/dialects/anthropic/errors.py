"""Errors in Anthropic's envelope: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

Source: Anthropic's reference of errors; Claude Code, which reads the numbers in the words for an overflowing context.
"""

from math import ceil
from typing import NamedTuple

import msgspec

from rixin.dialects.base import Reply, Stamp
from rixin.errors import Kind, RixinError


class Words(NamedTuple):
    """How a kind of error is called on this wire, and its status where that is another than elsewhere."""

    type: str
    status: int | None = None


_REQUEST = "invalid_request_error"
_RATE = "rate_limit_error"
_API = "api_error"
_OVERLOADED = Words("overloaded_error", 529)

WORDS: dict[Kind, Words] = {
    Kind.INVALID_REQUEST: Words(_REQUEST),
    Kind.CONTEXT_OVERFLOW: Words(_REQUEST),
    Kind.CONTENT_POLICY: Words(_REQUEST, 400),
    Kind.UNAUTHENTICATED: Words("authentication_error"),
    Kind.PERMISSION_DENIED: Words("permission_error"),
    Kind.MODEL_NOT_FOUND: Words("not_found_error"),
    Kind.NOT_FOUND: Words("not_found_error"),
    Kind.METHOD_NOT_ALLOWED: Words(_REQUEST),
    Kind.CANCELLED: Words(_API),
    Kind.REQUEST_TIMEOUT: Words("timeout_error"),
    Kind.CONFLICT: Words(_REQUEST),
    Kind.CONCURRENT: Words(_REQUEST),
    Kind.TOO_LARGE: Words("request_too_large"),
    Kind.UNSUPPORTED_MEDIA_TYPE: Words(_REQUEST),
    Kind.RATE_LIMITED: Words(_RATE),
    Kind.QUOTA_EXHAUSTED: Words(_RATE),
    Kind.QUEUE_FULL: Words(_RATE),
    Kind.CONFIGURATION: Words(_API),
    Kind.INTERNAL: Words(_API),
    Kind.NOT_IMPLEMENTED: Words(_API),
    Kind.UPSTREAM_INVALID: Words(_API),
    Kind.UPSTREAM_INTERRUPTED: Words(_API),
    Kind.UPSTREAM_UNREACHABLE: Words(_API),
    Kind.UPSTREAM_TIMEOUT: Words("timeout_error"),
    Kind.UPSTREAM_CREDENTIAL: Words(_API),
    Kind.OVERLOADED: _OVERLOADED,
    Kind.STARTING: _OVERLOADED,
    Kind.SHUTTING_DOWN: _OVERLOADED,
}

_ENCODER = msgspec.json.Encoder()


def render_error(error: RixinError, stamp: Stamp) -> Reply:
    """The whole HTTP answer for an error. Anthropic's SDKs are told when trying again is of no use."""
    headers = {"request-id": stamp.request_id}
    if not error.retryable:
        headers["x-should-retry"] = "false"
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, ceil(error.retry_after)))
        headers["retry-after-ms"] = str(max(0, ceil(error.retry_after * 1000)))
    if error.kind is Kind.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    status = WORDS[error.kind].status or error.status
    return Reply(status=status, body=encode_error(error, stamp), headers=headers)


def encode_error(error: RixinError, stamp: Stamp) -> bytes:
    """The envelope of an error, for an answer's body and for a stream's last event."""
    inner = {"type": WORDS[error.kind].type, "message": _message(error)}
    return _ENCODER.encode({"type": "error", "error": inner, "request_id": stamp.request_id})


def _message(error: RixinError) -> str:
    """The error's words; those of an overflow are Anthropic's own.

    A request that nobody counted is at least one token longer than the window.
    """
    if error.kind is not Kind.CONTEXT_OVERFLOW:
        return error.message
    if error.limit is None:
        return f"prompt is too long: {error.message}"
    requested = max(error.requested or 0, error.limit + 1)
    return f"prompt is too long: {requested} tokens > {error.limit} maximum"
