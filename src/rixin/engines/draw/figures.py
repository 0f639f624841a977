"""Sentences about one number."""

import re
from typing import Final

from rixin.engines.draw.moments import YEAR
from rixin.engines.draw.numerals import NUMBER
from rixin.engines.draw.specification import Figure
from rixin.engines.draw.subject import tidy

_UNITS: Final = (
    r"%|‰|°C|°F|[xX]\b|倍|万亿|亿|万|千|百万|个|种|人|元|美元|吨|公里|千米|米|平方米|平方公里|公斤|千克|克|升|毫升|小时|分钟|秒|天|年|岁"
    r"|次|家|座|级|度|步|杯|million|billion|trillion|thousand|hours?|minutes?|seconds?|days?|weeks?|months?|years?|km|kg|mg|ml"
    r"|[GMk]Wh?|tons?|tonnes?|percent|points?|people|steps?|lit(?:er|re)s?|met(?:er|re)s?|miles?|dollars?|cups?|times"
)
_FIGURE: Final = re.compile(rf"[$€£¥]?(?:{NUMBER})\s?(?:{_UNITS}){{0,2}}", re.IGNORECASE)
_OF: Final = re.compile(r"^的")
_IS: Final = re.compile(
    r"\s*(?:\b(?:is|are|was|were|at|of|by|to|about|around|over|reach(?:es|ed)?|up to|takes?|lasts?|uses?|has|have"
    r"|on average)|为|是|约|约为|达|达到|有|占|超过|共)+\s*$"
)
_EDGES: Final = " \t,，.。;；:：—–-、!！"
_LONGEST_LABEL: Final = 64


def figure_of(sentence: str) -> Figure | None:
    """A short sentence with one number, as that number and what it counts; None for all others."""
    text = sentence.strip(_EDGES)
    if len(text) > 2 * _LONGEST_LABEL or len(re.findall(NUMBER, text)) != 1:
        return None
    match = _FIGURE.search(text)
    if match is None or re.fullmatch(YEAR, match[0].strip()):
        return None
    before, after = text[: match.start()].strip(_EDGES), text[match.end() :].strip(_EDGES)
    if before and text[match.start() - 1].isascii() and text[match.start() - 1].isalnum():
        return None  # a number in the middle of a word
    label = text if before and after else _OF.sub("", after) or _IS.sub("", before)
    return Figure(value=match[0].strip(), label=tidy(label)) if 0 < len(label) <= _LONGEST_LABEL else None
