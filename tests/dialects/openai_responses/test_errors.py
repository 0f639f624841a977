"""Errors before a stream."""

import msgspec
import pytest

from rixin.dialects.openai_responses import DIALECT
from rixin.dialects.openai_responses.errors import CODES
from rixin.dialects.upstream_errors import parse_error
from rixin.errors import Kind, RixinError
from tests.dialects.openai_responses.asking import fresh_stamp


@pytest.mark.parametrize("kind", [*Kind], ids=str)
def test_every_kind_has_the_envelope(kind: Kind) -> None:
    """Message, type, param and code are there, under the kind's status."""
    reply = DIALECT.render_error(RixinError(kind, "Words.", param="x"), fresh_stamp())
    inner = msgspec.json.decode(reply.body)["error"]
    assert (reply.status, inner["message"], inner["param"]) == (RixinError(kind, "").status, "Words.", "x")
    assert inner["code"] == CODES[kind]
    assert inner["type"]


def test_e2_a_wait_is_told_in_header_and_words() -> None:
    """Codex reads the words, others the header."""
    reply = DIALECT.render_error(RixinError(Kind.RATE_LIMITED, "Slow down.", retry_after=2.5), fresh_stamp())
    assert reply.headers["retry-after"] == "3"
    assert msgspec.json.decode(reply.body)["error"] == {
        "message": "Slow down. Please try again in 3s.",
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }


def test_e2_a_wait_is_a_sentence_of_its_own() -> None:
    """Upstreams do not end their words as one would."""
    error = RixinError(Kind.RATE_LIMITED, "slow down", retry_after=1)
    message = msgspec.json.decode(DIALECT.render_error(error, fresh_stamp()).body)["error"]["message"]
    assert message == "slow down. Please try again in 1s."


def test_e2_a_wait_that_is_in_the_words_is_not_told_twice() -> None:
    """The upstream's own phrase stays."""
    error = RixinError(Kind.RATE_LIMITED, "Please try again in 500ms.", retry_after=0.5)
    assert msgspec.json.decode(DIALECT.render_error(error, fresh_stamp()).body)["error"]["message"] == error.message


@pytest.mark.parametrize(
    "kind", [Kind.CONTEXT_OVERFLOW, Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED, Kind.OVERLOADED, Kind.INVALID_REQUEST]
)
def test_what_we_render_is_read_as_the_same_kind(kind: Kind) -> None:
    """A server of ours in front of another one passes its errors on."""
    reply = DIALECT.render_error(RixinError(kind, "Words."), fresh_stamp())
    assert parse_error(reply.status, reply.headers, reply.body).kind is kind
