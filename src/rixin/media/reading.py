"""Documents of requests, as text: PDF and DOCX in a process apart, text as it is."""

import asyncio
import math
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from rixin.media.jobs import Document, DocumentJob, Fault, RefusedError
from rixin.media.payload import Payload, decode_base64
from rixin.media.worker import Decoders
from rixin.settings import Media

DocumentKind: TypeAlias = Literal["pdf", "docx", "text"]
MEDIA_TYPES: Final[dict[DocumentKind, str]] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "text": "text/plain",
}
_HEAD = 1024
"""Bytes within which a PDF begins (ISO 32000-1, Annex H)."""


class DocumentReader:
    """Reads documents.

    Args:
        decoders: Read PDF and DOCX; of the program `worker.DOCUMENTS`.
        settings: How much.
    """

    def __init__(self, decoders: Decoders, settings: Media) -> None:
        self._decoders = decoders
        self._settings = settings

    async def text(self, payload: Payload) -> str:
        """The words of a document; before each page of a PDF stands its number.

        Raises:
            RefusedError: It is not read, and why.
            RixinError: `QUEUE_FULL` while too many others wait.
        """
        kind = kind_of(payload)
        if kind == "text":
            return await asyncio.to_thread(self._plain, payload)
        job = DocumentJob(
            kind=kind,
            base64=payload.is_text,
            max_bytes=self._settings.max_bytes,
            max_pages=self._settings.max_pages,
            max_characters=self._settings.max_characters,
            cpu_seconds=math.ceil(self._settings.decode_timeout),
        )
        text = "\n\n".join(_words(await self._decoders.document(job, payload)))
        if not text:
            raise RefusedError(Fault.NO_TEXT)
        return text

    def _plain(self, payload: Payload) -> str:
        data = b"".join(payload.pieces())
        if payload.is_text:
            data = decode_base64(data)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise RefusedError(Fault.DOCUMENT_KIND) from None
        if "\0" in text:
            raise RefusedError(Fault.DOCUMENT_KIND)
        if len(text) > self._settings.max_characters:
            raise RefusedError(Fault.CHARACTERS)
        return text


def kind_of(payload: Payload) -> DocumentKind:
    """What a document is by its first bytes; what is nothing else is taken for text, which shows when it is read.

    Raises:
        RefusedError: It is text that is no base64.
    """
    head = payload.head(_HEAD)
    if b"%PDF-" in head:
        return "pdf"
    return "docx" if head.startswith(b"PK\x03\x04") else "text"


def _words(document: Document) -> Iterator[str]:
    for block in document.blocks:
        yield block.text if block.page is None else f"[Page {block.page}]\n{block.text}"
