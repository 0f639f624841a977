"""Errors in Google's envelope: `{"error": {"code", "message", "status", "details"}}`.

Sources: Google's API design guide, chapter on errors; `google.rpc`, whose codes decide the HTTP status; Gemini CLI,
which waits as long as `RetryInfo` says.
"""

from math import ceil

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.dialects.base import Reply, Stamp
from rixin.errors import Kind, RixinError

CODES: dict[str, int] = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""Google's codes, and their HTTP statuses."""

STATUSES: dict[Kind, str] = {
    Kind.INVALID_REQUEST: "INVALID_ARGUMENT",
    Kind.CONTEXT_OVERFLOW: "INVALID_ARGUMENT",
    Kind.CONTENT_POLICY: "INVALID_ARGUMENT",
    Kind.UNAUTHENTICATED: "UNAUTHENTICATED",
    Kind.PERMISSION_DENIED: "PERMISSION_DENIED",
    Kind.MODEL_NOT_FOUND: "NOT_FOUND",
    Kind.NOT_FOUND: "NOT_FOUND",
    Kind.METHOD_NOT_ALLOWED: "UNIMPLEMENTED",
    Kind.CANCELLED: "CANCELLED",
    Kind.REQUEST_TIMEOUT: "DEADLINE_EXCEEDED",
    Kind.CONFLICT: "ABORTED",
    Kind.CONCURRENT: "ABORTED",
    Kind.TOO_LARGE: "INVALID_ARGUMENT",
    Kind.UNSUPPORTED_MEDIA_TYPE: "INVALID_ARGUMENT",
    Kind.RATE_LIMITED: "RESOURCE_EXHAUSTED",
    Kind.QUOTA_EXHAUSTED: "RESOURCE_EXHAUSTED",
    Kind.QUEUE_FULL: "RESOURCE_EXHAUSTED",
    Kind.CONFIGURATION: "INTERNAL",
    Kind.INTERNAL: "INTERNAL",
    Kind.NOT_IMPLEMENTED: "UNIMPLEMENTED",
    Kind.UPSTREAM_INVALID: "UNAVAILABLE",
    Kind.UPSTREAM_INTERRUPTED: "UNAVAILABLE",
    Kind.UPSTREAM_UNREACHABLE: "UNAVAILABLE",
    Kind.UPSTREAM_TIMEOUT: "DEADLINE_EXCEEDED",
    Kind.UPSTREAM_CREDENTIAL: "INTERNAL",
    Kind.OVERLOADED: "UNAVAILABLE",
    Kind.STARTING: "UNAVAILABLE",
    Kind.SHUTTING_DOWN: "UNAVAILABLE",
}
"""A status decides whether Google's clients try again: so that of an upstream that failed is `UNAVAILABLE`."""

KEPT = frozenset({Kind.METHOD_NOT_ALLOWED, Kind.TOO_LARGE, Kind.UNSUPPORTED_MEDIA_TYPE, Kind.REQUEST_TIMEOUT})
"""Kinds whose own HTTP status says more than that of their code."""

_TYPE = "type.googleapis.com/google.rpc."

_ENCODER = msgspec.json.Encoder()


def render_error(error: RixinError, stamp: Stamp) -> Reply:  # noqa: ARG001 - this envelope has no place for the stamp
    """The whole HTTP answer for an error."""
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, ceil(error.retry_after)))
    if error.kind is Kind.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    return Reply(status=_code(error), body=encode_error(error), headers=headers)


def encode_error(error: RixinError) -> bytes:
    """The envelope of an error, for an answer's body and for a stream's end."""
    inner: JsonObject = {"code": _code(error), "message": _message(error), "status": STATUSES[error.kind]}
    if details := _details(error):
        inner["details"] = details
    return _ENCODER.encode({"error": inner})


def _code(error: RixinError) -> int:
    return error.status if error.kind in KEPT else CODES[STATUSES[error.kind]]


def _details(error: RixinError) -> list[JsonValue]:
    details: list[JsonValue] = []
    if error.param is not None:
        violation: JsonValue = {"field": error.param, "description": error.message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if error.retry_after is not None:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{max(0.0, error.retry_after):.3f}s"})
    return details


def _message(error: RixinError) -> str:
    """The error's words; those of an overflow are Google's own.

    A request that nobody counted is at least one token longer than the window.
    """
    if error.kind is not Kind.CONTEXT_OVERFLOW or error.limit is None:
        return error.message
    requested = max(error.requested or 0, error.limit + 1)
    return f"The input token count ({requested}) exceeds the maximum number of tokens allowed ({error.limit})."
