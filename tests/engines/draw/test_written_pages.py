"""Pages of what models write: every kind of block, and specifications that mean harm, measured."""

import json
from typing import Any

import pytest

from rixin.core.json import JsonValue
from rixin.core.requests import ImageFormat
from rixin.engines.draw.composing import compose
from rixin.engines.draw.draft import read_draft
from rixin.engines.draw.given import Given
from rixin.engines.draw.pages import Drawing, draw_page
from rixin.engines.draw.specification import Block, Specification
from rixin.engines.draw.templates import choose
from tests.engines.draw.conftest import faults, invented, words_of

PROMPT = """Tell of power in our town.
In our town solar gives 34%, wind gives 28%, hydro gives 18%. In 1957 the old dam opened, in 1998 the wind farm opened.
Some 80% of the power is used within 50 km. The mayor likes to say "We never had a dark day since then"."""


def pairs(first: str, second: str, *texts: str) -> list[dict[str, str]]:
    """Parts with two texts each, written as `one: other`."""
    return [dict(zip((first, second), text.split(": "), strict=True)) for text in texts]


KINDS: dict[str, dict[str, Any]] = {
    "figures": {
        "items": pairs("value", "label", "80%: of the power is used in town", "50 km: the longest way of power")
    },
    "steps": {
        "items": pairs("heading", "text", "Sun: Light meets the roof", "Wire: Power flows", "Home: The kettle boils")
    },
    "sections": {"items": pairs("heading", "text", "Sun: Roofs of the school", "Wind: Hills in the west")},
    "comparison": {
        "items": [{"name": "Sun", "points": ["By day", "Silent"]}, {"name": "Wind", "points": ["By night"]}]
    },
    "timeline": {"items": pairs("when", "text", "1957: The old dam opened", "1998: The wind farm opened")},
    "quote": {"text": "We never had a dark day since then", "author": "The mayor"},
    "list": {"items": ["Turn off the light", "Dry clothes outside", "Cook with a lid"]},
    "table": {"header": ["Source", "Part"], "rows": [["Solar", "34%"], ["Wind", "28%"], ["Hydro", "18%"]]},
    "hierarchy": {
        "root": "Power",
        "items": [{"name": "Water", "points": ["Dam"]}, {"name": "Air", "points": ["Mills"]}],
    },
    **{
        kind: {
            "kind": kind,
            "labels": ["Solar", "Wind", "Hydro"],
            "series": [{"name": "", "texts": ["34%", "28%", "18%"]}],
        }
        for kind in ("bar", "line", "pie")
    },
}
SIZES = [(2752, 1536), (1344, 3136), (1024, 1024)]


def answer(*blocks: object, **fields: object) -> str:
    """What a model writes."""
    return json.dumps({"title": "Power in our town", "subtitle": "", **fields, "blocks": blocks})


def block(kind: str) -> dict[str, Any]:
    """A block of a kind."""
    return {"type": "chart" if kind in ("bar", "line", "pie") else kind, "title": "Seen closer", **KINDS[kind]}


def drawn(blocks: tuple[Block, ...], size: tuple[int, int], kind: ImageFormat, seed: int) -> Drawing:
    """A page of some blocks."""
    specification = Specification(title="Power in our town", subtitle="Where it comes from", blocks=blocks)
    template, palette = choose(style="", prompt="", quality=None, draw=seed, number=0)
    return draw_page(specification, width=size[0], height=size[1], template=template, palette=palette, format=kind)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("half", [0, 1])
def test_all_kinds_keep_to_their_frames(half: int, size: tuple[int, int]) -> None:
    """Pages of all that a model may write are whole and readable, and have no number of their own."""
    kinds = [*KINDS][half::2]
    blocks = read_draft(answer(*map(block, kinds)), Given(PROMPT)).blocks
    assert len(blocks) == len(kinds)
    drawing = drawn(blocks, size, "svg", half)
    assert faults(drawing, size) == []
    assert drawing.dropped == ()
    assert invented(drawn(blocks, size, "pdf", half).content, PROMPT) == set()


