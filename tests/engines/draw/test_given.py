"""What a prompt gives, and what only looks like it."""

import pytest

from rixin.engines.draw.given import Given, covered

ENERGY = "Our power: Solar 34%, Wind 28%, Hydro 18%. In 2024 the wind farm made 1,200 GWh.\n80% is used within 50 km."
TABLE = (
    "| City | Shops | Cups |\n|---|---:|---:|\n| Lisbon | 12 | 3,400 |\n| Porto | 8 | 2,100 |\n\nQ1,420,61\nQ2,465,7"
)
FRUIT = "苹果30%，香蕉25%。成年人每晚需要7小时睡眠。"


@pytest.mark.parametrize(
    ("prompt", "label", "value"),
    [
        (ENERGY, "Solar", "34%"),
        (ENERGY, "wind", "28%"),
        (TABLE, "Lisbon", "12"),
        (TABLE, "Lisbon", "3,400"),
        (TABLE, "Q2", "465"),
        (FRUIT, "苹果", "30%"),
    ],
)
def test_values_of_their_labels_are_given(prompt: str, label: str, value: str) -> None:
    """In a clause of both, or in a row."""
    assert Given(prompt).pairs(label, value)


@pytest.mark.parametrize(
    ("prompt", "label", "value"),
    [
        (ENERGY, "Solar", "28%"),
        (ENERGY, "Solar", "35%"),
        (ENERGY, "Coal", "34%"),
        (ENERGY, "", "34%"),
        (ENERGY, "Solar", "many"),
        (TABLE, "Porto", "12"),
        (TABLE, "Q1", "465"),
        (FRUIT, "苹果", "25%"),
        (FRUIT, "香蕉", "30%"),
    ],
)
def test_values_of_other_labels_are_not(prompt: str, label: str, value: str) -> None:
    """A number that stands in the prompt for something else is as good as invented."""
    assert not Given(prompt).pairs(label, value)


@pytest.mark.parametrize(
    ("prompt", "text", "told"),
    [
        (ENERGY, "The wind farm made 1,200 GWh in 2024", True),
        (ENERGY, "Wind power without numbers", True),
        (ENERGY, "Bees made 1,200 kg of honey", False),
        (ENERGY, "The wind farm made 1,300 GWh", False),
        (ENERGY, "Wind doubles every year", False),
        (FRUIT, "每晚睡足7小时", True),
        (FRUIT, "猫有7条命", False),
    ],
)
def test_sentences_keep_their_numbers(prompt: str, text: str, told: bool) -> None:
    """A number counts as told where the prompt's sentence speaks of the same."""
    assert Given(prompt).tells(text) is told


def test_quotes_stand_in_the_prompt() -> None:
    """Case and punctuation apart, word for word."""
    given = Given('She said: "The best office is the one you look forward to" - A team lead.')
    assert given.quotes("the best office is the one you look forward to.")
    assert given.quotes("A team lead")
    assert not given.quotes("The best office is at home")
    assert not given.quotes("")


def test_the_same_in_other_words_is_covered() -> None:
    """Each text for itself, forms of words counting as one, with all of its numbers."""
    texts = ("The new warehouse opened in May.", "Sales rose in every quarter.")
    assert covered(texts, ["A new warehouse opens in May", "Quarterly sales rising: every quarter"])
    assert not covered(texts, ["A new warehouse opens in May"])
    assert not covered(["80% of people agree"], ["Most people agree"])
    assert covered(["垃圾要分类投放"], ["分类投放垃圾"])
    assert covered([], ["x"])
