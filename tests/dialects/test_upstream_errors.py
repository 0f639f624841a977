"""What upstreams' errors mean."""

import json
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rixin.dialects.error_report import ErrorReport, read_report
from rixin.dialects.upstream_errors import STATUSES, body_error, event_error, page_error, parse_error, unreadable
from rixin.errors import Kind, RixinError


def parse(status: int, body: Any, **headers: str) -> RixinError:
    """The error of a body, given as JSON or as bytes."""
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_error(status, {name.replace("_", "-"): value for name, value in headers.items()}, encoded)


@pytest.mark.parametrize(
    ("body", "report"),
    [
        (
            b'{"error":{"message":"m","type":"t","code":"5","param":"p"}}',
            ErrorReport(message="m", type="t", code="5", param="p"),
        ),
        (b'{"error":{"message":"m","code":16}}', ErrorReport(message="m", code="16")),
        (
            b'{"error":{"code":400,"message":"m","type":"t","n_prompt_tokens":9,"n_ctx":5}}',
            ErrorReport(message="m", type="t", code="400", limit=5, requested=9),
        ),
        (b'{"error":"m"}', ErrorReport(message="m")),
        (b'{"error":"m","code":"c"}', ErrorReport(message="m", code="c")),
        (b'{"error":"Bad Request","message":"m","status":400}', ErrorReport(message="m", code="400")),
        (b'{"detail":"m"}', ErrorReport(message="m")),
        (
            b'{"detail":[{"loc":["body","messages",0],"msg":"m","type":"t"},{"loc":["body","n"],"msg":"k"}]}',
            ErrorReport(message="messages.0: m; n: k", type="t", param="messages.0"),
        ),
        (b'{"code":"c","msg":"m"}', ErrorReport(message="m", code="c")),
        (b'{"error_code":17,"error_msg":"m"}', ErrorReport(message="m", code="17")),
        (b'{"base_resp":{"status_code":1004,"status_msg":"m"}}', ErrorReport(message="m", code="1004")),
        (b'{"object":"error","message":"m","type":"t","code":400}', ErrorReport(message="m", type="t", code="400")),
        (
            b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}',
            ErrorReport(message="m", type="overloaded_error"),
        ),
        (b'{"errors":[{"message":"a"},{"message":"b"}]}', ErrorReport(message="a; b")),
        (b'[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]', ErrorReport(message="m", code="429")),
        (b'data: {"error":{"message":"m"}}', ErrorReport(message="m")),
        (b'"m"', ErrorReport(message="m")),
        (b"404 page not found", ErrorReport(message="404 page not found")),
        (
            b"<html><head><title>502 Bad\n Gateway</title></head></html>",
            ErrorReport(message="502 Bad Gateway", page=True),
        ),
        (b"<h1>Access <b>denied</b></h1><p>You sent: Hi</p>", ErrorReport(message="Access denied", page=True)),
        (b"<p>You sent: Hi</p>", ErrorReport(page=True)),
        (b'{"error":{"message":"m","retry_after":2.5}}', ErrorReport(message="m", retry_after=2.5)),
        (b"", ErrorReport()),
        (b"null", ErrorReport()),
        (b"[]", ErrorReport()),
        (b"{}", ErrorReport()),
        (b'{"error":{}}', ErrorReport()),
    ],
)
def test_e7_a_body_of_any_shape_becomes_a_report(body: bytes, report: ErrorReport) -> None:
    """Text, pages, nested errors, lists: whoever has words, codes or fields is heard."""
    assert read_report(body) == report


def said(message: str, code: str | None = None, type_: str | None = None) -> dict[str, Any]:
    """An error in OpenAI's envelope."""
    fields = {"message": message, "type": type_, "code": code}
    return {"error": {name: value for name, value in fields.items() if value is not None}}


