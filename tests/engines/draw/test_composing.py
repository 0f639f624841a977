"""Specifications from prompts and from what a model wrote."""

import json

import pytest

from rixin.engines.draw.composing import MOST_BLOCKS, compose
from rixin.engines.draw.specification import Chart, Comparison, Figures, Listing, Sections


def written(*points: tuple[str, str], title: str = "A title", subtitle: str = "", kind: str = "sections") -> str:
    """A model's answer."""
    block = {"type": kind, "title": "", "items": [{"heading": h, "text": t} for h, t in points]}
    return json.dumps({"title": title, "subtitle": subtitle, "blocks": [block]}, ensure_ascii=False)


POINTS = (("Sun", "It warms the sea."), ("Cloud", "Vapour cools."), ("Rain", "Drops fall."))


def test_a_thin_prompt_is_helped_by_a_model() -> None:
    """A subject alone gets the points that a model wrote; the subject stays the title."""
    made = compose("Draw an infographic about clouds.", written(*POINTS, subtitle="From sea to sky"))
    assert made.written
    assert (made.specification.title, made.specification.subtitle) == ("Clouds", "From sea to sky")
    [sections] = made.specification.blocks
    assert isinstance(sections, Sections)
    assert [item.heading for item in sections.items] == ["Sun", "Cloud", "Rain"]


def test_a_full_prompt_speaks_for_itself() -> None:
    """Where a prompt says enough, a model's points are not drawn."""
    made = compose("# T\nWe need: bread, butter and salt", written(*POINTS))
    [listing] = made.specification.blocks
    assert isinstance(listing, Listing)
    assert not made.written


@pytest.mark.parametrize(
    ("prompt", "title", "kinds"),
    [
        (
            "Three reasons to drink water: it cools, carries nutrients and smooths joints. Adults need 2 litres a day.",
            "Three reasons to drink water",
            [Figures, Listing],
        ),
        (
            "比较电动车与燃油车：价格、续航、加油时间。电动车 18 万，续航 520 公里；燃油车 15 万，续航 700 公里。",
            "比较电动车与燃油车",
            [Listing, Comparison],
        ),
    ],
)
def test_prose_with_numbers_speaks_for_itself(prompt: str, title: str, kinds: list[type]) -> None:
    """Its first sentence names it, its numbers are drawn, and nothing that a model wrote can contradict them."""
    made = compose(prompt, written(*POINTS, subtitle="Drink a little"))
    assert made.specification.title == title
    assert [type(block) for block in made.specification.blocks] == kinds
    assert not made.written
    assert made.specification.subtitle == ""


@pytest.mark.parametrize("text", ["It has 12 parts.", "It doubles.", "Three things happen.", "分为三种情况。"])
def test_a_point_with_an_invented_number_is_left_out(text: str) -> None:
    """Numbers in digits or in words that the prompt has not are nobody's to draw."""
    [sections] = compose("Draw clouds", written(*POINTS, ("More", text))).specification.blocks
    assert isinstance(sections, Sections)
    assert "More" not in [item.heading for item in sections.items]


def test_a_title_with_an_invented_number_is_left_out() -> None:
    """A model's subtitle is held to the same."""
    made = compose("Draw clouds", written(*POINTS, subtitle="Seven wonders"))
    assert made.specification.subtitle == ""


def test_an_answer_that_was_cut_off_counts_as_far_as_it_came() -> None:
    """The points before the cut are drawn."""
    whole = written(*POINTS)
    [sections] = compose("Draw clouds", whole[: whole.index("Rain") + 2]).specification.blocks
    assert isinstance(sections, Sections)
    assert [item.heading for item in sections.items] == ["Sun", "Cloud"]


def test_a_rambling_sentence_is_cut_to_its_first() -> None:
    """Of a long text the first sentence is drawn, and a heading said twice once."""
    points = (("Sun", "It warms the sea. Then it goes on and on. And on."), ("Sun", "Again."), ("Sky", "It is blue."))
    [sections] = compose("Draw clouds", written(*points)).specification.blocks
    assert isinstance(sections, Sections)
    assert [(item.heading, item.text) for item in sections.items] == [
        ("Sun", "It warms the sea"),
        ("Sky", "It is blue"),
    ]


def test_data_alone_has_a_title() -> None:
    """The name of a table's numbers stands above them."""
    made = compose("city,rain\nOslo,12\nRome,30", "")
    assert made.specification.title == "Rain"
    assert isinstance(made.specification.blocks[0], Chart)
    compared = compose("Tea costs 3 dollars, has 5 calories; milk costs 2 dollars, has 60 calories.", "")
    assert compared.specification.title == "Tea vs Milk"


def test_charts_beside_each_other_keep_their_names() -> None:
    """Also one whose name is a part of the title; a chart that is alone needs not say it again."""
    table = "| City | Shops | Cups |\n|---|---|---|\n| Porto | 8 | 2,100 |\n| Faro | 3 | 610 |\n| Braga | 5 | 950 |"

    def names(prompt: str) -> list[str]:
        return [block.title for block in compose(prompt, "").specification.blocks if isinstance(block, Chart)]

    assert names(f"Draw a report on our coffee shops.\n\n{table}") == ["Shops", "Cups"]
    alone = "| City | Shops |\n|---|---|\n| Porto | 8 |\n| Faro | 3 |\n| Braga | 5 |"
    assert names(f"Draw a report on our coffee shops.\n\n{alone}") == [""]


def test_what_is_too_much_is_told() -> None:
    """Parts beyond what a picture can hold, and texts too long to be read in one, are named."""
    many = compose("# T\n" + "\n".join(f"- point {word}" for word in "abcdefghijklmnopqrst"), "")
    assert many.left_out == ("list",)
    assert compose("# T\n" + "word " * 100 + ".", "").left_out == ("text",)
    lists = compose("# T\n" + "".join(f"{letter}:\n- x\n- y\n" for letter in "abcdefghijkl"), "")
    assert len(lists.specification.blocks) == MOST_BLOCKS


def test_chinese_prompts_are_set_as_chinese() -> None:
    """The language is that of most of the words."""
    assert compose("画一张关于茶的信息图，用 PNG", "").specification.language == "zh"
    assert compose("Tea (茶) is a drink", "").specification.language == "en"


def test_figures_stand_before_all_else() -> None:
    """A number and what it counts come first."""
    made = compose("# T\nWe need: bread, butter and salt\n80% of the people agree.", "")
    assert [type(block) for block in made.specification.blocks] == [Figures, Listing]
