"""Reads the text of PDF and DOCX documents. Runs in a decoder process only."""

import re
from collections.abc import Iterator
from io import BytesIO

import docx
from docx.table import Table
from docx.text.paragraph import Paragraph
from pypdf import PasswordType, PdfReader

from rixin.media.jobs import Block, Document, DocumentJob, Fault, RefusedError

_HEADING = re.compile(r"(?:heading|标题)\s*([1-9])", re.IGNORECASE)
"""The names that Word's styles of headings have."""
_TITLE = frozenset({"title", "标题"})
_CELLS = " | "


def read_document(data: bytes, job: DocumentJob) -> Document:
    """The text of a document.

    Raises:
        RefusedError: It is locked, or has too much of something.
        Exception: Whatever the libraries raise for a document that is damaged.
    """
    blocks: list[Block] = []
    left = job.max_characters
    for block in _pdf(data, job) if job.kind == "pdf" else _docx(data):
        left -= len(block.text)
        if left < 0:
            raise RefusedError(Fault.CHARACTERS)
        if block.text:
            blocks.append(block)
    return Document(blocks=tuple(blocks))


def _pdf(data: bytes, job: DocumentJob) -> Iterator[Block]:
    """The text of each page; a PDF does not say what is a heading."""
    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
        raise RefusedError(Fault.PASSWORD)
    if len(reader.pages) > job.max_pages:
        raise RefusedError(Fault.PAGES)
    for number, page in enumerate(reader.pages, 1):
        yield Block(text=_encodable(page.extract_text()).strip(), page=number)


def _docx(data: bytes) -> Iterator[Block]:
    for item in docx.Document(BytesIO(data)).iter_inner_content():
        if isinstance(item, Paragraph):
            yield Block(text=item.text.strip(), level=_level(item))
        else:
            yield from _rows(item)


def _rows(table: Table) -> Iterator[Block]:
    for row in table.rows:
        cells = dict.fromkeys(cell.text.strip() for cell in row.cells)  # one that spans several is told for each
        yield Block(text=_CELLS.join(cell for cell in cells if cell))


def _level(paragraph: Paragraph) -> int:
    style = paragraph.style
    name = (style.name if style is not None else None) or ""
    heading = _HEADING.match(name)
    return int(heading.group(1)) if heading else int(name.casefold() in _TITLE)


def _encodable(text: str) -> str:
    """Text without the halves of characters that broken fonts give."""
    return text.encode("utf-8", "replace").decode("utf-8")