SENSENOVA: list[tuple[int, Any, Kind]] = [
    (400, said("invalid temperature, should in [0,2].", "3", "invalid_request_error"), Kind.INVALID_REQUEST),
    (400, said("Errors in message queue response", "3", "invalid_request_error"), Kind.INVALID_REQUEST),
    (400, said("image down failed", "3", "invalid_request_error"), Kind.INVALID_REQUEST),
    (401, {"error": {"code": 16, "message": "Authorization Not Found"}}, Kind.UPSTREAM_CREDENTIAL),
    (
        403,
        said("model is not available in the current token plan", "7", "permission_denied_error"),
        Kind.PERMISSION_DENIED,
    ),
    (404, said("model is not found", "5", "not_found_error"), Kind.MODEL_NOT_FOUND),
    (404, said("model route not found", "5", "not_found_error"), Kind.MODEL_NOT_FOUND),
    (404, b"404 page not found", Kind.CONFIGURATION),
    (429, said("rps exhausted", "8", "quota_exceeded_error"), Kind.RATE_LIMITED),
    (429, said("rpm exhausted", "8", "quota_exceeded_error"), Kind.RATE_LIMITED),
    (429, said("inference tpm exhausted", "429001", "invalid_request_error"), Kind.RATE_LIMITED),
    (429, said("inference exceeds tpm/rpm limit", "429001", "rate_limit_error"), Kind.RATE_LIMITED),
    (429, said("inference exceeds tpm/rpm limit", "insufficient_quota"), Kind.RATE_LIMITED),
    (429, said("inference exceeds tpm/rpm limit", "RateLimitExceeded.EndpointTPMExceeded"), Kind.OVERLOADED),
    (429, said("inference exceeds tpm/rpm limit", "RateLimitExceeded.EndpointRPMExceeded"), Kind.OVERLOADED),
    (429, said("inference exceeds tpm/rpm limit", "ModelAccountTpmRateLimitExceeded"), Kind.RATE_LIMITED),
    (429, said("slow down", "Throttling.BurstRate"), Kind.RATE_LIMITED),
    (429, said("token plan entitlement exhausted", "8", "quota_exceeded_error"), Kind.QUOTA_EXHAUSTED),
    (429, said("plan balance exhausted", "8", "quota_exceeded_error"), Kind.QUOTA_EXHAUSTED),
    (429, said("token plan limit exhausted", "8", "quota_exceeded_error"), Kind.QUOTA_EXHAUSTED),
    (429, said("FREE_QUOTA_EXHAUSTED", "8"), Kind.QUOTA_EXHAUSTED),
    (429, said("Server is busy, please try again later"), Kind.OVERLOADED),
    (429, said("invalid api key", "8"), Kind.UPSTREAM_CREDENTIAL),
    (500, said("internal", "13", "internal_server_error"), Kind.UPSTREAM_INVALID),
]

OTHERS: list[tuple[int, Any, Kind]] = [
    (400, said("Too long.", "context_length_exceeded"), Kind.CONTEXT_OVERFLOW),
    (400, said("prompt is too long: 9 tokens > 5 maximum", type_="invalid_request_error"), Kind.CONTEXT_OVERFLOW),
    (413, said("Request body too large for x model. Max size: 8000 tokens."), Kind.CONTEXT_OVERFLOW),
    (
        500,
        {"error": {"code": 500, "message": "the request exceeds the available context size."}},
        Kind.CONTEXT_OVERFLOW,
    ),
    (413, b"<html>413 Request Entity Too Large</html>", Kind.UPSTREAM_INVALID),
    (413, {"error": "payload too large"}, Kind.TOO_LARGE),
    (400, said("The response was filtered by our content policy.", "content_filter"), Kind.CONTENT_POLICY),
    (400, said("内容违规", "1301"), Kind.CONTENT_POLICY),
    (403, said("blocked by content safety", "7"), Kind.CONTENT_POLICY),
    (
        400,
        {"code": "DataInspectionFailed", "message": "Input data may contain inappropriate content."},
        Kind.CONTENT_POLICY,
    ),
    (402, said("Insufficient Balance", "invalid_request_error", "unknown_error"), Kind.QUOTA_EXHAUSTED),
    (403, said("out of credits", "insufficient_quota"), Kind.QUOTA_EXHAUSTED),
    (
        429,
        said("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota"),
        Kind.QUOTA_EXHAUSTED,
    ),
    (429, said("Rate limit reached for requests", "rate_limit_exceeded"), Kind.RATE_LIMITED),
    (429, said("engine is currently overloaded", type_="engine_overloaded_error"), Kind.OVERLOADED),
    (429, b"", Kind.RATE_LIMITED),
    (401, b"", Kind.UPSTREAM_CREDENTIAL),
    (404, {"error": "model 'x' not found, try pulling it first"}, Kind.MODEL_NOT_FOUND),
    (404, {"detail": "Not Found"}, Kind.CONFIGURATION),
    (408, b"", Kind.UPSTREAM_TIMEOUT),
    (
        422,
        {"detail": [{"loc": ["body", "n"], "msg": "Input should be a valid integer", "type": "int"}]},
        Kind.INVALID_REQUEST,
    ),
    (503, said("down", type_="api_error"), Kind.OVERLOADED),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, Kind.OVERLOADED),
    (502, b"<html><title>502 Bad Gateway</title></html>", Kind.UPSTREAM_UNREACHABLE),
    (504, b"upstream request timeout", Kind.UPSTREAM_TIMEOUT),
    (524, b"", Kind.UPSTREAM_TIMEOUT),
    (521, b"<html>", Kind.UPSTREAM_UNREACHABLE),
    (403, b"<!DOCTYPE html><title>Just a moment...</title>", Kind.UPSTREAM_INVALID),
    (500, b"Internal Server Error", Kind.UPSTREAM_INVALID),
    (418, b"teapot", Kind.UPSTREAM_INVALID),
]


