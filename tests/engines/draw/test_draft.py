"""What is believed of what a model wrote, block by block."""

import json
from typing import Any

import pytest

from rixin.engines.draw.draft import Draft, read_draft
from rixin.engines.draw.given import Given
from rixin.engines.draw.specification import (
    Block,
    Chart,
    Comparison,
    Figure,
    Figures,
    Hierarchy,
    Listing,
    Moment,
    Node,
    Quote,
    Sections,
    Side,
    Steps,
    Table,
    Timeline,
)

PROMPT = """Our town. Solar 34%, wind 28%, hydro 18%. The dam opened in 1957 and the wind farm in 1998.
80% of the power is used within 50 km. "We never had a dark day since then." — The mayor
| City | Shops |
|---|---|
| Lisbon | 12 |
| Porto | 8 |
"""


def read(*blocks: object, prompt: str = PROMPT, **fields: object) -> Draft:
    """A model's answer with some blocks, read."""
    answer = {"title": "", "subtitle": "", "palette": "", "layout": "", **fields, "blocks": blocks}
    return read_draft(json.dumps(answer), Given(prompt))


def only(block: dict[str, Any], prompt: str = PROMPT) -> Block | None:
    """What is believed of one block."""
    blocks = read({"title": "", **block}, prompt=prompt).blocks
    assert len(blocks) < 2
    return blocks[0] if blocks else None


def pairs(*texts: str, first: str = "heading", second: str = "text") -> list[dict[str, str]]:
    """Parts with two texts each, written as `one: other`."""
    return [{first: text.split(": ")[0], second: text.split(": ")[1]} for text in texts]


def test_title_subtitle_and_look_are_believed() -> None:
    """Where the look is one of ours."""
    draft = read(title="our town", subtitle="Where power comes from", palette="forest", layout="poster")
    assert (draft.title, draft.subtitle) == ("Our town", "Where power comes from")
    assert (draft.palette, draft.layout) == ("forest", "poster")
    assert read(palette="neon pink", layout="#panic()") == Draft()


@pytest.mark.parametrize(("tag", "kind"), [("steps", Steps), ("sections", Sections)])
def test_steps_and_sections(tag: str, kind: type[Steps] | type[Sections]) -> None:
    """Ordinals go, icons come, and what has an invented number or says the same twice is taken out."""
    items = pairs(
        "1. The sun shines: It warms the panels. And it goes on and on.", "Wires: Power flows to the homes.",
        "Wires: Power flows to the homes.", "Growth: It grew by 12% in a year.", "Dam: The dam opened in 1957.",
    )  # fmt: skip
    block = only({"type": tag, "title": "How it works", "items": items})
    assert isinstance(block, kind)
    assert block.title == "How it works"
    assert [item.heading for item in block.items] == ["The sun shines", "Wires", "Dam"]
    assert (block.items[0].text, block.items[0].icon, block.items[0].marker) == ("It warms the panels", "sun", "")


def test_the_same_in_almost_the_same_words_is_said_once() -> None:
    """Where a small model repeats itself, the first time counts."""
    items = pairs(
        "Bins: Bins are an important tool to sort all kinds of waste.",
        "Bags: Bags are an important tool to sort all kinds of waste.",
        "Bread: Bread is baked.",
    )
    block = only({"type": "sections", "items": items})
    assert isinstance(block, Sections)
    assert [item.heading for item in block.items] == ["Bins", "Bread"]


def test_lists() -> None:
    """Points that can be believed."""
    block = only({"type": "list", "items": ["save power", "Use 34% solar", "Use 60% solar", "Save power", "x" * 400]})
    assert block == Listing(items=("Save power", "Use 34% solar"))


def test_comparisons() -> None:
    """Sides that have something of their own to say."""
    sides = [
        {"name": "Solar", "points": ["Quiet", "34% of the power", "Needs sun"]},
        {"name": "Wind", "points": ["Quiet", "90% of the power", "Needs wind"]},
        {"name": "Coal", "points": ["Needs sun", "Quiet"]},
    ]
    block = only({"type": "comparison", "items": sides})
    assert block == Comparison(
        items=(
            Side(name="Solar", points=("Quiet", "34% of the power", "Needs sun")),
            Side(name="Wind", points=("Needs wind",)),
        )
    )


def test_timelines() -> None:
    """Dates with what the prompt tells of them."""
    items = pairs("1957: The dam opened", "1998: The wind farm opened", "2005: The roof was built", "1957: Elvis sang",
                  first="when")  # fmt: skip
    block = only({"type": "timeline", "items": items})
    assert isinstance(block, Timeline)
    assert block.items == (
        Moment(when="1957", text="The dam opened"),
        Moment(when="1998", text="The wind farm opened"),
    )


