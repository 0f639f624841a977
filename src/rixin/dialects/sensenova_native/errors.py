"""Errors as the native platform renders them: `{"error": {"code", "message", "details"}}`, the code being a number.

Source: SenseNova V6 API documentation, section on errors. The code decides the HTTP status, so kinds of errors that
have another one elsewhere have that of the table here.
"""

from math import ceil

import msgspec

from rixin.dialects.base import Reply, Stamp
from rixin.dialects.openai_chat.errors import error_message
from rixin.errors import Kind, RixinError

STATUSES: dict[int, int] = {
    1: 408,
    2: 500,
    3: 400,
    4: 504,
    5: 404,
    6: 409,
    7: 403,
    8: 429,
    9: 400,
    10: 409,
    11: 400,
    12: 501,
    13: 500,
    14: 503,
    15: 500,
    16: 401,
    17: 400,
    18: 400,
}
"""The documented map of codes to HTTP statuses."""

CODES: dict[Kind, int] = {
    Kind.INVALID_REQUEST: 3,
    Kind.CONTEXT_OVERFLOW: 17,
    Kind.CONTENT_POLICY: 18,
    Kind.UNAUTHENTICATED: 16,
    Kind.PERMISSION_DENIED: 7,
    Kind.MODEL_NOT_FOUND: 5,
    Kind.NOT_FOUND: 5,
    Kind.METHOD_NOT_ALLOWED: 12,
    Kind.CANCELLED: 1,
    Kind.REQUEST_TIMEOUT: 1,
    Kind.CONFLICT: 6,
    Kind.CONCURRENT: 10,
    Kind.TOO_LARGE: 3,
    Kind.UNSUPPORTED_MEDIA_TYPE: 3,
    Kind.RATE_LIMITED: 8,
    Kind.QUOTA_EXHAUSTED: 8,
    Kind.QUEUE_FULL: 8,
    Kind.CONFIGURATION: 13,
    Kind.INTERNAL: 13,
    Kind.NOT_IMPLEMENTED: 12,
    Kind.UPSTREAM_INVALID: 13,
    Kind.UPSTREAM_INTERRUPTED: 14,
    Kind.UPSTREAM_UNREACHABLE: 14,
    Kind.UPSTREAM_TIMEOUT: 4,
    Kind.UPSTREAM_CREDENTIAL: 13,
    Kind.OVERLOADED: 14,
    Kind.STARTING: 14,
    Kind.SHUTTING_DOWN: 14,
}

_ENCODER = msgspec.json.Encoder()


def render_error(error: RixinError, stamp: Stamp) -> Reply:  # noqa: ARG001 - this envelope has no place for the stamp
    """The whole HTTP answer for an error."""
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, ceil(error.retry_after)))
    if error.kind is Kind.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    return Reply(status=STATUSES[CODES[error.kind]], body=encode_error(error), headers=headers)


def encode_error(error: RixinError) -> bytes:
    """The envelope of an error, for an answer's body and for a stream's last event; details name the field at fault."""
    details = [] if error.param is None else [{"field": error.param}]
    inner = {"code": CODES[error.kind], "message": error_message(error), "details": details}
    return _ENCODER.encode({"error": inner})