@pytest.mark.parametrize(("status", "body", "kind"), SENSENOVA + OTHERS)
def test_an_error_is_classified(status: int, body: Any, kind: Kind) -> None:
    """By the message's words where vendors' codes lie, by code, and last by status."""
    assert parse(status, body).kind is kind


def test_every_status_of_an_error_is_some_kind() -> None:
    """An empty body leaves the status, and an unknown one is the upstream's fault."""
    for status in range(400, 600):
        error = parse(status, b"{}")
        expected = Kind.CONFIGURATION if status == 404 else STATUSES.get(status, Kind.UPSTREAM_INVALID)
        assert error.kind is expected
        assert error.message


@pytest.mark.parametrize("kind", Kind)
def test_our_own_children_are_understood_exactly(kind: Kind) -> None:
    """Type and code name the kind; every field arrives as it was raised, whatever the status was."""
    body: dict[str, Any] = {
        "error": {
            "message": "Exactly this: prompt is too long.",
            "type": kind.value,
            "code": kind.value,
            "param": "messages",
            "limit": 4096,
            "requested": 5000,
            "retry_after": 2.5,
        }
    }
    for error in (parse(500, body), body_error(body)):
        assert error is not None
        assert error.kind is (Kind.UPSTREAM_CREDENTIAL if kind is Kind.UNAUTHENTICATED else kind)
        assert (error.message, error.param) == ("Exactly this: prompt is too long.", "messages")
        assert (error.limit, error.requested, error.retry_after) == (4096, 5000, 2.5)


