"""Errors as clients of Messages read them; rows A12 and A13 of the agents' hard cases."""

import json
from typing import Any

import pytest

from rixin.dialects.anthropic import DIALECT
from rixin.dialects.anthropic.errors import WORDS
from rixin.errors import Kind, RixinError
from tests.dialects.anthropic.asking import ask
from tests.dialects.support import STAMP


def body(error: RixinError) -> dict[str, Any]:
    """The envelope of an error."""
    return json.loads(DIALECT.render_error(error, STAMP).body)


@pytest.mark.parametrize(
    ("limit", "requested", "message"),
    [
        (200000, 208310, "prompt is too long: 208310 tokens > 200000 maximum"),
        (32768, None, "prompt is too long: 32769 tokens > 32768 maximum"),
        (None, None, "prompt is too long: It is."),
    ],
)
def test_a12_an_overflow_is_told_in_anthropics_words(limit: int | None, requested: int | None, message: str) -> None:
    """Claude Code reads the numbers; it is a 400 that nobody tries again, also in mid-stream."""
    error = RixinError(Kind.CONTEXT_OVERFLOW, "It is.", limit=limit, requested=requested)
    reply = DIALECT.render_error(error, STAMP)
    expected = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": message},
        "request_id": STAMP.request_id,
    }
    assert (reply.status, json.loads(reply.body)) == (400, expected)
    assert reply.headers["x-should-retry"] == "false"
    stream = DIALECT.writer(ask(), STAMP).fail(error)
    assert stream == b"event: error\ndata: " + reply.body + b"\n\n"


@pytest.mark.parametrize(
    ("kind", "status", "type_"),
    [
        (Kind.INVALID_REQUEST, 400, "invalid_request_error"),
        (Kind.CONTENT_POLICY, 400, "invalid_request_error"),
        (Kind.UNAUTHENTICATED, 401, "authentication_error"),
        (Kind.PERMISSION_DENIED, 403, "permission_error"),
        (Kind.MODEL_NOT_FOUND, 404, "not_found_error"),
        (Kind.NOT_FOUND, 404, "not_found_error"),
        (Kind.TOO_LARGE, 413, "request_too_large"),
        (Kind.RATE_LIMITED, 429, "rate_limit_error"),
        (Kind.QUOTA_EXHAUSTED, 429, "rate_limit_error"),
        (Kind.QUEUE_FULL, 429, "rate_limit_error"),
        (Kind.INTERNAL, 500, "api_error"),
        (Kind.UPSTREAM_INTERRUPTED, 502, "api_error"),
        (Kind.UPSTREAM_TIMEOUT, 504, "timeout_error"),
        (Kind.OVERLOADED, 529, "overloaded_error"),
        (Kind.STARTING, 529, "overloaded_error"),
        (Kind.SHUTTING_DOWN, 529, "overloaded_error"),
    ],
)
def test_a13_each_kind_has_its_status_and_type(kind: Kind, status: int, type_: str) -> None:
    """As Anthropic's reference has them."""
    error = RixinError(kind, "What is wrong.")
    reply = DIALECT.render_error(error, STAMP)
    assert reply.status == status
    assert json.loads(reply.body)["error"] == {"type": type_, "message": "What is wrong."}
    assert reply.headers["request-id"] == json.loads(reply.body)["request_id"] == STAMP.request_id


def test_a13_every_kind_has_words() -> None:
    """None was forgotten."""
    assert set(WORDS) == set(Kind)


def test_a13_a_wait_is_told_in_seconds() -> None:
    """Whole seconds, rounded up, and the milliseconds that Anthropic's SDKs prefer."""
    headers = DIALECT.render_error(RixinError(Kind.RATE_LIMITED, "Slow down.", retry_after=1.2), STAMP).headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1200")
    assert "x-should-retry" not in headers


def test_a13_errors_of_other_vendors_are_remapped() -> None:
    """What a vLLM says of a model that it has not is Anthropic's `not_found_error`."""
    assert DIALECT.upstream is not None
    said = {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}
    error = DIALECT.upstream.parse_error(404, {}, json.dumps(said).encode())
    assert body(error)["error"]["type"] == "not_found_error"


def test_who_is_unknown_is_told_how_to_say_who_they_are() -> None:
    """A 401 names the scheme."""
    headers = DIALECT.render_error(RixinError(Kind.UNAUTHENTICATED, "Who?"), STAMP).headers
    assert headers["www-authenticate"] == "Bearer"
