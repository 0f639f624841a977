"""Prompts read for what can be drawn of them."""

import pytest

from rixin.engines.draw.prompt import read_prompt
from rixin.engines.draw.specification import (
    Comparison,
    Figures,
    Hierarchy,
    Listing,
    Quote,
    Sections,
    Steps,
    Timeline,
)


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("Create an infographic about the water cycle.", "The water cycle"),
        ("Please make me a colorful poster of healthy food in a flat style", "Healthy food"),
        ('Draw an infographic titled "Where power comes from". Use green.', "Where power comes from"),
        ("# Brewing tea\n- a\n- b", "Brewing tea"),
        ("Title: Backups\nKeep three copies.", "Backups"),
        ("请生成一张关于城市绿地的信息图", "城市绿地"),
        ("画一张中国高铁发展的时间线", "中国高铁发展"),
        ("制作一张信息图：网购流程：下单→支付→签收", "网购流程"),
        ("标题：睡个好觉\n早睡早起", "睡个好觉"),
        ("Three reasons to read: it calms, teaches and joins. Adults read 15 minutes a day.", "Three reasons to read"),
        ("绿茶的好处：提神、抗氧化、助消化。每天喝3杯。", "绿茶的好处"),
        ("The benefits of reading. It lowers stress and builds empathy for others.", "The benefits of reading"),
    ],
)
def test_the_title_is_what_a_picture_is_asked_of(prompt: str, title: str) -> None:
    """A title in so many words, or the subject of the request."""
    assert read_prompt(prompt).title == title


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# T\n1. Boil water\n2. Add leaves\n3. Wait", Steps),
        ("Order → Pay → Ship → Receive", Steps),
        ("# T\nFirst, boil water. Then add the leaves. Finally, pour it out.", Steps),
        ("# T\n- Sleep: go to bed early\n- Sport: walk every day", Sections),
        ("# T\n- bread\n- butter\n- salt", Listing),
        ("# T\nWe need: bread, butter and salt", Listing),
        ("# T\n- 1957: Sputnik flew\n- 1969: people landed", Timeline),
        ("# T\nIn 1957 Sputnik flew, in 1969 people landed, in 1998 the station began.", Timeline),
        ("# Company\n- Sales\n  - North\n  - South\n- Support\n  - Chat", Hierarchy),
        ("# T\n电动车 18 万，续航 520 公里；燃油车 15 万，续航 700 公里。", Comparison),
        ("Cats vs dogs\nCats:\n- quiet\n- clean\nDogs:\n- loyal\n- loud", Comparison),
        ("# T\n80% of the people read.", Figures),
        ('# T\n"Tea is drunk to forget the din of the world." — Tian Yiheng', Quote),
    ],
)
def test_a_text_becomes_the_block_that_it_is(text: str, kind: type) -> None:
    """Lists, chains, dates, comparisons, numbers and quotes are recognised."""
    assert [type(block) for block in read_prompt(text).blocks] == [kind]


def test_sentences_stay_apart_where_the_first_asks() -> None:
    """What follows a request, or a semicolon, is a sentence of its own."""
    assert read_prompt("# T\nTea is green; milk is white.").sentences == ("Tea is green", "milk is white.")
    blocks = read_prompt("Compare tea and milk: price, taste, colour. Tea costs 3 dollars.").blocks
    [listing] = [block for block in blocks if isinstance(block, Listing)]
    assert listing.items == ("Price", "Taste", "Colour")


def test_the_order_of_the_prompt_is_kept_with_its_numbers() -> None:
    """Steps carry the numbers that the prompt gives them, and no others."""
    [steps] = read_prompt("# T\n1. Boil\n2. Pour").blocks
    assert isinstance(steps, Steps)
    assert [(item.marker, item.heading) for item in steps.items] == [("1", "Boil"), ("2", "Pour")]
    [chain] = read_prompt("Boil → Pour → Drink").blocks
    assert isinstance(chain, Steps)
    assert [item.marker for item in chain.items] == ["", "", ""]


def test_wishes_about_the_look_are_not_drawn() -> None:
    """What a prompt says of the picture is not part of it."""
    reading = read_prompt(
        "Create an infographic about bees. Use warm colors. Make it simple. Bees make honey all summer."
    )
    assert reading.sentences == ("Bees make honey all summer.",)


def test_a_sentence_about_one_number_is_a_figure() -> None:
    """The number stands alone, its sentence says what it counts."""
    figures = read_prompt("# T\n78% of residents visit a park.\n平均停留时间35分钟。").blocks[0]
    assert isinstance(figures, Figures)
    assert [(item.value, item.label) for item in figures.items] == [
        ("78%", "Of residents visit a park"),
        ("35分钟", "平均停留时间"),
    ]


REPEATED = [
    *(
        "a",
        "1,",
        "|",
        "a 1, ",
        "a 1, b 2; ",
        "- ",
        "- a\n",
        "\n",
        " ",
        "a:",
        "in 1990 a, ",
        '"',
        "“a ",
        "1) a ",
        "a. ",
        "draw ",
        "画",
    ),
    *("a->", "#", "(1) "),
]


@pytest.mark.parametrize("text", REPEATED)
def test_reading_takes_time_in_proportion(text: str) -> None:
    """A hundred kilobytes of anything are read in seconds, whatever is repeated."""
    read_prompt(text * (100_000 // len(text)))