def test_an_overflow_tells_its_numbers() -> None:
    """From the words, or from llama.cpp's own fields."""
    error = parse(400, {"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}})
    assert (error.limit, error.requested) == (200000, 210000)
    body = {
        "error": {
            "code": 400,
            "message": "too long",
            "type": "exceed_context_size_error",
            "n_ctx": 5,
            "n_prompt_tokens": 9,
        }
    }
    error = parse(400, body)
    assert (error.kind, error.limit, error.requested) == (Kind.CONTEXT_OVERFLOW, 5, 9)


def test_a_wait_is_kept() -> None:
    """From headers, and from words."""
    assert parse(429, {"error": {"message": "slow down"}}, retry_after="7").retry_after == 7
    assert parse(429, {"error": {"message": "try again in 3s"}}).retry_after == 3
    assert parse(429, {"error": {"message": "slow down"}}).retry_after is None


def test_e7_secrets_are_masked() -> None:
    """Keys that an upstream repeats reach neither client nor log."""
    message = "Incorrect API key provided: sk-abcd1234efgh. Header was 'Bearer tok_en.123456'."
    error = parse(400, {"error": {"message": message}})
    assert error.message == "Incorrect API key provided: sk-***. Header was 'Bearer ***'."
    assert error.detail is not None
    assert "abcd1234" not in error.detail + error.message
    assert "123456" not in error.detail + error.message


def test_a_refused_credential_is_not_told_as_the_clients() -> None:
    """The client reads that the upstream refused us; the log reads what it said."""
    error = parse(401, {"error": {"message": "Authorization Not Found", "code": 16}})
    assert error.status == 502
    assert error.message == "The upstream did not accept our credential."
    assert error.detail == "upstream status 401, code 16: Authorization Not Found"


def test_messages_are_of_a_reasonable_length() -> None:
    """A long one is cut, an absent one is replaced, and a page's words stay in the log."""
    assert parse(400, b"x" * 5000).message == "x" * 1000 + "..."
    assert parse(500, b"").message == "The upstream answered with status 500."
    page = parse(502, b"<html><title>nginx 10.0.0.5</title></html>")
    assert page.message == "The upstream answered with a web page instead of JSON."
    assert page.detail is not None
    assert "nginx" in page.detail


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"error": {"message": "m", "code": 429}}, Kind.RATE_LIMITED),
        ({"error": {"message": "m", "code": 503}}, Kind.OVERLOADED),
        ({"error": "broken"}, Kind.UPSTREAM_INVALID),
        ({"choices": [], "error": {"message": "m", "type": "server_error"}}, Kind.UPSTREAM_INVALID),
        ({"base_resp": {"status_code": 1039, "status_msg": "tpm"}}, Kind.RATE_LIMITED),
        ({"object": "error", "message": "m", "code": 40303}, Kind.UPSTREAM_INVALID),
        ({"code": "17", "msg": "too long"}, Kind.CONTEXT_OVERFLOW),
        ({"detail": "m"}, Kind.UPSTREAM_INVALID),
        ({"base_resp": {"status_code": 0}}, None),
        ({"choices": [], "error": None}, None),
        ({"id": "x", "object": "chat.completion.chunk", "usage": {"prompt_tokens": 1}}, None),
        ({"choices": [{"message": {"content": "error"}}], "message": "x"}, None),
        ({}, None),
    ],
)
def test_an_error_with_status_200_is_found(value: Any, kind: Kind | None) -> None:
    """Whole answers and chunks are errors when they say so, and no others are."""
    error = body_error(value)
    assert (None if error is None else error.kind) is kind


def test_other_ways_to_fail_in_a_stream() -> None:
    """An error event's data, a page, and what is no JSON."""
    assert event_error('{"type":"error","error":{"type":"rate_limit_error","message":"m"}}').kind is Kind.RATE_LIMITED
    assert event_error("plain words").message == "plain words"
    assert page_error(b"<html>").kind is Kind.UPSTREAM_INVALID
    error = unreadable(b"\xff sk-abcdefgh12 " + b"x" * 1000)
    assert (error.kind, error.message) == (Kind.UPSTREAM_INVALID, "The upstream sent something that is not an answer.")
    assert error.detail is not None
    assert "abcdefgh" not in error.detail
    assert len(error.detail) <= 500


NAMES = st.sampled_from(["error", "errors", "detail", "base_resp", "message", "code", "type", "loc", "limit"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "errors", "detail", "base_resp", "message", "code", "type", "loc", "limit"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(st.integers(400, 599), JSON | st.binary(max_size=50))
def test_any_body_is_some_error(status: int, body: Any) -> None:
    """Nothing that an upstream sends makes the normaliser fail."""
    encoded = body if isinstance(body, bytes) else msgspec.json.encode(body)
    assert parse_error(status, {}, encoded).message
    if isinstance(body, dict):
        body_error(cast("Any", body))


def test_deep_errors_are_read_as_far_as_makes_sense() -> None:
    """Nesting beyond all reason costs no stack."""
    assert parse(400, b'{"error":' * 500 + b'"m"' + b"}" * 500).kind is Kind.INVALID_REQUEST
    assert parse(400, b"[" * 100_000).kind is Kind.INVALID_REQUEST
