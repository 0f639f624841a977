"""Text as words are looked for in it: case, width and what nobody sees make no difference."""

import re
import unicodedata
from collections.abc import Iterable

_HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {
    chr(point)
    for low, high in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for point in range(low, high + 1)
}
"""Characters that show nothing, beside those of the categories below: joiners, fillers, variation selectors."""
_HIDDEN_CATEGORIES = ("Cf", "Cc")

_WITHOUT_SPACES = "\u0e00"
"""Where the scripts begin that set no spaces between words, or attach particles to them: Thai, and beyond it."""

_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z"
    r"|\\u[0-9a-fA-F]{4}"
    r"|\\(?:u[0-9a-fA-F]{0,3})?\Z"
    r"|\\.|.",
    re.DOTALL,
)
"""A character of a JSON text: a pair of escapes, an escape, itself; at the end also one that is not whole yet."""
_UNFINISHED = re.compile(r"\\(?:u(?:[0-9a-fA-F]{0,3}|[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?))?")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class _Folding(dict[int, str]):
    """A table for `str.translate` that fills itself."""

    def __missing__(self, point: int) -> str:
        folded = self[point] = _fold(chr(point))
        return folded


def _fold(character: str) -> str:
    if character.isspace():
        return " "
    if character in _HIDDEN or unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return ""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())


_TABLE = _Folding()


def fold(text: str) -> str:
    """A text in its compatibility form, case folded, without hidden characters, its white space as spaces.

    Each character is folded by itself, so that a text may be folded in pieces. Marks stay apart where they come apart.
    """
    return text.translate(_TABLE)


def is_worded(character: str) -> bool:
    """Whether a folded character belongs to a word of a script that sets spaces between words."""
    return (character.isalnum() and character < _WITHOUT_SPACES) or unicodedata.combining(character) != 0


def json_units(text: str) -> list[str]:
    """The characters of a JSON text as they stand in it, escapes as one."""
    return _UNIT.findall(text)


def is_unfinished(unit: str) -> bool:
    """Whether a unit at the end of a JSON text is the beginning of an escape."""
    return _UNFINISHED.fullmatch(unit) is not None


def plain(units: Iterable[str]) -> str:
    """What units of JSON text mean."""
    return "".join([unit if unit[0] != "\\" else _unescape(unit) for unit in units])


def _unescape(unit: str) -> str:
    points = [int(digits, 16) for digits in unit.split("\\u")[1:]]
    match points:
        case [high, low]:  # a character beyond U+FFFF
            return chr(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))
        case [point]:
            return chr(point)
        case _:
            return _ESCAPES.get(unit[1:], unit[1:])
