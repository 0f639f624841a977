"""Fields of the body."""

from typing import Any

import pytest

from rixin.core.cards import FieldRule
from rixin.core.requests import Change
from rixin.profiles.profile import Profile
from rixin.profiles.sanitizers import sanitize
from rixin.profiles.sanitizers.fields import DEFAULTS, nearest
from tests.profiles.sanitizing import Body, rewritten


def sent(profile: Profile, **fields: Any) -> dict[str, Any]:
    """What is sent besides model and messages."""
    body = rewritten({"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}, profile)
    return {name: value for name, value in body.items() if name not in ("model", "messages")}


@pytest.mark.parametrize(
    ("policy", "given", "expected"),
    [
        ("max_tokens", {"max_completion_tokens": 5}, {"max_tokens": 5}),
        ("max_completion_tokens", {"max_tokens": 5}, {"max_completion_tokens": 5}),
        ("both", {"max_tokens": 5}, {"max_tokens": 5, "max_completion_tokens": 5}),
        ("max_tokens", {"max_tokens": 9, "max_completion_tokens": 5}, {"max_tokens": 5}),
        ("max_tokens", {"max_tokens": None, "max_completion_tokens": 5}, {"max_tokens": 5}),
        ("max_tokens", {}, {}),
        (None, {"max_tokens": 9, "max_completion_tokens": 5}, {"max_tokens": 9, "max_completion_tokens": 5}),
    ],
)
def test_the_outputs_limit_goes_under_the_name_that_is_known(policy: Any, given: Any, expected: Any) -> None:
    """Of two limits the smaller holds, so that no answer is longer than either."""
    assert sent(Profile(max_tokens_field=policy), **given) == expected


@pytest.mark.parametrize(
    ("field", "value", "rule", "expected"),
    [
        ("temperature", 2.5, FieldRule(minimum=0, maximum=2), 2),
        ("temperature", -1, FieldRule(minimum=0, maximum=2), 0),
        ("temperature", 0, FieldRule(minimum=0, minimum_open=True, maximum=1), 1e-6),
        ("top_p", 1, FieldRule(minimum=0, maximum=1, maximum_open=True), 1 - 1e-6),
        ("top_p", 0.5, FieldRule(minimum=0.95, maximum=0.95), 0.95),
        ("seed", 10**9, FieldRule(minimum=0, maximum=9999999, maximum_open=True), 9999998),
        ("max_tokens", 10**6, FieldRule(minimum=1, maximum=65536), 65536),
    ],
)
def test_numbers_outside_become_the_nearest_inside(field: str, value: float, rule: FieldRule, expected: float) -> None:
    """At an open bound, just inside; whole numbers stay whole."""
    number = nearest(field, value, rule)
    assert number == pytest.approx(expected)
    assert rule.admits(number)
    assert sent(Profile(clamp={field: rule}), **{field: value}) == {field: number}


def test_the_rule_of_max_tokens_holds_for_its_other_name() -> None:
    """Unless that has one of its own; and what is no number is left alone."""
    rule = FieldRule(maximum=10)
    assert sent(Profile(clamp={"max_tokens": rule}), max_completion_tokens=99) == {"max_completion_tokens": 10}
    assert sent(Profile(clamp={"max_tokens": rule}), max_tokens=None) == {"max_tokens": None}
    assert sent(Profile(clamp={"max_tokens": rule}), max_tokens=True) == {"max_tokens": True}


@pytest.mark.parametrize(
    ("policy", "given", "expected"),
    [
        ("ask", {"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
        (
            "ask",
            {"stream": True, "stream_options": {"include_usage": False, "x": 1}},
            {"stream": True, "stream_options": {"include_usage": True, "x": 1}},
        ),
        ("ask", {"stream": False, "stream_options": {}}, {"stream": False}),
        ("ask", {}, {}),
        ("drop", {"stream": True, "stream_options": {}}, {"stream": True}),
        ("keep", {"stream": False, "stream_options": {}}, {"stream": False, "stream_options": {}}),
    ],
)
def test_usage_is_asked_for_in_streams_only(policy: Any, given: Any, expected: Any) -> None:
    """`stream_options` without a stream is refused by those who check."""
    assert sent(Profile(stream_usage=policy), **given) == expected


@pytest.mark.parametrize("field", DEFAULTS)
def test_a_default_goes_unsaid_and_nothing_else_does(field: str) -> None:
    """Each spelling of the default goes; any other value stays, and so does a bool that equals a number."""
    profile = Profile(drop_defaults=frozenset({field}))
    others = {"tools": [{"type": "function", "function": {"name": "f"}}]} if field != "tools" else {}
    for value in DEFAULTS[field]:
        assert field not in sent(profile, **{**others, field: value})
    for value in (True, False, "other"):
        if value not in DEFAULTS[field]:
            assert sent(profile, **{**others, field: value})[field] == value


def test_nulls_go_where_the_profile_says() -> None:
    """And only there."""
    assert sent(Profile(drop_nulls=True), user=None, seed=0) == {"seed": 0}
    assert sent(Profile(), user=None) == {"user": None}


def test_r31_fields_are_dropped_added_and_let_through_in_this_order() -> None:
    """What the profile sets itself passes its own whitelist, and each step has its name."""
    profile = Profile(
        allowed_fields=frozenset({"model", "messages", "temperature", "user"}),
        drop_params=frozenset({"user"}),
        extra_body={"safe": True, "temperature": 0.5},
    )
    body: Body = {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "user": "a",
        "temperature": 1,
        "new": 1,
    }
    sanitized = sanitize(body, profile)
    assert sanitized.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.5,
        "safe": True,
    }
    assert sanitized.changes == (
        Change("drop_param", "user"),
        Change("extra_body", "safe"),
        Change("extra_body", "temperature"),
        Change("drop_unlisted", "new"),
    )
