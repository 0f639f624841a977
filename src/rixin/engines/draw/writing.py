"""What a language model is asked to write for a picture, and what of its answer is believed."""

import re
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from rixin.core.json import JsonObject
from rixin.engines.draw.numerals import stands_in
from rixin.engines.draw.subject import tidy

DEADLINE: Final = 60.0
"""Seconds that a model has."""
_MOST_TOKENS: Final = 260
_LONGEST_PROMPT: Final = 2400
"""Characters of a prompt that a model is shown; what stands further down is drawn from the prompt alone."""
_FEWEST_POINTS: Final = 2
_MOST_POINTS: Final = 5
_LONGEST_TITLE: Final = 80
_LONGEST_HEADING: Final = 48
_LONGEST_TEXT: Final = 160
_ORDINAL: Final = re.compile(r"^\s*(?:\d{1,2}|[一二三四五六七八九十]{1,2})\s*[.、)）:：]\s*")
_SENTENCE: Final = re.compile(r"[^.。！!？?]{3,}?[.。！!？?](?=\s|$|[^\d\s])")
_SURELY_WHOLE: Final = 60
_HAN: Final = re.compile("[\u4e00-\u9fff]")


class Point(Struct, frozen=True):
    """One thing that is to be known."""

    heading: str
    text: str


class Written(Struct, frozen=True):
    """What a model writes; a small one can fill this in."""

    title: str = ""
    subtitle: str = ""
    points: tuple[Point, ...] = ()


class Task(Struct, frozen=True, kw_only=True):
    """What a model is given."""

    instructions: str
    prompt: str
    schema: JsonObject
    """Its answer must be JSON under this schema."""
    max_tokens: int


Write: TypeAlias = Callable[[Task], Awaitable[str]]
"""Has a model write, and gives its answer. May raise whatever it does."""

_ENGLISH: Final = (
    "You write the words of an infographic: a title, one line below it, and four points, each with a heading and one "
    "short sentence of at most twelve words. No numbers. Answer in JSON. For volcanoes you would answer\n"
    '{"title":"Volcanoes","subtitle":"Where the Earth lets off heat","points":['
    '{"heading":"Magma rises","text":"Hot rock melts below and climbs through cracks."},'
    '{"heading":"Pressure grows","text":"Gas in the magma pushes against the rock above."},'
    '{"heading":"Eruption","text":"Lava, ash and gas break through the surface."},'
    '{"heading":"New land","text":"Cooled lava becomes rock and fertile soil."}]}'
)
_CHINESE: Final = (
    "你为信息图撰写文字：一个标题，一行副标题，四个要点；每个要点有小标题和一句不超过二十字的短句。不要写数字。"
    "用 JSON 回答。例如主题是火山，你回答\n"
    '{"title":"火山","subtitle":"地球释放热量的地方","points":['
    '{"heading":"岩浆上升","text":"地下岩石熔化，沿裂缝向上移动。"},{"heading":"压力积聚","text":"岩浆中的气体推挤上方的岩层。"},'
    '{"heading":"火山喷发","text":"熔岩、火山灰和气体冲出地表。"},{"heading":"新的土地","text":"熔岩冷却后变成岩石和肥沃的土壤。"}]}'
)


def is_chinese(text: str) -> bool:
    """Whether a text is to be set as Chinese."""
    return len(_HAN.findall(text[:4000])) * 6 > len(re.findall(r"[A-Za-z]", text[:4000]))


def task(prompt: str, *, chinese: bool) -> Task:
    """What a model is asked for a prompt."""
    return Task(
        instructions=_CHINESE if chinese else _ENGLISH,
        prompt=prompt[:_LONGEST_PROMPT],
        schema=_schema(),
        max_tokens=_MOST_TOKENS,
    )


def believed(answer: str, given: frozenset[str]) -> Written | None:
    """What of a model's answer may be drawn: all that is short enough and has no number but given ones.

    An answer that was cut off counts as far as it came.

    Args:
        answer: As the model gave it.
        given: The numbers of the prompt.

    Returns:
        None where that is too little.
    """
    written = _read(answer)
    if written is None:
        return None
    seen: set[str] = set()
    points: list[Point] = []
    for point in written.points:
        heading, text = tidy(_ORDINAL.sub("", point.heading)), _first_sentence(point.text)
        fits = len(heading) <= _LONGEST_HEADING and len(text) <= _LONGEST_TEXT and bool(heading)
        if fits and heading.lower() not in seen and text.lower() not in seen and stands_in(f"{heading}\n{text}", given):
            points.append(Point(heading, text))
        seen |= {heading.lower(), text.lower()}
    if len(points) < _FEWEST_POINTS:
        return None
    title, subtitle = tidy(written.title), _first_sentence(written.subtitle)
    return Written(
        title=title if len(title) <= _LONGEST_TITLE and stands_in(title, given) else "",
        subtitle=subtitle if len(subtitle) <= _LONGEST_TEXT and stands_in(subtitle, given) else "",
        points=tuple(points[:_MOST_POINTS]),
    )


def _first_sentence(text: str) -> str:
    """The first sentence of a text; nothing where that does not end, having been cut off."""
    match = _SENTENCE.match(text.strip())
    return match[0].rstrip(".。") if match else text.strip() if len(text) <= _SURELY_WHOLE else ""


def _read(answer: str) -> Written | None:
    """The JSON in an answer; where it was cut off, up to its last whole point."""
    whole = answer[answer.find("{") :]
    for text in (whole, f"{whole[: whole.rfind('}') + 1]}]}}"):
        try:
            return msgspec.json.decode(text, type=Written)
        except msgspec.DecodeError:
            continue
    return None


def _schema() -> JsonObject:
    """The JSON schema of an answer: no more than a small grammar checks fast."""
    text: JsonObject = {"type": "string"}
    return {
        "type": "object",
        "properties": {
            "title": text,
            "subtitle": text,
            "points": {
                "type": "array",
                "minItems": 3,
                "maxItems": _MOST_POINTS,
                "items": {
                    "type": "object",
                    "properties": {"heading": text, "text": text},
                    "required": ["heading", "text"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["title", "subtitle", "points"],
        "additionalProperties": False,
    }
