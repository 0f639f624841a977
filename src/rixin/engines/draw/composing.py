"""A specification from a prompt and, where a model wrote some words for it, from those.

What the prompt says itself comes first; what a model wrote is used where the prompt says little, and never for a
number.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from rixin.core.json import JsonValue
from rixin.engines.draw.glyphs import breakable, drawable
from rixin.engines.draw.icons import icon_for
from rixin.engines.draw.numerals import given_numbers, stands_in
from rixin.engines.draw.prompt import read_prompt
from rixin.engines.draw.specification import (
    Block,
    Chart,
    Comparison,
    Figures,
    Hierarchy,
    Item,
    Listing,
    Note,
    Quote,
    Sections,
    Specification,
    Steps,
    Table,
    Timeline,
)
from rixin.engines.draw.subject import tidy
from rixin.engines.draw.writing import Written, believed, is_chinese

MOST_BLOCKS: Final = 8
_MOST_ITEMS: Final = {Figures: 8, Steps: 9, Sections: 9, Comparison: 4, Timeline: 10, Listing: 12, Hierarchy: 8}
_LONGEST_TEXT: Final = 320
"""Characters of a text that anybody reads in a picture."""
_LONGEST_TITLE: Final = 96
_LONGEST_SUBTITLE: Final = 110
_ENOUGH: Final = 3
"""Things that a picture should say; a prompt with fewer is helped by what a model wrote."""
_PROCESS: Final = re.compile(
    r"\b(?:cycle|process|steps?|how|stages?|workflow|pipeline|life of|journey)\b"
    r"|循环|过程|流程|步骤|如何|怎么|怎样|阶段",
    re.IGNORECASE,
)
_HAN: Final = re.compile("[\u4e00-\u9fff]")

_NO_TEXTS: Final = frozenset({"type", "kind", "icon", "language"})
"""Fields that hold words of ours."""


class Composition(Struct, frozen=True, kw_only=True):
    """A specification, and what of the prompt is not in it."""

    specification: Specification
    left_out: tuple[str, ...]
    """Kinds of things that were too many or too long, or that cannot be drawn."""
    written: bool
    """Whether a model's words are in it."""


def compose(prompt: str, answer: str | None) -> Composition:
    """Makes the specification of a picture.

    Args:
        prompt: As the client sent it.
        answer: What a model wrote for it under the schema; None where none did, or not in time.
    """
    prompt, lost = drawable(prompt)
    given = given_numbers(prompt)
    written = believed(drawable(answer)[0], given) if answer else None
    left_out = ["characters"] if lost else []
    reading = read_prompt(prompt)
    if reading.dropped:
        left_out.append("table")
    sentences = [sentence for sentence in reading.sentences if len(sentence) <= _LONGEST_TEXT]
    if len(sentences) < len(reading.sentences):
        left_out.append("text")
    title = reading.title or (written.title if written else "") or _title_of_blocks(reading.blocks)
    title, subtitle = _titles(title, reading.subtitle, sentences)
    blocks: list[Block] = []
    for block in (*reading.blocks, *_of_sentences(sentences)):
        whole = _fitting(_without_title(block, title), given)
        if (whole is not block and _count(whole) < _count(block)) or whole is None:
            left_out.append(_kind(block))
        if whole is not None:
            blocks.append(whole)
    used = written is not None and sum(map(_count, blocks)) < _ENOUGH
    if written and used:
        blocks.append(_of_points(written, prompt))
        subtitle = subtitle or ("" if written.subtitle.lower() == title.lower() else written.subtitle)
    if len(blocks) > MOST_BLOCKS:
        left_out += [_kind(block) for block in blocks[MOST_BLOCKS:]]
    specification = Specification(
        title=title,
        subtitle=subtitle,
        blocks=tuple(blocks[:MOST_BLOCKS]),
        language="zh" if is_chinese(prompt) else "en",
    )
    return Composition(
        specification=_mapped(specification, breakable),
        left_out=tuple(dict.fromkeys(left_out)),
        written=used or bool(written and title == written.title),
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
    if _HAN.search(title):
        return title[:40]
    words = title.split()
    while words and len(" ".join(words)) > _LONGEST_TITLE:
        words.pop()
    return " ".join(words) or title[:40]


def _without_title(block: Block, title: str) -> Block:
    return replace(block, title="") if block.title and block.title.lower() in title.lower() else block


def _of_sentences(sentences: list[str]) -> Iterator[Block]:
    if len(sentences) >= 3:
        yield Listing(items=tuple(sentence.rstrip("。.;；") for sentence in sentences))
    elif sentences:
        yield Note(text=" ".join(sentences) if sentences[0].isascii() else "".join(sentences))


def _of_points(written: Written, prompt: str) -> Block:
    items = tuple(
        Item(heading=point.heading, text=point.text, icon=icon_for(point.heading, point.text))
        for point in written.points
    )
    return Steps(items=items) if _PROCESS.search(prompt) else Sections(items=items)


def _kind(block: Block) -> str:
    return str(block.__struct_config__.tag)


def _count(block: Block | None) -> int:
    """How many things a block says."""
    match block:
        case None:
            return 0
        case Chart():
            return len(block.labels)
        case Table():
            return len(block.rows)
        case Quote() | Note():
            return 1
        case Comparison():
            return sum(len(side.points) for side in block.items)
        case _:
            return len(block.items)


def _fitting(block: Block, given: frozenset[str]) -> Block | None:
    """A block with as many of its parts as a picture can hold, all of whose numbers were given; None if none is."""
    if isinstance(block, Chart | Table | Quote | Note):
        texts = list(_texts(block))
        return block if all(map(_short, texts)) and all(stands_in(text, given) for text in texts) else None
    items = [item for item in block.items if all(_short(text) and stands_in(text, given) for text in _texts(item))]
    items = items[: _MOST_ITEMS[type(block)]]
    return replace(block, items=tuple(items)) if items else None


def _short(text: str) -> bool:
    return len(text) <= _LONGEST_TEXT


def _texts(value: Struct | str) -> Iterator[str]:
    """All texts in a part of a specification."""
    found: list[str] = []

    def keep(text: str) -> str:
        found.append(text)
        return text

    _walk(_plain(value), keep)
    return iter(found)


def _mapped(specification: Specification, change: Callable[[str], str]) -> Specification:
    """The same with all of its texts changed."""
    return msgspec.convert(_walk(_plain(specification), change), Specification)


def _plain(value: Struct | str) -> JsonValue:
    return msgspec.json.decode(msgspec.json.encode(value))


def _walk(value: JsonValue, change: Callable[[str], str]) -> JsonValue:
    match value:
        case str():
            return change(value)
        case dict():
            return {name: part if name in _NO_TEXTS else _walk(part, change) for name, part in value.items()}
        case list():
            return [_walk(part, change) for part in value]
        case _:
            return value
