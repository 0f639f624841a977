"""Instants as people type them."""

from datetime import UTC, datetime

import pytest

from rixin.cli.durations import parse_expiry, parse_past
from rixin.errors import Kind, RixinError

NOW = datetime(2026, 11, 22, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5400), ("12h", 43200), ("30d", 2592000), ("8w", 4838400), ("1m", 60)]
)
def test_a_time_from_now_is_added(text: str, seconds: int) -> None:
    """Minutes, hours, days and weeks count from now."""
    assert parse_expiry(text, NOW) == NOW + seconds


def test_a_date_is_its_beginning_in_local_time() -> None:
    """A date without a zone is the user's own; one with a zone is exact."""
    assert parse_expiry("2030-12-31", NOW) == datetime(2030, 12, 31).timestamp()  # noqa: DTZ001 - local on purpose
    assert parse_expiry("2030-12-31T12:00:00+08:00", NOW) == datetime(2030, 12, 31, 4, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("text", ["", "0d", "-1d", "30", "d", "1y", "soon", "2026-11-21", "9999999d", "2030-13-01"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    """What is no time, or lies behind us, is an error about `expires`."""
    with pytest.raises(RixinError) as caught:
        parse_expiry(text, NOW)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, "expires")


def test_a_time_ago_is_taken_off() -> None:
    """`7d` is a week ago, a date its own beginning, whether it has passed or not."""
    assert parse_past("7d", NOW, "since") == NOW - 7 * 86400
    assert parse_past("2026-11-20T00:00:00+00:00", NOW, "since") == NOW - 2 * 86400
    assert parse_past("2026-11-23T00:00:00+00:00", NOW, "since") == NOW + 86400


@pytest.mark.parametrize("text", ["", "0d", "yesterday", "1969-01-01T00:00:00+00:00", "999999w"])
def test_no_time_is_refused_by_its_option(text: str) -> None:
    """The option is named, and how to write it."""
    with pytest.raises(RixinError, match="30d") as caught:
        parse_past(text, NOW, "until")
    assert caught.value.param == "until"
