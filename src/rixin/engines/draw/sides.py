"""Running text that tells the same of two or more: their names, and how each of them fares."""

import re
from typing import Final

from rixin.engines.draw.numerals import NUMBER
from rixin.engines.draw.specification import Comparison, Side
from rixin.engines.draw.subject import tidy

MOST_SIDES: Final = 4
_NEXT_SIDE: Final = re.compile(r"\s*[;；]\s*")
_NEXT_POINT: Final = re.compile(r"\s*(?:[，、]|,(?!\d{3}(?!\d))|\band\b)\s*", re.IGNORECASE)
_NUMBER: Final = re.compile(NUMBER)
_NAMED: Final = re.compile(r"^(?P<name>[^:：]{1,40})[:：]\s*(?P<point>\S.*)$", re.DOTALL)
_VERB: Final = re.compile(
    r"\s+(?:costs?|is|are|has|have|weighs?|takes?|goes|go|reach(?:es)?|runs?|gets?|needs?|uses?)$"
    r"|(?:价格|售价|重量|续航|速度|需要|需|为|是|有|重|用|花)$",
    re.IGNORECASE,
)
_ENDS: Final = " \t,，.。;；:：、"
_LONGEST_SENTENCE: Final = 600
_LONGEST_NAME: Final = 40
_LONGEST_POINT: Final = 48


def sides_of(sentence: str) -> Comparison | None:
    """A sentence whose parts tell numbers of the same things, each of a subject of its own; None for all others."""
    if len(sentence) > _LONGEST_SENTENCE:
        return None
    parts = _NEXT_SIDE.split(sentence.strip(_ENDS))
    if not 2 <= len(parts) <= MOST_SIDES:
        return None
    sides = [_side(part) for part in parts]
    told = {tuple(_label(point) for point in side.points[1:]) for side in sides if side}
    names = {side.name.lower() for side in sides if side}
    # As many points each, and from the second on they go by the same words.
    if len(told) != 1 or () in told or len(names) != len(parts) or "" in names:
        return None
    return Comparison(items=tuple(side for side in sides if side))


def _side(part: str) -> Side | None:
    """The name at the beginning, and the points, all of which hold a number."""
    named = _NAMED.match(part)
    name, text = (named["name"], named["point"]) if named else ("", part)
    points = [point.strip(_ENDS) for point in _NEXT_POINT.split(text)]
    if not all(len(point) <= _LONGEST_POINT and _NUMBER.search(point) for point in points):
        return None
    if not name:
        name, points[0] = _name_and_point(points[0])
    return Side(name=tidy(name), points=tuple(tidy(point) for point in points)) if len(name) <= _LONGEST_NAME else None


def _name_and_point(text: str) -> tuple[str, str]:
    """What stands before the number, and the number with the word that says what it is."""
    number = _NUMBER.search(text)
    before = text[: number.start()].rstrip(f"{_ENDS}$€£¥") if number else ""
    verb = _VERB.search(before)
    end = verb.start() if verb and verb.start() else len(before)
    return text[:end], text[end:].strip()


def _label(point: str) -> str:
    """What a point is about: its words before the number."""
    return _NUMBER.split(point, maxsplit=1)[0].strip().lower()
