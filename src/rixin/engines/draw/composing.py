"""A specification from a prompt and, where a model wrote one for it, from that.

What the prompt says itself comes first; what a model wrote is used where the prompt says little or is running text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from rixin.engines.draw.blocks import changed, count, kind_of, texts_of
from rixin.engines.draw.draft import read_draft
from rixin.engines.draw.given import Given
from rixin.engines.draw.glyphs import breakable, drawable
from rixin.engines.draw.merging import merged
from rixin.engines.draw.prompt import read_prompt
from rixin.engines.draw.specification import (
    Block,
    Chart,
    Comparison,
    Figures,
    Hierarchy,
    Listing,
    Note,
    Quote,
    Sections,
    Specification,
    Steps,
    Table,
    Timeline,
)
from rixin.engines.draw.subject import is_chinese, tidy

MOST_BLOCKS: Final = 8
_MOST_ITEMS: Final = {Figures: 8, Steps: 9, Sections: 9, Comparison: 4, Timeline: 10, Listing: 12, Hierarchy: 8}
_LONGEST_TEXT: Final = 320
"""Characters of a text that anybody reads in a picture."""
_LONGEST_TITLE: Final = 96
_LONGEST_SUBTITLE: Final = 110


class Composition(Struct, frozen=True, kw_only=True):
    """A specification, and what of the prompt is not in it."""

    specification: Specification
    left_out: tuple[str, ...]
    """Kinds of things that were too many or too long, or that cannot be drawn."""
    written: bool
    """Whether a model's words are in it."""


def compose(prompt: str, answer: str) -> Composition:
    """Makes the specification of a picture.

    Args:
        prompt: As the client sent it.
        answer: What a model wrote for it under the schema, as far as it came; empty where none did.
    """
    prompt, lost = drawable(prompt)
    given = Given(prompt)
    draft = read_draft(answer, given)
    left_out = ["characters"] if lost else []
    reading = read_prompt(prompt)
    if reading.dropped:
        left_out.append("table")
    sentences = [sentence for sentence in reading.sentences if len(sentence) <= _LONGEST_TEXT]
    if len(sentences) < len(reading.sentences):
        left_out.append("text")
    title = reading.title or draft.title or _title_of_blocks(reading.blocks)
    title, subtitle = _titles(title, reading.subtitle, sentences)

    def fitting(blocks: Iterable[Block]) -> Iterator[Block]:
        for block in blocks:
            whole = _fitting(_without_title(block, title, alone=len(reading.blocks) < 2), given)
            if whole is None or count(whole) < count(block):
                left_out.append(kind_of(block))
            if whole is not None:
                yield whole

    own, prose = [*fitting(reading.blocks)], [*fitting(_of_sentences(sentences))]
    drafted = [_without_title(block, title, alone=len(draft.blocks) == 1) for block in draft.blocks]
    blocks = merged(own, prose, drafted)
    used = any(block not in own and block not in prose for block in blocks)
    if used and not subtitle and draft.subtitle.lower() != title.lower():
        subtitle = draft.subtitle
    whole = [block for block in (_fitting(block, given) for block in blocks) if block]
    left_out += [kind_of(block) for block in whole[MOST_BLOCKS:]]
    specification = Specification(
        title=title,
        subtitle=subtitle,
        palette=draft.palette,
        layout=draft.layout,
        blocks=tuple(whole[:MOST_BLOCKS]),
        language="zh" if is_chinese(prompt) else "en",
    )
    return Composition(
        specification=changed(specification, breakable),
        left_out=tuple(dict.fromkeys(left_out)),
        written=used or bool(draft.title and title == draft.title),
    )


def _titles(title: str, subtitle: str, sentences: list[str]) -> tuple[str, str]:
    """Title and subtitle; what they take of the sentences is taken out of them."""
    if not title and sentences:
        title = tidy(re.split(r"[,，;；:：。.]\s*", sentences[0], maxsplit=1)[0])
        if title == tidy(sentences[0]):
            sentences.pop(0)
    if not title or len(title) > _LONGEST_TITLE:
        title = _first_words(title)
    if not subtitle and len(sentences) == 1 and len(sentences[0]) <= _LONGEST_SUBTITLE:
        subtitle = sentences.pop()
    return title, subtitle


def _title_of_blocks(blocks: Sequence[Block]) -> str:
    """A title for data and lists that come alone: that of the first which has one, or the names of what is compared."""
    titles = [tidy(block.title) for block in blocks if block.title]
    names = [" vs ".join(side.name for side in block.items) for block in blocks if isinstance(block, Comparison)]
    return next(iter((*titles, *names)), "")


def _first_words(title: str) -> str:
    if is_chinese(title):
        return title[:40]
    words = title.split()
    while words and len(" ".join(words)) > _LONGEST_TITLE:
        words.pop()
    return " ".join(words) or title[:40]


def _without_title(block: Block, title: str, *, alone: bool) -> Block:
    """A block that does not say again what stands above all; beside others, a part of that tells it from them."""
    own, above = block.title.lower(), title.lower()
    return replace(block, title="") if own and (own == above or (alone and own in above)) else block


def _of_sentences(sentences: list[str]) -> Iterator[Block]:
    if len(sentences) >= 3:
        yield Listing(items=tuple(sentence.rstrip("。.;；") for sentence in sentences))
    elif sentences:
        yield Note(text=" ".join(sentences) if sentences[0].isascii() else "".join(sentences))


def _fitting(block: Block, given: Given) -> Block | None:
    """A block with as many of its parts as a picture can hold, all of whose numbers were given; None if none is."""
    if isinstance(block, Chart | Table | Quote | Note):
        return block if all(_short(text) and given.holds(text) for text in texts_of(block)) else None
    items = [item for item in block.items if all(_short(text) and given.holds(text) for text in texts_of(item))]
    items = items[: _MOST_ITEMS[type(block)]]
    return replace(block, items=tuple(items)) if items else None


def _short(text: str) -> bool:
    return len(text) <= _LONGEST_TEXT
