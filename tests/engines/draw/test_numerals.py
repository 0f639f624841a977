"""Numbers in texts, and which of them were given."""

import pytest

from rixin.engines.draw.numerals import given_numbers, numbers, stands_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,200 homes", ["1200"]),
        ("12.50% and 7", ["12.5%", "7"]),
        ("１２３个", ["123"]),
        ("2019年：310，2020年：355", ["2019", "310", "2020", "355"]),
        ("35 million people", ["35million", "million"]),
        ("three of the twelve", ["three", "twelve"]),
        ("三种方法，二十四节气", ["三种", "二十四"]),
        ("一起努力", []),
    ],
)
def test_numbers_are_found_in_digits_and_in_words(text: str, found: list[str]) -> None:
    """However it is written, a number has one form, with the power of ten or per cent behind it."""
    assert list(numbers(text)) == found


@pytest.mark.parametrize(
    ("text", "given", "stands"),
    [
        ("It grew by 12%", "growth 12%", True),
        ("It grew by 12 million", "growth 12%", False),
        ("1200 homes", "1,200 homes", True),
        ("Four reasons", "Reasons to read", False),
        ("588 and 120", "Q4,588,120", True),
        ("Nothing", "", True),
    ],
)
def test_a_number_stands_only_as_it_was_given(text: str, given: str, stands: bool) -> None:
    """A number with another unit, or one that the prompt has not, is invented."""
    assert stands_in(text, given_numbers(given)) is stands
