"""Lists in a prompt, each as what it is: steps, dates, a tree, parts with headings or plain points."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from rixin.engines.draw.moments import timeline_of
from rixin.engines.draw.points import HEADED, item_of
from rixin.engines.draw.specification import Block, Hierarchy, Listing, Node, Sections, Steps

_BULLET: Final = re.compile(r"^(?P<indent>\s*)[-*•·▪–]\s+(?P<text>\S.*)$")
_NUMBERED: Final = re.compile(
    r"^(?P<indent>\s*)(?:(?:step|步骤)\s*)?\(?(?P<marker>\d{1,2}|[一二三四五六七八九十]{1,2})\s*(?:[.)、．）:：])\s*(?P<text>[^\d\s].*)$",
    re.IGNORECASE,
)
_STEP: Final = re.compile(r"^(?P<indent>\s*)第(?P<marker>[一二三四五六七八九十\d]{1,2})步[:：,，、\s]*(?P<text>\S.*)$")
_INLINE: Final = re.compile(r"(?<=[\s;；,，。.:：])(?=(?:\d{1,2}[)）]|\(\d{1,2}\)|第[一二三四五六七八九十]步)\s*\S)")
_ENDS: Final = "。.;；,，"


class Entry(Struct, frozen=True):
    """A line of a list."""

    text: str
    marker: str
    """Its number, where it has one."""
    depth: int


def entry_of(line: str) -> Entry | None:
    """A line as one of a list; None for other lines."""
    match = _BULLET.match(line) or _STEP.match(line) or _NUMBERED.match(line)
    if not match:
        return None
    depth = len(match["indent"].replace("\t", "    "))
    return Entry(match["text"].strip().rstrip(_ENDS), match.groupdict().get("marker") or "", depth)


def unrolled(line: str) -> list[str]:
    """A line in which numbered points stand one after the other, as one line each."""
    if len(_INLINE.findall(" " + line)) < 2:
        return [line]
    return [part.strip() for part in _INLINE.split(line) if part.strip()]


def block_of(caption: str, entries: Sequence[Entry], title: str) -> Block:
    """A list as a block.

    Args:
        caption: What stands above it.
        entries: Its lines, at least one.
        title: Of the whole, for a tree whose root has no other name.
    """
    shallow = min(entry.depth for entry in entries)
    texts = [entry.text for entry in entries]
    if any(entry.depth > shallow for entry in entries) and entries[0].depth == shallow:
        nodes = list(_nodes(entries, shallow))
        if len(nodes) == 1:
            return Listing(title=caption or nodes[0].name, items=nodes[0].points)
        if caption or title:
            return Hierarchy(root=caption or title, items=tuple(nodes))
    if timeline := timeline_of(texts, caption):
        return timeline
    if all(entry.marker for entry in entries) and len(entries) > 1:
        return Steps(title=caption, items=tuple(item_of(entry.text, entry.marker) for entry in entries))
    if sum(bool(HEADED.match(text)) for text in texts) >= max(2, len(texts) - 1):
        return Sections(title=caption, items=tuple(item_of(text) for text in texts))
    return Listing(title=caption, items=tuple(texts))


def _nodes(entries: Sequence[Entry], shallow: int) -> Iterator[Node]:
    name = ""
    points: list[str] = []
    for entry in entries:
        if entry.depth == shallow:
            if name:
                yield Node(name=name, points=tuple(points))
            name, points = entry.text.rstrip(":："), []
        else:
            points.append(entry.text)
    yield Node(name=name, points=tuple(points))
