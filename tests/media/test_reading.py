"""Documents to text, through real processes."""

import base64
from collections.abc import AsyncIterator

import pytest

from rixin.media.jobs import Fault, RefusedError
from rixin.media.payload import Payload
from rixin.media.reading import DocumentReader, kind_of
from rixin.media.worker import DOCUMENTS, Decoders
from rixin.settings import Media
from tests.media.conftest import ENVIRONMENT
from tests.media.documents import pdf, word
from tests.support.hang import HANG


@pytest.fixture
async def reader() -> AsyncIterator[DocumentReader]:
    """One that reads little."""
    decoders = Decoders(ENVIRONMENT, number=1, timeout=HANG, program=DOCUMENTS)
    yield DocumentReader(decoders, Media(max_pages=3, max_characters=100, max_bytes=10**6, decode_timeout=HANG))
    await decoders.aclose()


def as_base64(data: bytes) -> Payload:
    """Bytes as a request brings them."""
    return Payload(base64.b64encode(data).decode())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (pdf("Hello", "World"), "[Page 1]\nHello\n\n[Page 2]\nWorld"),
        (word("First.", "第二。"), "First.\n\n第二。"),
        ("Words.\n文字。".encode(), "Words.\n文字。"),
        ("\ufeffMarked.".encode(), "Marked."),
    ],
)
async def test_the_words_of_a_document(reader: DocumentReader, data: bytes, text: str) -> None:
    """The same of bytes and of base64."""
    assert await reader.text(Payload(data)) == text
    assert await reader.text(as_base64(data)) == text


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\x00\x01\x02\xff", Fault.DOCUMENT_KIND),
        (b"text\x00", Fault.DOCUMENT_KIND),
        (b"x" * 101, Fault.CHARACTERS),
        (pdf("x" * 101), Fault.CHARACTERS),
        (pdf("", "", "", ""), Fault.PAGES),
        (pdf(""), Fault.NO_TEXT),
        (pdf("Hello")[:100], Fault.DOCUMENT_BROKEN),
        (b"PK\x03\x04" + bytes(100), Fault.DOCUMENT_BROKEN),
    ],
)
async def test_m6_what_is_not_read_says_why(reader: DocumentReader, data: bytes, fault: Fault) -> None:
    """And the next one is read."""
    with pytest.raises(RefusedError) as refused:
        await reader.text(Payload(data))
    assert refused.value.fault is fault
    assert await reader.text(Payload(pdf("Hello"))) == "[Page 1]\nHello"


async def test_what_is_no_base64_is_refused(reader: DocumentReader) -> None:
    """Whatever its first characters are."""
    for text in ("****", "QUJD*" * 100, "QUJD" * 600 + "*"):
        with pytest.raises(RefusedError) as refused:
            await reader.text(Payload(text))
        assert refused.value.fault is Fault.BASE64


def test_the_kind_of_a_document() -> None:
    """By its first bytes, in whatever spelling of base64."""
    assert kind_of(Payload(b"junk\n%PDF-1.7")) == "pdf"
    spelled = base64.urlsafe_b64encode(pdf("Hello")).decode().rstrip("=")
    lines = "\r\n".join(spelled[start : start + 76] for start in range(0, len(spelled), 76))
    assert kind_of(Payload(lines)) == "pdf"
    assert kind_of(Payload("data:;base64," + lines, 13)) == "pdf"
    assert kind_of(as_base64(word("x"))) == "docx"
    assert kind_of(as_base64(b"x")) == "text"
    assert kind_of(Payload("")) == "text"
