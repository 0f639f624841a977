"""Dates in a prompt and what was then."""

import re
from collections.abc import Sequence
from typing import Final

from rixin.engines.draw.specification import Moment, Timeline
from rixin.engines.draw.subject import tidy

YEAR: Final = r"(?:1[0-9]|20)\d\d"
_WHEN: Final = "|".join(
    (
        rf"{YEAR}\s*[-–—~至]\s*{YEAR}\s*年?",
        rf"{YEAR}[-/.]\d{{1,2}}(?:[-/.]\d{{1,2}})?",
        rf"{YEAR}\s*年\s*\d{{1,2}}\s*月",
        rf"{YEAR}\s*年",
        rf"{YEAR}s?\b",
        r"公元前\s*\d+\s*年?",
        r"(?:week|day|month|year|phase|stage)\s+\d+",
        r"第[一二三四五六七八九十\d]+[天周月年]",
        r"\d{1,2}:\d{2}",
        r"\d{1,2}\s*月\s*\d{1,2}\s*日",
    )
)
_MOMENT: Final = re.compile(
    r"^(?:(?:and\s+)?(?:in|by|since|around|from|at|on)\b|于|在|到了?)?\s*"
    rf"(?P<when>{_WHEN})\s*[,，:：—–-]*\s*(?P<text>[^\d\s].{{1,160}})$",
    re.IGNORECASE,
)
_START: Final = re.compile(
    r"(?:^|(?<=[,，;；。.:：\n])\s*)(?:and\s+)?(?:in\s+|by\s+|于|在|到)?"
    rf"(?=(?:{_WHEN})\s*[,，:：—–-]*\s*[^\d\s,，.。;；])",
    re.IGNORECASE,
)
_END: Final = re.compile(r"(?:[,，;；。.]|\s+(?:and|in|by|then)\b)*\s*$", re.IGNORECASE)
_FEWEST: Final = 3
"""Dates that make a timeline of running text."""


def timeline_of(texts: Sequence[str], title: str = "") -> Timeline | None:
    """Texts that each begin with a date, as a timeline; None where one of them does not."""
    moments = [_MOMENT.match(text) for text in texts]
    if len(texts) < 2 or not all(moments):
        return None
    return Timeline(
        title=title,
        items=tuple(Moment(when=match["when"].strip(), text=tidy(match["text"])) for match in moments if match),
    )


def told_timeline(paragraph: str) -> tuple[Timeline | None, str]:
    """Dates that running text goes through, as a timeline, and what of the text is not in it."""
    starts = [match.end() for match in _START.finditer(paragraph)]
    if len(starts) < _FEWEST:
        return None, paragraph
    ends = (*starts[1:], len(paragraph))
    timeline = timeline_of([_END.sub("", paragraph[a:b].strip()) for a, b in zip(starts, ends, strict=True)])
    return timeline, _END.sub("", paragraph[: starts[0]]) if timeline else paragraph