def test_hierarchies() -> None:
    """A root and branches; a tree without a root is none."""
    items: list[dict[str, Any]] = [{"name": "Water", "points": ["Dam", "9 rivers"]}, {"name": "Air", "points": []}]
    assert only({"type": "hierarchy", "root": "Power", "items": items}) == Hierarchy(
        root="Power", items=(Node(name="Water", points=("Dam",)), Node(name="Air"))
    )
    assert only({"type": "hierarchy", "root": "", "items": items}) is None


def test_figures() -> None:
    """Numbers beside what the prompt counts by them."""
    items = pairs("80%: of the power is used within 50 km", "80%: of all bees", "81%: of the power", "many: homes",
                  first="value", second="label")  # fmt: skip
    block = only({"type": "figures", "items": items})
    assert block == Figures(items=(Figure(value="80%", label="Of the power is used within 50 km"),))


def chart(*values: object, labels: tuple[str, ...] = ("Solar", "Wind", "Hydro"), kind: str = "bar") -> dict[str, Any]:
    """A chart of one series."""
    return {"type": "chart", "kind": kind, "labels": labels, "series": [{"name": "", "texts": values}]}


def test_charts() -> None:
    """Data of the prompt, as they are there, numbers being read of their texts."""
    block = only(chart("34%", "28%", "18%"))
    assert isinstance(block, Chart)
    assert (block.kind, block.labels, block.series[0].values) == ("bar", ("Solar", "Wind", "Hydro"), (34.0, 28.0, 18.0))
    assert only(chart(12, 8, labels=("Lisbon", "Porto"))) is not None


@pytest.mark.parametrize(
    "block",
    [
        chart("34%", "28%", "19%"),
        chart("28%", "34%", "18%"),
        chart("34%", "28%"),
        chart("34%", "28%", "lots"),
        chart("34%", labels=("Solar",)),
        chart("34%", "28%", "18%", labels=("Solar", "Wind", "")),
        chart("34%", "28%", "18%", kind="donut"),
        {"type": "chart", "kind": "bar", "labels": ["Solar", "Wind"], "series": []},
        chart(*["34%"] * 500, labels=("Solar",) * 500),
    ],
)
def test_charts_with_one_value_that_was_not_given_are_none(block: dict[str, Any]) -> None:
    """An invented value, one that belongs to another label, one too few or one that is no number."""
    assert only(block) is None


def test_tables() -> None:
    """Rows that are whole and given; of what is left two at least."""
    rows = [["Lisbon", "12"], ["Porto", "8"], ["Faro", "3"], ["Lisbon"], ["Porto", "12"]]
    assert only({"type": "table", "header": ["City", "Shops"], "rows": rows}) == Table(
        header=("City", "Shops"), rows=(("Lisbon", "12"), ("Porto", "8")), numeric=(False, True)
    )
    assert only({"type": "table", "header": ["City", "Shops"], "rows": rows[2:]}) is None


def test_quotes() -> None:
    """Nobody is made to say what the prompt does not have them say."""
    said = {"type": "quote", "text": "We never had a dark day since then.", "author": "The mayor"}
    assert only(said) == Quote(text="We never had a dark day since then.", author="The mayor")
    assert only({**said, "author": "Albert Einstein"}) == Quote(text="We never had a dark day since then.")
    assert only({**said, "text": "Solar power is the future."}) is None


@pytest.mark.parametrize(
    "block",
    [
        None, 7, "steps", [], {}, {"type": "poem"}, {"type": "steps"}, {"type": "steps", "items": "x"},
        {"type": "steps", "items": [{"heading": {"a": 1}}]}, {"type": "list", "items": []},
        {"type": "list", "items": ["x"]},
    ],
)  # fmt: skip
def test_a_block_that_is_none_costs_no_other(block: object) -> None:
    """Each stands for itself."""
    good = {"type": "list", "title": "", "items": ["Save power", "Use the sun"]}
    assert read(block, good).blocks == (Listing(items=("Save power", "Use the sun")),)


@pytest.mark.parametrize(
    "answer", ["", "I cannot.", "{}", "[1]", '{"blocks": 3}', '{"title": 4', "\x00" * 50, '{"a":' * 9]
)
def test_an_answer_that_is_none_gives_nothing(answer: str) -> None:
    """And breaks nothing."""
    assert read_draft(answer, Given(PROMPT)) == Draft()


def test_escapes_bring_nothing_that_cannot_be_drawn() -> None:
    """Control characters, directions, half characters and emoji do not come in as JSON escapes either."""
    text = "Save\\u0000 \\u202epower\\n\\ud83d\\ude00 \\u001bnow"
    answer = f'{{"title": "{text}", "blocks": [{{"type": "list", "title": "", "items": ["{text}", "Use the sun"]}}]}}'
    draft = read_draft(answer, Given(PROMPT))
    assert draft.title == "Save power now"
    assert draft.blocks == (Listing(items=("Save power now", "Use the sun")),)
    assert read_draft('{"title": "half \\ud83d"}', Given(PROMPT)) in (Draft(), Draft(title="Half"))