HOSTILE = {
    "typst": '#read("/etc") $x^y$ *b* `r` <a> @b',
    "svg": "<script>alert(x)</script></svg> &lt; \\\"'",
    "right to left": "\u202eשלום עולם مرحبا بالعالم\u2066",
    "emoji": "🎉 Party 👩\u200d👩\u200d👧 ✅",
    "control": "a\x00b\x1b[c\r\n\td\ufeff\u2028e",
    "half a character": "tea \ud83d time",
    "one long word": "a" * 30,
    "long text": "A sentence that goes on for quite some time and says little. " * 9,
    "invented": "It is 99.7% of 12,345,678",
    "Chinese": "垃圾分类是一个循序渐进的过程",
}


def everywhere(text: str, value: JsonValue) -> JsonValue:
    """The same with each text, the words that steer apart, behind another one."""
    match value:
        case dict():
            return {name: part if name in ("type", "kind") else everywhere(text, part) for name, part in value.items()}
        case list():
            return [everywhere(text, part) for part in value]
        case _:
            return f"{text} {value}"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_keep_to_their_frames(name: str) -> None:
    """Whatever stands in every text of an answer, what is drawn of it is whole, and nothing is invented."""
    size = (1536, 1024)
    written = answer(*(everywhere(HOSTILE[name], block(kind)) for kind in KINDS), palette=HOSTILE[name])
    made = compose("Draw an infographic about our town.", written).specification
    assert made.palette == ""
    drawing = drawn(made.blocks, size, "svg", len(name))
    assert faults(drawing, size) == []
    shown = words_of(drawn(made.blocks, size, "pdf", len(name)).content)
    assert "99.7" not in shown
    assert name != "typst" or '#read("/etc")' in shown.replace("\n", " ")
    assert (made.blocks == ()) is (name in ("invented", "long text", "half a character"))


@pytest.mark.parametrize(
    "written",
    [
        answer(*[block("steps")] * 2000),
        answer(
            {"type": "list", "title": "", "items": [f"point {chr(97 + n % 26) * (n % 40 + 1)}" for n in range(5000)]}
        ),
        answer({"type": "table", "title": "", "header": ["x"] * 900, "rows": [["x"] * 900] * 9}),
        answer({"type": "comparison", "title": "", "items": [{"name": "x", "points": ["y"] * 9000}] * 9}),
        '{"blocks": ' + "[" * 60_000,
        '{"title": "' + "x" * 60_000,
    ],
    ids=["blocks", "list", "table", "comparison", "nesting", "title"],
)
def test_huge_answers_are_cut_to_a_page(written: str) -> None:
    """What no page can hold is left out, and the rest is drawn."""
    size = (1024, 1024)
    made = compose("Draw an infographic about our town.", written).specification
    assert len(made.blocks) <= 8
    assert faults(drawn(made.blocks, size, "svg", 0), size) == []


def test_the_model_chooses_the_look() -> None:
    """Its palette and its layout are those of the first picture; the client's words count more."""
    made = compose("Draw an infographic about our town.", answer(block("list"), palette="aurora", layout="blueprint"))
    look = {"palette": made.specification.palette, "layout": made.specification.layout}

    def names(style: str = "", prompt: str = "", quality: str | None = None, number: int = 0) -> tuple[str, str]:
        template, palette = choose(style=style, prompt=prompt, quality=quality, draw=0, number=number, **look)
        return template.name, palette.name

    assert names() == ("blueprint", "aurora")
    assert names(style="poster") == ("poster", "aurora")
    assert names(style="green") == ("blueprint", "forest")
    assert names(prompt="in warm colors") == ("blueprint", "sunset")
    assert names(quality="high")[0] != "blueprint"
    assert len({names(number=number)[0] for number in range(4)}) == 4
