"""A file's bytes to what is indexed of it: entries of questions and answers, or blocks of text."""

import re
from collections.abc import Iterator
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from rixin.errors import invalid
from rixin.knowledge.chunking import cut
from rixin.knowledge.tokens import tokens
from rixin.media.jobs import WORDS, Block, Document, DocumentJob, RefusedError
from rixin.media.payload import Payload
from rixin.media.reading import MEDIA_TYPES
from rixin.store.passages import NewPassage

DOCX: Final = MEDIA_TYPES["docx"]
PDF: Final = MEDIA_TYPES["pdf"]
_JSON: Final = "application/json"
_MARKDOWN: Final = "text/markdown"
_HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r"[ \t]{0,3}(```+|~~~+)")


class Source(Struct, frozen=True):
    """A file."""

    media_type: str
    data: bytes


class ReadsDocuments(Protocol):
    """Reads documents in processes of their own (`media.worker.Decoders`)."""

    async def document(self, job: DocumentJob, payload: Payload, seconds: float | None = None) -> Document:
        """The text of a document, which may take so many seconds. Raises `RefusedError`."""
        ...


class Bounds(Struct, frozen=True, kw_only=True):
    """What is read at most."""

    bytes: int = 20 * 2**20
    pages: int = 5000
    characters: int = 10_000_000
    passages: int = 20_000
    """Of one document."""
    cpu_seconds: int = 60
    seconds: float = 120.0


class Question(Struct, frozen=True):
    """A question that is often asked, in several wordings, and its answer."""

    std_q: str
    answer: str
    simi_qs: tuple[str, ...] = ()


class _Collection(Struct, frozen=True):
    """The native platform's form of a document (its Python SDK's tests show it)."""

    qa_lst: tuple[Question, ...] = ()
    text_lst: tuple[str, ...] = ()


_COLLECTION = msgspec.json.Decoder(_Collection)
_ANYTHING = msgspec.json.Decoder(dict[str, msgspec.Raw])


async def read_blocks(source: Source, decoder: ReadsDocuments, bounds: Bounds) -> tuple[Block, ...] | None:
    """The blocks of a document that is read in a process of its own; None for one that `passages_of` reads.

    Raises:
        RixinError: `INVALID_REQUEST`, saying what is wrong with it.
    """
    if source.media_type not in (PDF, DOCX):
        return None
    job = DocumentJob(
        kind="pdf" if source.media_type == PDF else "docx",
        base64=False,
        max_bytes=bounds.bytes,
        max_pages=bounds.pages,
        max_characters=bounds.characters,
        cpu_seconds=bounds.cpu_seconds,
    )
    try:
        return (await decoder.document(job, Payload(source.data), bounds.seconds)).blocks
    except RefusedError as error:
        raise invalid(f"invalid file, {WORDS[error.fault]}.", "file") from None


def passages_of(source: Source, blocks: tuple[Block, ...] | None, bounds: Bounds) -> list[NewPassage]:
    """What is indexed of a document. Takes a second for each million characters, so it is called off the event loop.

    Args:
        source: The file.
        blocks: What `read_blocks` gave.
        bounds: What is read at most.

    Raises:
        RixinError: `INVALID_REQUEST`, saying what is wrong with it.
    """
    found: list[NewPassage] = []
    for passage in _passages(source, blocks):
        if len(found) == bounds.passages:
            raise invalid(f"invalid file, it should have no more than {bounds.passages} passages.", "file")
        found.append(passage)
    if not found:
        raise invalid("invalid file, there is no text in it.", "file")
    return found


def _passages(source: Source, blocks: tuple[Block, ...] | None) -> Iterator[NewPassage]:
    if blocks is not None:
        yield from _cut(blocks, 0)
        return
    try:
        text = source.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise invalid("invalid file, it should be text in UTF-8, PDF or DOCX.", "file") from None
    if source.media_type == _JSON and (collection := _collection(text)) is not None:
        yield from _entries(collection)
    elif source.media_type == _MARKDOWN:
        yield from _cut(_markdown(text), 0)
    else:
        yield from _cut([Block(text=text.replace("\r\n", "\n"))], 0)


def _collection(text: str) -> _Collection | None:
    """The platform's form; None for another JSON text, which is read as any other text."""
    try:
        if not {"qa_lst", "text_lst"} & _ANYTHING.decode(text).keys():
            return None
        return _COLLECTION.decode(text)
    except msgspec.ValidationError as error:
        if text.lstrip()[:1] != "{":
            return None
        raise invalid(f"invalid file, {error}", "file") from None
    except msgspec.DecodeError as error:
        raise invalid(f"invalid file, it is no JSON: {error}", "file") from None


def _entries(collection: _Collection) -> Iterator[NewPassage]:
    position = 0
    for question in collection.qa_lst:
        wordings = dict.fromkeys((question.std_q, *question.simi_qs))
        entry = position
        yield NewPassage(
            entry=entry,
            text=f"{question.std_q}\n{question.answer}",
            answer=question.answer,
            tokens=" ".join(tokens("\n".join((*wordings, question.answer)))),
        )
        for wording in wordings:
            yield NewPassage(entry=entry, question=True, text=wording, answer=question.answer, tokens="")
        position += 1 + len(wordings)
    for text in collection.text_lst:
        for passage in _cut([Block(text=text)], position):
            yield passage
            position += 1


def _cut(blocks: "Iterator[Block] | list[Block] | tuple[Block, ...]", first: int) -> Iterator[NewPassage]:
    for position, passage in enumerate(cut(blocks), first):
        yield NewPassage(
            entry=position,
            text=passage.text,
            heading=passage.heading,
            page=passage.page,
            tokens=" ".join(tokens(f"{passage.heading}\n{passage.text}")),
        )


def _markdown(text: str) -> Iterator[Block]:
    """Headings, and what stands between them; a `#` in a fenced block is none."""
    fence, held = "", list[str]()
    for line in text.splitlines():
        if (mark := _FENCE.match(line)) and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
        heading = None if fence else _HEADING.fullmatch(line)
        if heading is None:
            held.append(line)
            continue
        yield Block(text="\n".join(held))
        held.clear()
        yield Block(text=heading.group(2), level=len(heading.group(1)))
    yield Block(text="\n".join(held))
