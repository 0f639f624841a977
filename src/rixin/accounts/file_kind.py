"""What a file is, told from its bytes while they pass. Its name decides only between kinds that look the same."""

import codecs
from typing import Literal, TypeAlias

from msgspec import Struct

from rixin.media.sniff import sniff_image, sniff_video

Family: TypeAlias = Literal["image", "video", "text", "document", "other"]

_HEAD = 1024
"""Bytes that are looked at; a PDF begins within them (ISO 32000-1, Annex H)."""
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_IMAGES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp"}
_VIDEOS = {"mp4": "video/mp4", "matroska": "video/x-matroska", "avi": "video/x-msvideo"}
_TEXTS = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "md": "text/markdown",
}
"""By the end of the name. What a browser would run, such as HTML, is plain text here."""


class FileKind(Struct, frozen=True):
    """A kind of file."""

    family: Family
    media_type: str


class KindReader:
    """Looks at a file's bytes as they pass."""

    def __init__(self) -> None:
        self._head = b""
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()

    def feed(self, data: bytes) -> None:
        """Takes the next bytes."""
        if len(self._head) < _HEAD:
            self._head += data[: _HEAD - len(self._head)]
        self._read(data)

    def kind(self, name: str) -> FileKind:
        """What it was, now that it is over.

        Args:
            name: The file's, as its sender has it.
        """
        self._read(b"", final=True)
        head, end = self._head, name.rpartition(".")[2].lower()
        if image := sniff_image(head):
            return FileKind("image", _IMAGES[image])
        if video := sniff_video(head):
            return FileKind("video", _VIDEOS[video])
        if b"%PDF-" in head:
            return FileKind("document", "application/pdf")
        if head.startswith(b"PK\x03\x04"):
            return FileKind("document", _DOCX) if end == "docx" else FileKind("other", "application/zip")
        if self._decoder is None:
            return FileKind("other", "application/octet-stream")
        if end in _TEXTS:
            return FileKind("text", _TEXTS[end])
        is_json = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"[")
        return FileKind("text", "application/json" if is_json else "text/plain")

    def _read(self, data: bytes, *, final: bool = False) -> None:
        if self._decoder is None:
            return
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError:
            self._decoder = None
            return
        if "\0" in text:
            self._decoder = None
