"""Documents, read in confinement: M5, M6 and M7 of the security checklist."""

import zipfile
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any, Literal

import docx
import pytest
from pypdf import PdfReader, PdfWriter

from rixin.media.jobs import Block, DocumentJob, Fault, RefusedError
from rixin.media.payload import Payload
from rixin.media.worker import DOCUMENTS, Decoders
from tests.media.conftest import ENVIRONMENT
from tests.media.documents import pdf


@pytest.fixture
async def readers() -> AsyncIterator[Decoders]:
    """One process that reads documents."""
    pool = Decoders(ENVIRONMENT, number=1, timeout=60.0, program=DOCUMENTS)
    yield pool
    await pool.aclose()


def job(kind: Literal["pdf", "docx"], **options: Any) -> DocumentJob:
    """A job with wide bounds."""
    bounds: dict[str, Any] = {
        "base64": False,
        "max_bytes": 10**7,
        "max_pages": 100,
        "max_characters": 10**6,
        "cpu_seconds": 30,
    }
    return DocumentJob(kind=kind, **{**bounds, **options})


def word() -> bytes:
    """A DOCX with a title, a heading, Chinese text and a table."""
    made, data = docx.Document(), BytesIO()
    made.add_heading("手册", 0)
    made.add_heading("Leave", 2)
    made.add_paragraph("员工每年有二十六天年假。")
    table = made.add_table(2, 2)
    for row, texts in zip(table.rows, (("Name", "Room"), ("Ada", "7")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    made.save(data)
    return data.getvalue()


def locked(password: str) -> bytes:
    """A PDF that is encrypted."""
    writer, data = PdfWriter(clone_from=PdfReader(BytesIO(pdf("secret")))), BytesIO()
    writer.encrypt(password, "owner", algorithm="AES-256")
    writer.write(data)
    return data.getvalue()


async def test_pages_are_read(readers: Decoders) -> None:
    """Each is a block."""
    document = await readers.document(job("pdf"), Payload(pdf("First page.", "Second page.")))
    assert document.blocks == (Block(text="First page.", page=1), Block(text="Second page.", page=2))


async def test_word_documents_are_read(readers: Decoders) -> None:
    """Headings by their levels, tables by their rows."""
    document = await readers.document(job("docx"), Payload(word()))
    assert document.blocks == (
        Block(text="手册", level=1),
        Block(text="Leave", level=2),
        Block(text="员工每年有二十六天年假。"),
        Block(text="Name | Room"),
        Block(text="Ada | 7"),
    )


async def test_a_password_that_is_empty_is_none(readers: Decoders) -> None:
    """Such a document opens for everybody."""
    assert (await readers.document(job("pdf"), Payload(locked("")))).blocks[0].text == "secret"


def bomb() -> bytes:
    """A DOCX whose text is far larger than itself."""
    source, data = zipfile.ZipFile(BytesIO(word())), BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "word/document.xml":
                content = content.replace(b"Leave", b"L" * (400 * 2**20))
            target.writestr(name, content)
    return data.getvalue()


@pytest.mark.parametrize(
    ("kind", "data", "options", "fault"),
    [
        ("pdf", pdf("a", "b"), {"max_pages": 1}, Fault.PAGES),
        ("pdf", pdf("a" * 100), {"max_characters": 99}, Fault.CHARACTERS),
        ("pdf", pdf("a"), {"max_bytes": 10}, Fault.BYTES),
        ("pdf", locked("unknown"), {}, Fault.PASSWORD),
        ("pdf", b"%PDF-1.7", {}, Fault.DOCUMENT_BROKEN),
        ("pdf", word(), {}, Fault.DOCUMENT_BROKEN),
        ("docx", word()[:500], {}, Fault.DOCUMENT_BROKEN),
        ("docx", pdf("a"), {}, Fault.DOCUMENT_BROKEN),
    ],
)
async def test_a_refusal_costs_no_reader(
    readers: Decoders, kind: Literal["pdf", "docx"], data: bytes, options: dict[str, int], fault: Fault
) -> None:
    """It says what is wrong, and the process goes on with the next."""
    with pytest.raises(RefusedError) as caught:
        await readers.document(job(kind, **options), Payload(data))
    assert caught.value.fault is fault
    pids = readers.pids
    assert (await readers.document(job("docx"), Payload(word()))).blocks
    assert readers.pids == pids


async def test_a_bomb_hurts_nobody() -> None:
    """Memory is bounded, and the next document is read."""
    readers = Decoders(ENVIRONMENT, number=1, timeout=60.0, memory=400 * 2**20, program=DOCUMENTS)
    with pytest.raises(RefusedError) as caught:
        await readers.document(job("docx", max_bytes=10**9), Payload(bomb()))
    assert caught.value.fault in (Fault.RESOURCES, Fault.DOCUMENT_BROKEN)
    assert (await readers.document(job("docx"), Payload(word()))).blocks
    await readers.aclose()
