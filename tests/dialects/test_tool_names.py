"""Names of tools that fit everywhere."""

import re

from hypothesis import given
from hypothesis import strategies as st

from rixin.dialects.tool_names import fitting


@given(st.text(), st.integers(min_value=16, max_value=64))
def test_every_name_comes_to_fit_and_then_stays(name: str, length: int) -> None:
    """Letters, digits, `-` and `_`, not too many of them; and what fits is not changed again."""
    fit = fitting(name, length)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", fit)
    assert len(fit) <= length
    assert fitting(fit, length) == fit


@given(st.text(max_size=80), st.text(max_size=80))
def test_two_names_stay_two(one: str, other: str) -> None:
    """The mark is made from the whole name, so that what differs only in what is cut off still differs."""
    assert (fitting(one) == fitting(other)) == (one == other)


def test_a_name_that_fits_is_left_alone() -> None:
    """Sixty-four letters are allowed, one more is not."""
    assert fitting("a" * 64) == "a" * 64
    assert fitting("a" * 65) != "a" * 65
    assert fitting("mcp__files__read-file") == "mcp__files__read-file"
    assert fitting("files.read").startswith("files_read_")
