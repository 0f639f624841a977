"""What a language model is asked to write for a picture, and what of its answer is believed."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from rixin.core.json import JsonObject
from rixin.engines.draw.numerals import stands_in
from rixin.engines.draw.subject import tidy

DEADLINE: Final = 60.0
"""Seconds that a model has."""
_MOST_TOKENS: Final = 420
_LONGEST_PROMPT: Final = 2400
"""Characters of a prompt that a model is shown; what stands further down is drawn from the prompt alone."""
_FEWEST_POINTS: Final = 2
_HAN: Final = re.compile("[\u4e00-\u9fff]")

_Line: TypeAlias = Annotated[str, Meta(min_length=3, max_length=70)]


class Point(Struct, frozen=True):
    """One thing that is to be known."""

    heading: Annotated[str, Meta(min_length=2, max_length=32)]
    text: Annotated[str, Meta(min_length=4, max_length=110)]


class Written(Struct, frozen=True):
    """What a model writes; a small one can fill this in."""

    title: _Line
    subtitle: Annotated[str, Meta(max_length=100)]
    points: Annotated[tuple[Point, ...], Meta(min_length=3, max_length=6)]


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
    "You write the words of an infographic. Answer in JSON: a short title, one line below it, and three to six points, "
    "each a heading of one to four words and one short sentence of fact. Write no numbers. Write about the subject "
    "only, never about the infographic, its style or its colors."
)
_CHINESE: Final = (
    "你为信息图撰写文字。用 JSON 回答：一个简短的标题，一行副标题，三到六个要点；"
    "每个要点有两到六个字的小标题和一句简短的事实。不要写数字，只写主题本身，不要谈论信息图、风格或颜色。请用中文。"
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
    """What of a model's answer may be drawn: all that has no number but given ones, if that is enough.

    Args:
        answer: As the model gave it.
        given: The numbers of the prompt.
    """
    start, end = answer.find("{"), answer.rfind("}")
    try:
        written = msgspec.json.decode(answer[start : end + 1], type=Written)
    except msgspec.DecodeError:
        return None
    seen: set[str] = set()
    points: list[Point] = []
    for point in written.points:
        heading, text = tidy(point.heading), point.text.strip()
        if heading.lower() in seen or text.lower() in seen or not stands_in(f"{heading}\n{text}", given):
            continue
        seen |= {heading.lower(), text.lower()}
        points.append(Point(heading, text))
    if len(points) < _FEWEST_POINTS:
        return None
    return Written(
        title=tidy(written.title) if stands_in(written.title, given) else "",
        subtitle=written.subtitle.strip() if stands_in(written.subtitle, given) else "",
        points=tuple(points),
    )


def _schema() -> JsonObject:
    """The JSON schema of `Written`, in one piece, as small grammars want it."""
    _, parts = msgspec.json.schema_components([Written], ref_template="{name}")
    whole, point = parts["Written"], parts["Point"]
    return {
        "type": "object",
        "required": whole["required"],
        "additionalProperties": False,
        "properties": {
            **whole["properties"],
            "points": {
                **whole["properties"]["points"],
                "items": {
                    "type": "object",
                    "required": point["required"],
                    "additionalProperties": False,
                    "properties": point["properties"],
                },
            },
        },
    }
