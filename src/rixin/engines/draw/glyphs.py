"""Which characters can be drawn, and texts with no others."""

import struct
import unicodedata
from bisect import bisect_right
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

import manimgx_fonts_cjk

FONTS: Final = Path(manimgx_fonts_cjk.__file__).parent
"""The directory of the font that all machines draw with."""
_LONG_WORD: Final = 22
"""Characters after which a word may be broken, because no column might hold it."""
_BREAK: Final = "\u200b"
_BUILT_IN: Final = (
    (0x0370, 0x03FF),
    (0x0400, 0x045F),
    (0x05D0, 0x05EA),
    (0x0621, 0x063A),
    (0x0641, 0x064A),
    (0x0660, 0x0669),
)
"""What typst's own fonts have beside it: Greek, Cyrillic, Hebrew, Arabic."""
_CMAP: Final = int.from_bytes(b"cmap", "big")
_KEPT: Final = frozenset("\n\t")


def drawable(text: str) -> tuple[str, bool]:
    """A text without characters that no font has, that are invisible or that steer what is around them.

    Returns:
        The text, and whether more than invisible characters had to go.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept: list[str] = []
    lost = False
    for character in text:
        category = unicodedata.category(character)
        if character in _KEPT:
            kept.append(character)
        elif category in ("Zs", "Zl", "Zp"):
            kept.append("\n" if category != "Zs" else " ")
        elif category in ("Cc", "Cf", "Cs", "Co", "Cn") or 0xFE00 <= ord(character) <= 0xFE0F:
            continue
        elif _covered(character):
            kept.append(character)
        else:
            lost = True
    return "".join(kept), lost


def breakable(text: str) -> str:
    """A text whose longest words may be broken."""
    words = text.split(" ")
    return " ".join(word if len(word) <= _LONG_WORD else _broken(word) for word in words)


def _broken(word: str) -> str:
    if any(character >= "\u2e80" for character in word):
        return word  # a script without spaces, which breaks anywhere
    return _BREAK.join(word[start : start + _LONG_WORD // 2] for start in range(0, len(word), _LONG_WORD // 2))


def _covered(character: str) -> bool:
    code = ord(character)
    if any(first <= code <= last for first, last in _BUILT_IN):
        return True
    starts, ends = _coverage()
    place = bisect_right(starts, code) - 1
    return place >= 0 and code <= ends[place]


@cache
def _coverage() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The first and the last character of each run that the font has (OpenType, table `cmap`, format 12)."""
    path = next(FONTS.glob("*.ttc"))
    with path.open("rb") as file:
        first = _read(file, 12, ">I")[0]  # where the first font of the collection begins
        tables = _read(file, first + 4, ">H")[0]
        for number in range(tables):
            tag, _, offset, _ = _read(file, first + 12 + 16 * number, ">IIII")
            if tag == _CMAP:
                return _runs(file, offset)
    raise LookupError(f"{path.name} has no table of characters")


def _runs(file: BinaryIO, cmap: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    subtables = _read(file, cmap + 2, ">H")[0]
    for number in range(subtables):
        _, _, offset = _read(file, cmap + 4 + 8 * number, ">HHI")
        form, _, _, _, groups = _read(file, cmap + offset, ">HHIII")
        if form == 12:
            file.seek(cmap + offset + 16)
            runs = list(struct.iter_unpack(">III", file.read(12 * groups)))
            return tuple(run[0] for run in runs), tuple(run[1] for run in runs)
    raise LookupError("the font's table of characters has another form")


def _read(file: BinaryIO, at: int, form: str) -> tuple[int, ...]:
    file.seek(at)
    return struct.unpack(form, file.read(struct.calcsize(form)))
