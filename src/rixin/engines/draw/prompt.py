"""A prompt read for what can be drawn of it: its title, its data, its lists and its running text."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from rixin.engines.draw.data import find_data
from rixin.engines.draw.figures import figure_of
from rixin.engines.draw.lists import Entry, block_of, entry_of, unrolled
from rixin.engines.draw.points import parts_of
from rixin.engines.draw.prose import Prose
from rixin.engines.draw.sides import MOST_SIDES
from rixin.engines.draw.specification import Block, Comparison, Figures, Listing, Sections, Side
from rixin.engines.draw.subject import compares, subject_of, subtitle_of, tidy, title_of

_HEADING: Final = re.compile(r"^#{1,6}\s+(?P<text>.+)$")
_COMMAS: Final = tuple(",，、")
_LAST_SPACED: Final = "\u2e7f"
"""The scripts up to here put spaces between words."""
_LONGEST_PARAGRAPH: Final = 4000
_LONGEST_CAPTION: Final = 60
_LONGEST_HEADLINE: Final = 56
_LONGEST_CHINESE_HEADLINE: Final = 24


class Reading(Struct, frozen=True, kw_only=True):
    """What a prompt says."""

    title: str
    """Its title or subject; empty where it names none."""
    subtitle: str
    blocks: tuple[Block, ...]
    sentences: tuple[str, ...]
    """What is in no block."""
    dropped: bool
    """Whether there are data that no picture can hold."""


def read_prompt(prompt: str) -> Reading:
    """Reads a prompt.

    Args:
        prompt: A text of drawable characters.
    """
    data = find_data(prompt)
    title, subtitle, lines = _titles(data.rest.split("\n"))
    title, blocks, paragraphs = _lists(lines, title)
    prose = Prose(paragraphs)
    title = title or prose.subject or prose.opening
    sentences = prose.sentences
    if not title and sentences and _is_headline(sentences[0]):
        title, sentences = tidy(sentences[0]), sentences[1:]
    blocks = [*blocks, *prose.blocks]
    if compares(prompt):
        blocks = list(_compared(blocks))
    figures = {sentence: figure for sentence in sentences if (figure := figure_of(sentence))}
    return Reading(
        title=title,
        subtitle=subtitle,
        blocks=(*([Figures(items=tuple(figures.values()))] if figures else []), *data.blocks, *blocks),
        sentences=tuple(sentence for sentence in sentences if sentence not in figures),
        dropped=data.dropped,
    )


def _titles(lines: Sequence[str]) -> tuple[str, str, list[str]]:
    """The title and the subtitle that are given as such, and the other lines, points on lines of their own."""
    title = subtitle = ""
    rest: list[str] = []
    for line in lines:
        if not title and (given := title_of(line)):
            title = given
        elif not subtitle and (given := subtitle_of(line)):
            subtitle = given
        elif not title and not rest and (heading := _HEADING.match(line)):
            title = tidy(heading["text"])
        else:
            rest += unrolled(line)
    return title, subtitle, rest


def _lists(lines: Sequence[str], title: str) -> tuple[str, list[Block], list[str]]:
    """The title, which a list's caption may turn out to be, the lists, and the paragraphs between them."""
    blocks: list[Block] = []
    paragraphs: list[str] = []
    caption = ""
    entries: list[Entry] = []
    broken = False  # whether the line before is one of the same paragraph
    for line in (*lines, "."):
        if entry := entry_of(line):
            entries.append(entry)
            broken = False
            continue
        plain = line.strip()
        if not plain:
            broken = False
            continue
        if entries:
            above = paragraphs[-1] if paragraphs and _is_headline(paragraphs[-1]) else ""
            blocks.append(block_of(caption, entries, title or above))
            caption, entries = "", []
        elif caption:
            paragraphs.append(caption)
            caption = ""
        if heading := _HEADING.match(plain):
            caption = tidy(heading["text"])
        elif plain.endswith((":", "：")) and len(plain) <= _LONGEST_CAPTION:
            asked = subject_of(plain)
            title, caption = (title or asked, "") if asked else (title, tidy(plain))
        elif broken and paragraphs and _goes_on(paragraphs[-1], plain):
            paragraphs[-1] += plain if paragraphs[-1][-1] > _LAST_SPACED else f" {plain}"
        else:
            paragraphs.append(plain)
        broken = True
    return title, blocks, paragraphs


def _goes_on(paragraph: str, line: str) -> bool:
    """Whether a line goes on with the sentence in which a paragraph's last line was broken."""
    return len(paragraph) < _LONGEST_PARAGRAPH and (paragraph.endswith(_COMMAS) or line[:1].islower())


def _is_headline(sentence: str) -> bool:
    return len(sentence) <= (_LONGEST_HEADLINE if sentence.isascii() else _LONGEST_CHINESE_HEADLINE)


def _compared(blocks: Sequence[Block]) -> Iterator[Block]:
    """The same with lists that stand beside each other compared."""
    lists = [block for block in blocks if isinstance(block, Listing) and block.title]
    if 2 <= len(lists) <= MOST_SIDES:
        yield Comparison(items=tuple(Side(name=block.title, points=block.items) for block in lists))
        yield from (block for block in blocks if block not in lists)
        return
    for block in blocks:
        if isinstance(block, Sections) and len(block.items) <= MOST_SIDES and all(i.heading for i in block.items):
            sides = tuple(Side(name=item.heading, points=tuple(parts_of(item.text))) for item in block.items)
            yield Comparison(title=block.title, items=sides)
        else:
            yield block
