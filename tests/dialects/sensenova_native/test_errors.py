"""Errors, rendered and read."""

import json

import pytest

from rixin.dialects.sensenova_native import DIALECT
from rixin.dialects.sensenova_native.errors import CODES, STATUSES
from rixin.errors import Kind, RixinError, invalid
from tests.dialects.support import STAMP

GUIDE = {
    1: 408, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500,
    14: 503, 15: 500, 16: 401, 17: 400, 18: 400,
}  # fmt: skip
"""The documentation's table."""


def test_the_map_is_the_documented_one() -> None:
    """18 codes, each with its status."""
    assert STATUSES == GUIDE
    assert set(CODES) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_an_error_has_a_number_a_message_and_details(kind: Kind) -> None:
    """The envelope is the documentation's, and the status is that of the code."""
    reply = DIALECT.render_error(RixinError(kind, "It is so."), STAMP)
    assert json.loads(reply.body) == {"error": {"code": CODES[kind], "message": "It is so.", "details": []}}
    assert list(json.loads(reply.body)["error"]) == ["code", "message", "details"]
    assert reply.status == GUIDE[CODES[kind]]


def test_details_name_the_field() -> None:
    """What is at fault, in the client's spelling."""
    reply = DIALECT.render_error(invalid("invalid top_p, should in (0,1).", "top_p"), STAMP)
    assert json.loads(reply.body)["error"]["details"] == [{"field": "top_p"}]


def test_an_overflow_tells_the_window() -> None:
    """The words are those that agents look for."""
    error = RixinError(Kind.CONTEXT_OVERFLOW, "Send less.", limit=32768, requested=40000)
    reply = DIALECT.render_error(error, STAMP)
    told = json.loads(reply.body)["error"]
    assert (reply.status, told["code"]) == (400, 17)
    assert "maximum context length is 32768 tokens, but the request needs 40000 tokens" in told["message"]


def test_headers_tell_when_to_come_back_and_how_to_come_in() -> None:
    """Whole seconds, at least one; a challenge where no credential was taken."""
    assert DIALECT.render_error(RixinError(Kind.RATE_LIMITED, "m", retry_after=0.2), STAMP).headers == {
        "retry-after": "1"
    }
    assert DIALECT.render_error(RixinError(Kind.UNAUTHENTICATED, "m"), STAMP).headers == {"www-authenticate": "Bearer"}


READ = {
    1: Kind.UPSTREAM_TIMEOUT,
    2: Kind.UPSTREAM_INVALID,
    3: Kind.INVALID_REQUEST,
    4: Kind.UPSTREAM_TIMEOUT,
    5: Kind.MODEL_NOT_FOUND,
    6: Kind.CONFLICT,
    7: Kind.PERMISSION_DENIED,
    8: Kind.RATE_LIMITED,
    9: Kind.INVALID_REQUEST,
    10: Kind.CONFLICT,
    11: Kind.INVALID_REQUEST,
    12: Kind.NOT_IMPLEMENTED,
    13: Kind.UPSTREAM_INVALID,
    14: Kind.OVERLOADED,
    15: Kind.UPSTREAM_INVALID,
    16: Kind.UPSTREAM_CREDENTIAL,
    17: Kind.CONTEXT_OVERFLOW,
    18: Kind.CONTENT_POLICY,
}
"""What each row of the table means of an upstream."""


@pytest.mark.parametrize(("code", "status"), GUIDE.items())
def test_an_upstreams_errors_are_read(code: int, status: int) -> None:
    """By the status and the number together."""
    assert DIALECT.upstream is not None
    body = json.dumps({"error": {"code": code, "message": "m", "details": []}}).encode()
    assert DIALECT.upstream.parse_error(status, {}, body).kind is READ[code]


@pytest.mark.parametrize("code", GUIDE)
def test_an_upstreams_errors_in_a_stream_are_read(code: int) -> None:
    """There the code alone tells what it means, for there is no status; a call that was ended has been interrupted."""
    assert DIALECT.upstream is not None
    event = f'data:{{"error":{{"code":{code},"message":"m","details":[]}}}}\n\n'.encode()
    reader = DIALECT.upstream.reader()
    with pytest.raises(RixinError) as caught:
        reader.feed(event)
    assert caught.value.kind is (Kind.UPSTREAM_INTERRUPTED if code == 1 else READ[code])
