"""Errors in Google's envelope; row G1 of the agents' hard cases."""

import json

import pytest

from rixin.dialects.gemini import DIALECT
from rixin.dialects.gemini.errors import CODES, STATUSES
from rixin.dialects.overflow import find_overflow
from rixin.errors import Kind, RixinError, invalid
from tests.dialects.support import STAMP

RPC = "type.googleapis.com/google.rpc."


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        (Kind.INVALID_REQUEST, 400, "INVALID_ARGUMENT"),
        (Kind.CONTENT_POLICY, 400, "INVALID_ARGUMENT"),
        (Kind.UNAUTHENTICATED, 401, "UNAUTHENTICATED"),
        (Kind.PERMISSION_DENIED, 403, "PERMISSION_DENIED"),
        (Kind.MODEL_NOT_FOUND, 404, "NOT_FOUND"),
        (Kind.NOT_FOUND, 404, "NOT_FOUND"),
        (Kind.METHOD_NOT_ALLOWED, 405, "UNIMPLEMENTED"),
        (Kind.TOO_LARGE, 413, "INVALID_ARGUMENT"),
        (Kind.RATE_LIMITED, 429, "RESOURCE_EXHAUSTED"),
        (Kind.QUOTA_EXHAUSTED, 429, "RESOURCE_EXHAUSTED"),
        (Kind.INTERNAL, 500, "INTERNAL"),
        (Kind.UPSTREAM_INTERRUPTED, 503, "UNAVAILABLE"),
        (Kind.UPSTREAM_TIMEOUT, 504, "DEADLINE_EXCEEDED"),
        (Kind.OVERLOADED, 503, "UNAVAILABLE"),
        (Kind.STARTING, 503, "UNAVAILABLE"),
    ],
)
def test_g1_each_kind_has_its_status(kind: Kind, code: int, status: str) -> None:
    """Of Google's words, and the same number in body and answer."""
    reply = DIALECT.render_error(RixinError(kind, "What is wrong."), STAMP)
    assert json.loads(reply.body) == {"error": {"code": code, "message": "What is wrong.", "status": status}}
    assert reply.status == code


def test_g1_every_kind_has_a_status() -> None:
    """None was forgotten, and each status is one of Google's."""
    assert set(STATUSES) == set(Kind)
    assert set(STATUSES.values()) <= set(CODES)


def test_g1_details_name_the_field_and_the_wait() -> None:
    """As `google.rpc` has them; Gemini CLI waits as long as they say."""
    reply = DIALECT.render_error(invalid("invalid contents, it is wrong.", "contents"), STAMP)
    [details] = json.loads(reply.body)["error"]["details"]
    violation = {"field": "contents", "description": "invalid contents, it is wrong."}
    assert details == {"@type": f"{RPC}BadRequest", "fieldViolations": [violation]}
    reply = DIALECT.render_error(RixinError(Kind.RATE_LIMITED, "Slow down.", retry_after=1.2), STAMP)
    assert json.loads(reply.body)["error"]["details"] == [{"@type": f"{RPC}RetryInfo", "retryDelay": "1.200s"}]
    assert reply.headers["retry-after"] == "2"


@pytest.mark.parametrize(("limit", "requested", "least"), [(1000, 2500, 2500), (1000, None, 1001), (1000, 10, 1001)])
def test_g1_an_overflow_is_told_in_googles_words(limit: int, requested: int | None, least: int) -> None:
    """With numbers that whoever reads them finds again."""
    error = RixinError(Kind.CONTEXT_OVERFLOW, "It is.", limit=limit, requested=requested)
    told = json.loads(DIALECT.render_error(error, STAMP).body)["error"]
    assert (told["code"], told["status"]) == (400, "INVALID_ARGUMENT")
    assert told["message"] == (
        f"The input token count ({least}) exceeds the maximum number of tokens allowed ({limit})."
    )
    overflow = find_overflow(told["message"])
    assert overflow is not None
    assert (overflow.limit, overflow.requested) == (limit, least)


def test_g1_an_overflow_without_numbers_keeps_its_words() -> None:
    """There are none to tell."""
    reply = DIALECT.render_error(RixinError(Kind.CONTEXT_OVERFLOW, "It is."), STAMP)
    assert json.loads(reply.body)["error"]["message"] == "It is."


def test_who_is_unknown_is_told_how_to_say_who_they_are() -> None:
    """A 401 names the scheme."""
    headers = DIALECT.render_error(RixinError(Kind.UNAUTHENTICATED, "Who?"), STAMP).headers
    assert headers["www-authenticate"] == "Bearer"
