"""Subjects of which the same is told."""

import pytest

from rixin.engines.draw.sides import sides_of
from rixin.engines.draw.specification import Side

CHINESE = {"电动车": ("18 万", "续航 520 公里"), "燃油车": ("15 万", "续航 700 公里")}
ENGLISH = {"Electric cars": ("Cost 18,000 dollars", "Go 520 km"), "Petrol cars": ("Cost 15,000 dollars", "Go 700 km")}
PHONES = {"iPhone": ("Price $999", "Weight 187 g"), "Pixel": ("Price $899", "Weight 213 g")}


@pytest.mark.parametrize(
    ("sentence", "sides"),
    [
        ("电动车 18 万，续航 520 公里；燃油车 15 万，续航 700 公里。", CHINESE),
        ("Electric cars cost 18,000 dollars and go 520 km; petrol cars cost 15,000 dollars and go 700 km.", ENGLISH),
        ("iPhone: price $999, weight 187 g; Pixel: price $899, weight 213 g", PHONES),
    ],
)
def test_numbers_of_the_same_things_stand_side_by_side(sentence: str, sides: dict[str, tuple[str, ...]]) -> None:
    """Each subject with its own, in the words and digits of the sentence."""
    comparison = sides_of(sentence)
    assert comparison is not None
    assert comparison.items == tuple(Side(name=name, points=points) for name, points in sides.items())


@pytest.mark.parametrize(
    "sentence",
    [
        "电动车 18 万，续航 520 公里。",
        "Tea has 3 kinds; coffee is bitter.",
        "Tea 3 cups, milk 2 cups; rain fell on 5 days, snow on 9.",
        "Tea 3 cups; coffee 2 cups.",
        "Tea 3 cups, sugar 1 g; tea 4 cups, sugar 2 g.",
        "",
        "a 1, b 2; " * 1000,
    ],
)
def test_other_sentences_are_none(sentence: str) -> None:
    """One subject, subjects without numbers, of different things, or of one thing alone, and far too many."""
    assert sides_of(sentence) is None
