"""Points of a list, as they are drawn."""

import re
from typing import Final

from rixin.engines.draw.icons import icon_for
from rixin.engines.draw.specification import Item
from rixin.engines.draw.subject import tidy

HEADED: Final = re.compile(
    r"^(?:\*\*)?(?P<heading>[^:：*]{1,48}?)(?:\*\*)?\s*(?:[:：]|\s[—–-]\s)\s*(?:\*\*)?\s*(?P<text>\S.*)$"
)
"""A point with a heading of its own."""
_PARTS: Final = re.compile(r"\s*(?:[,，、;；]|\band\b(?=\s\w+(?:\s\w+){0,4}\.?$)|以及)\s*")
_SHORT: Final = 34
"""Characters of a point that is a heading by itself."""


def item_of(text: str, marker: str = "") -> Item:
    """A point, with its heading apart from the rest where it has one."""
    match = HEADED.match(text)
    heading, rest = (tidy(match["heading"]), match["text"].strip("* ")) if match else ("", text)
    if not match and len(text) <= _SHORT:
        heading, rest = text, ""
    return Item(heading=heading, text=rest, marker=marker, icon=icon_for(heading, rest))


def parts_of(text: str) -> list[str]:
    """What a text counts up, one after the other."""
    return [part for part in _PARTS.split(text) if part.strip()]
