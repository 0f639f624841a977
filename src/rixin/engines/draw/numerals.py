"""Numbers in texts, in digits and in words, to tell the given ones from the invented."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

NUMBER: Final = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?"
"""A number in digits, with separators of thousands or without."""
_DIGITS: Final = re.compile(
    rf"({NUMBER})\s*(%|‰|万亿|亿|万|千万|百万|千|thousand\b|million\b|billion\b|trillion\b|[kKmM]\b|bn\b)?"
)
_WORDS: Final = re.compile(
    r"\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|"
    r"nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|trillions?|"
    r"dozens?|half|halves|thirds?|quarters?|double[sd]?|triple[sd]?|twice|thrice)\b",
    re.IGNORECASE,
)
_CHINESE: Final = re.compile(
    r"[〇零一二三四五六七八九十百千万亿两]{2,}"
    r"|[二三四五六七八九十百千万亿两][个項项种步条点年月日天倍成位名家次大类层阶页人元米]"
    r"|[半数]倍|翻[一两三]?番"
)


def numbers(text: str) -> Iterator[str]:
    """The numbers of a text, each in one form however it was written, with the power of ten or per cent behind it."""
    text = unicodedata.normalize("NFKC", text.replace("，", "、"))  # no separator of thousands
    for match in _DIGITS.finditer(text):
        value = Decimal(match[1].replace(",", ""))
        yield f"{value.normalize():f}{(match[2] or '').lower()}"
    for match in _WORDS.finditer(text):
        yield match[0].lower()
    for match in _CHINESE.finditer(text):
        yield match[0]


def given_numbers(text: str) -> frozenset[str]:
    """The numbers of a prompt, in which a comma may also stand between two of them."""
    return frozenset((*numbers(text), *numbers(text.replace(",", ", "))))


def stands_in(text: str, given: frozenset[str]) -> bool:
    """Whether all numbers of a text are given ones."""
    return all(number in given for number in numbers(text))
