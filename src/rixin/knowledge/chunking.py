"""Cuts a document's blocks into passages: along its structure where that is possible, within a size in any case.

A passage holds whole paragraphs of one section; a paragraph that is too long is cut between sentences, and a sentence
that is too long between words. Where a section needs several passages, each begins with the last sentences of the one
before, so that what stands on a border is found whole.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from rixin.core.estimate import estimate_text
from rixin.media.jobs import Block

SIZE: Final = 256
"""Tokens that a passage has at most, by estimate; models that embed read no more than 512."""
OVERLAP: Final = 40
"""Tokens that are said again."""
_HEADING: Final = 200
"""Characters that are kept of the headings above a passage."""
_BETWEEN = " > "

_SENTENCE = re.compile(r"(?<=[。！？；…])[”’」』）)]*|(?<=[.!?;])[\"')\]]*\s+|\n+")
_WORD = re.compile(r"\s*(?:[!-~]{1,40}|\S)")
"""What a sentence is cut into when it is too long."""


class Passage(Struct, frozen=True, kw_only=True):
    """A piece of a document."""

    text: str
    heading: str = ""
    page: int | None = None


def cut(blocks: Iterable[Block], size: int = SIZE, overlap: int = OVERLAP) -> Iterator[Passage]:
    """Passages of at most `size` tokens, in order."""
    headings: dict[int, str] = {}
    packer = _Packer(size, overlap)
    for block in blocks:
        if block.level:
            yield from packer.flush()
            headings = {level: text for level, text in headings.items() if level < block.level}
            headings[block.level] = " ".join(block.text.split())
            packer.open(_BETWEEN.join(headings.values())[-_HEADING:])
        else:
            for paragraph in block.text.split("\n\n"):
                yield from packer.add(paragraph.strip(), block.page)
    yield from packer.flush()


class _Packer:
    """Puts pieces together."""

    def __init__(self, size: int, overlap: int) -> None:
        self._size = size
        self._overlap = overlap
        self._heading = ""
        self._page: int | None = None
        self._pieces: list[str] = []
        self._tokens = 0
        self._fresh = False
        """Whether there is more than what was said before."""

    def open(self, heading: str) -> None:
        """Begins a section."""
        self._heading = heading
        self._clear()

    def add(self, paragraph: str, page: int | None) -> Iterator[Passage]:
        """Takes a paragraph; gives the passages that are full."""
        if not paragraph:
            return
        tokens = estimate_text(paragraph)
        if self._tokens + tokens <= self._size:
            self._take(f"{paragraph}\n\n", tokens, page)
            return
        if tokens <= self._size - self._overlap:
            yield from self._full()
            self._take(f"{paragraph}\n\n", tokens, page)
            return
        for piece in _pieces(paragraph, self._size - self._overlap):
            length = estimate_text(piece)
            if self._tokens + length > self._size:
                yield from self._full()
            self._take(piece, length, page)
        self._pieces.append("\n\n")

    def flush(self) -> Iterator[Passage]:
        """The last passage of a section."""
        if self._fresh:
            yield self._passage()
        self._clear()

    def _full(self) -> Iterator[Passage]:
        """The passage that is full; the next one begins with its end."""
        if not self._fresh:
            self._clear()
            return
        passage = self._passage()
        yield passage
        self._clear()
        kept: list[str] = []
        tokens = 0
        for sentence in reversed(_sentences(passage.text)):
            tokens += estimate_text(sentence)
            if tokens > self._overlap:
                break
            kept.insert(0, sentence)
        self._pieces = kept
        self._tokens = sum(estimate_text(sentence) for sentence in kept)

    def _take(self, piece: str, tokens: int, page: int | None) -> None:
        if not self._fresh:
            self._page = page
        self._fresh = True
        self._pieces.append(piece)
        self._tokens += tokens

    def _passage(self) -> Passage:
        return Passage(text="".join(self._pieces).strip(), heading=self._heading, page=self._page)

    def _clear(self) -> None:
        self._pieces, self._tokens, self._fresh = [], 0, False


def _sentences(text: str) -> list[str]:
    """The sentences of a text, each with what follows it."""
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    starts = [0, *ends]
    return [piece for start, end in zip(starts, [*ends, len(text)], strict=True) if (piece := text[start:end])]


def _pieces(paragraph: str, size: int) -> Iterator[str]:
    """Sentences, and parts of those that are too long."""
    for sentence in _sentences(paragraph):
        if estimate_text(sentence) <= size:
            yield sentence
            continue
        held: list[str] = []
        tokens = 0
        for word in _WORD.findall(sentence):
            length = estimate_text(word)
            if held and tokens + length > size:
                yield "".join(held)
                held, tokens = [], 0
            held.append(word)
            tokens += length
        yield "".join(held)
