"""The one error type, and the one table that says what each kind of error means.

Every room raises `RixinError`; foreign exceptions are translated where they enter the house. A dialect renders the
error in its own words, so nothing here knows an envelope, a type string or a numeric code.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

SHORTEST_SECRET: Final = 6
"""Characters that a secret of the server's own must have to be looked for: shorter ones would hide ordinary words."""


class Kind(StrEnum):
    """What went wrong, in the terms of who can do something about it."""

    INVALID_REQUEST = "invalid_request"
    CONTEXT_OVERFLOW = "context_overflow"
    CONTENT_POLICY = "content_policy"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    MODEL_NOT_FOUND = "model_not_found"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CANCELLED = "cancelled"
    REQUEST_TIMEOUT = "request_timeout"
    CONFLICT = "conflict"
    CONCURRENT = "concurrent"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    QUEUE_FULL = "queue_full"
    CONFIGURATION = "configuration"
    INTERNAL = "internal"
    NOT_IMPLEMENTED = "not_implemented"
    UPSTREAM_INVALID = "upstream_invalid"
    UPSTREAM_INTERRUPTED = "upstream_interrupted"
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_CREDENTIAL = "upstream_credential"
    OVERLOADED = "overloaded"
    STARTING = "starting"
    SHUTTING_DOWN = "shutting_down"


class Meaning(NamedTuple):
    """What a kind of error implies for the answer, for routing and for the log."""

    status: int
    """The HTTP status of an answer that has not begun."""
    retryable: bool
    """Whether the same request may pass on another candidate, or a little later."""
    log_level: str
    """`debug`, `info`, `warning` or `error`: what an operator should see of it."""


MEANINGS: dict[Kind, Meaning] = {
    Kind.INVALID_REQUEST: Meaning(400, retryable=False, log_level="info"),
    Kind.CONTEXT_OVERFLOW: Meaning(400, retryable=False, log_level="info"),
    Kind.CONTENT_POLICY: Meaning(403, retryable=False, log_level="info"),
    Kind.UNAUTHENTICATED: Meaning(401, retryable=False, log_level="info"),
    Kind.PERMISSION_DENIED: Meaning(403, retryable=False, log_level="info"),
    Kind.MODEL_NOT_FOUND: Meaning(404, retryable=False, log_level="info"),
    Kind.NOT_FOUND: Meaning(404, retryable=False, log_level="debug"),
    Kind.METHOD_NOT_ALLOWED: Meaning(405, retryable=False, log_level="debug"),
    Kind.CANCELLED: Meaning(499, retryable=False, log_level="info"),
    Kind.REQUEST_TIMEOUT: Meaning(408, retryable=False, log_level="info"),
    Kind.CONFLICT: Meaning(409, retryable=False, log_level="info"),
    Kind.CONCURRENT: Meaning(409, retryable=True, log_level="info"),
    Kind.TOO_LARGE: Meaning(413, retryable=False, log_level="info"),
    Kind.UNSUPPORTED_MEDIA_TYPE: Meaning(415, retryable=False, log_level="info"),
    Kind.RATE_LIMITED: Meaning(429, retryable=True, log_level="info"),
    Kind.QUOTA_EXHAUSTED: Meaning(429, retryable=False, log_level="info"),
    Kind.QUEUE_FULL: Meaning(429, retryable=True, log_level="warning"),
    Kind.CONFIGURATION: Meaning(500, retryable=False, log_level="error"),
    Kind.INTERNAL: Meaning(500, retryable=False, log_level="error"),
    Kind.NOT_IMPLEMENTED: Meaning(501, retryable=False, log_level="info"),
    Kind.UPSTREAM_INVALID: Meaning(502, retryable=True, log_level="warning"),
    Kind.UPSTREAM_INTERRUPTED: Meaning(502, retryable=True, log_level="warning"),
    Kind.UPSTREAM_UNREACHABLE: Meaning(502, retryable=True, log_level="warning"),
    Kind.UPSTREAM_TIMEOUT: Meaning(504, retryable=True, log_level="warning"),
    Kind.UPSTREAM_CREDENTIAL: Meaning(502, retryable=True, log_level="error"),
    Kind.OVERLOADED: Meaning(503, retryable=True, log_level="warning"),
    Kind.STARTING: Meaning(503, retryable=True, log_level="info"),
    Kind.SHUTTING_DOWN: Meaning(503, retryable=True, log_level="info"),
}


class RixinError(Exception):
    """An error that a client may read.

    Args:
        kind: Which row of `MEANINGS` applies.
        message: One or two sentences for the client: what is wrong and what to do. Never a path, address or stack of
            ours.
        param: The request field that is at fault, in the client's own spelling (`messages[2].content`).
        retry_after: Seconds until trying again makes sense.
        limit: For `CONTEXT_OVERFLOW`, the window in tokens.
        requested: For `CONTEXT_OVERFLOW`, the tokens asked for.
        detail: What the log may know and the client may not.
    """

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        limit: int | None = None,
        requested: int | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.param = param
        self.retry_after = retry_after
        self.limit = limit
        self.requested = requested
        self.detail = detail

    def conceal(self, secrets: Iterable[str]) -> None:
        """Takes texts that nobody may read out of what it says."""
        for secret in sorted((text for text in secrets if len(text) >= SHORTEST_SECRET), key=len, reverse=True):
            self.message = self.message.replace(secret, "***")
            self.detail = self.detail and self.detail.replace(secret, "***")
        self.args = (self.message,)

    @property
    def status(self) -> int:
        """The HTTP status of this error, where the answer has not begun."""
        return MEANINGS[self.kind].status

    @property
    def retryable(self) -> bool:
        """Whether another candidate, or a later try, may succeed."""
        return MEANINGS[self.kind].retryable

    @property
    def log_level(self) -> str:
        """The level at which the log records this error."""
        return MEANINGS[self.kind].log_level


def invalid(message: str, param: str | None = None) -> RixinError:
    """The error for a request whose field `param` is wrong."""
    return RixinError(Kind.INVALID_REQUEST, message, param=param)
