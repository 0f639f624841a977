"""What errors are worth: the answers that upstreams really give, through the dialect that reads them."""

import json

import pytest

from rixin.dialects.upstream_errors import parse_error
from rixin.errors import Kind, RixinError
from rixin.routing.classify import (
    LADDERS,
    LONGEST,
    OUTAGES,
    PAUSES,
    PER_MINUTE,
    PER_SECOND,
    RATES,
    SHORTEST,
    STEPS,
    VERDICTS,
    Fate,
    Then,
    key_rest,
    outage,
    rung,
)

REFUSALS: list[tuple[int, dict[str, str], Fate, float | None]] = [
    # SenseNova's token platform, as its users saw it answer; the wait is the first one
    (429, {"message": "rps exhausted", "type": "quota_exceeded_error", "code": "8"}, Fate.COOLED, 1.0),
    (429, {"message": "rpm exhausted", "type": "quota_exceeded_error", "code": "8"}, Fate.COOLED, 15.0),
    (429, {"message": "inference tpm exhausted", "type": "invalid_request_error", "code": "429001"}, Fate.COOLED, 3.0),
    (
        429,
        {"message": "inference exceeds tpm/rpm limit", "type": "rate_limit_error", "code": "429001"},
        Fate.COOLED,
        3.0,
    ),
    (429, {"message": "inference exceeds tpm/rpm limit", "code": "429003"}, Fate.COOLED, 3.0),
    (429, {"message": "inference exceeds tpm/rpm limit", "code": "insufficient_quota"}, Fate.COOLED, 3.0),
    (429, {"message": "slow down", "code": "ModelAccountTpmRateLimitExceeded"}, Fate.COOLED, 3.0),
    (429, {"message": "slow down", "code": "Throttling.BurstRate"}, Fate.COOLED, 3.0),
    (429, {"message": "shared", "code": "RateLimitExceeded.EndpointTPMExceeded"}, Fate.KEPT, None),
    (429, {"message": "shared", "code": "RateLimitExceeded.EndpointRPMExceeded"}, Fate.KEPT, None),
    (429, {"message": "Server is busy, please try again later"}, Fate.KEPT, None),
    (
        429,
        {"message": "token plan entitlement exhausted", "type": "quota_exceeded_error", "code": "8"},
        Fate.EXHAUSTED,
        300.0,
    ),
    (429, {"message": "plan balance exhausted", "code": "8"}, Fate.EXHAUSTED, 300.0),
    (429, {"message": "token plan limit exhausted", "code": "8"}, Fate.EXHAUSTED, 300.0),
    (429, {"message": "FREE_QUOTA_EXHAUSTED"}, Fate.EXHAUSTED, 300.0),
    (429, {"message": "Unauthorized: invalid api key", "code": "8"}, Fate.DEAD, 60.0),
    (401, {"message": "Authorization Not Found", "code": "16"}, Fate.DEAD, 60.0),
    (402, {"message": "Insufficient Balance"}, Fate.EXHAUSTED, 300.0),
    (403, {"message": "model is not available in the current token plan", "code": "7"}, Fate.UNFIT, None),
]


def read(status: int, body: object, **headers: str) -> RixinError:
    """The error that an answer amounts to."""
    return parse_error(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode()
    )


@pytest.mark.parametrize(("status", "error", "fate", "wait"), REFUSALS)
def test_a_refusal_is_the_keys_or_it_is_not(status: int, error: dict[str, str], fate: Fate, wait: float | None) -> None:
    """Rate, quota, dead key and saturated upstream are told apart by words, and each has its first wait."""
    refusal = read(status, {"error": error})
    verdict = VERDICTS[refusal.kind]
    assert verdict.fate is fate
    assert verdict.then is (Then.AGAIN if fate is Fate.KEPT else Then.ANOTHER_KEY)
    assert verdict.healthy is (fate is not Fate.KEPT)
    if wait is not None:
        assert key_rest(refusal, fate, 0) == (wait, False)


@pytest.mark.parametrize(
    ("status", "then"),
    [
        (400, Then.REPAIR),
        (404, Then.ELSEWHERE),
        (408, Then.ELSEWHERE),
        (413, Then.ELSEWHERE),
        (422, Then.REPAIR),
        (451, Then.STOP),
        (500, Then.AGAIN),
        (502, Then.AGAIN),
        (503, Then.AGAIN),
        (504, Then.ELSEWHERE),
        (520, Then.AGAIN),
        (523, Then.AGAIN),
        (524, Then.ELSEWHERE),
        (529, Then.AGAIN),
    ],
)
def test_a_status_decides_where_words_do_not(status: int, then: Then) -> None:
    """Failures of the upstream may be tried again, silence elsewhere only, refusals not at all."""
    assert VERDICTS[read(status, {"error": {"message": "?", "code": "x"}}).kind].then is then


def test_every_kind_has_a_verdict() -> None:
    """No error is forgotten, and what can be repaired is the request's fault alone."""
    assert set(VERDICTS) == set(Kind)
    assert [kind for kind, verdict in VERDICTS.items() if verdict.then is Then.REPAIR] == [Kind.INVALID_REQUEST]


def test_a_named_wait_wins_and_is_not_believed_without_end() -> None:
    """`retry-after` is taken as it is between a moment and the longest that is believed."""
    assert key_rest(read(429, {}, retry_after="7"), Fate.COOLED, 3) == (7.0, True)
    assert key_rest(read(429, {}, retry_after="0"), Fate.COOLED, 3) == (SHORTEST, True)
    assert key_rest(read(429, {}, retry_after="99999"), Fate.COOLED, 0) == (300.0, True)
    assert outage(read(503, {}, retry_after="12"), 0) == 12.0
    assert outage(read(503, {}, retry_after="999"), 0) == OUTAGES[-1]


def test_waits_grow() -> None:
    """Each ladder climbs, and holds its last step; none reaches beyond what is believed."""
    for ladder in (*LADDERS.values(), *(waits for _, waits in RATES), OUTAGES, PAUSES):
        assert sorted(set(ladder)) == list(ladder)
        assert rung(ladder, 99) == ladder[-1]
    assert all(ladder[-1] <= LONGEST[fate] for fate, ladder in LADDERS.items())
    assert STEPS == (3, 5, 10, 15, 30, 60, 120)
    assert (PER_MINUTE[0], PER_SECOND[0]) == (15, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 520, 521, 522, 523, 529, 530])
def test_e4_what_passes_is_tried_again(status: int) -> None:
    """Whatever stands in the body: nothing, a page of a proxy, or words."""
    for body in (b"", b"<html>error</html>", b'{"error":{"message":"try later"}}'):
        assert VERDICTS[parse_error(status, {}, body).kind].then is Then.AGAIN, body


@pytest.mark.parametrize("status", [504, 524])
def test_e5_a_prompt_that_may_be_read_still_is_not_sent_there_again(status: int) -> None:
    """A gateway that gave up waiting does not say that its upstream did."""
    assert VERDICTS[parse_error(status, {}, b"").kind].then is Then.ELSEWHERE
