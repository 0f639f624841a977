"""What files are, by their bytes, in whatever pieces these come."""

import pytest

from rixin.accounts.file_kind import FileKind, KindReader
from tests.media.documents import pdf, word
from tests.media.samples import image, video

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
KINDS: list[tuple[bytes, str, FileKind]] = [
    (image("PNG"), "a.txt", FileKind("image", "image/png")),
    (image("JPEG"), "", FileKind("image", "image/jpeg")),
    (image("WEBP"), "a.jpg", FileKind("image", "image/webp")),
    (video(), "a.png", FileKind("video", "video/mp4")),
    (pdf("x"), "a.docx", FileKind("document", "application/pdf")),
    (b"junk\n" + pdf("x"), "", FileKind("document", "application/pdf")),
    (word("x"), "a.DOCX", FileKind("document", DOCX)),
    (word("x"), "a.zip", FileKind("other", "application/zip")),
    (b'{"a": 1}', "file", FileKind("text", "application/json")),
    (b"\xef\xbb\xbf [1]", "file", FileKind("text", "application/json")),
    (b"{}\n{}", "a.jsonl", FileKind("text", "application/jsonl")),
    ("# 标题".encode(), "a.md", FileKind("text", "text/markdown")),
    (b"<html>", "a.html", FileKind("text", "text/plain")),
    (b"<svg/>", "a.svg", FileKind("text", "text/plain")),
    ("é".encode("latin-1"), "a.txt", FileKind("other", "application/octet-stream")),
    ("中".encode()[:2], "a.txt", FileKind("other", "application/octet-stream")),
    (b"a\0b", "a.txt", FileKind("other", "application/octet-stream")),
    (b"x" * 2000 + b"\xff", "a.txt", FileKind("other", "application/octet-stream")),
]


@pytest.mark.parametrize(("data", "name", "kind"), KINDS)
@pytest.mark.parametrize("size", [1, 100_000])
def test_the_kind_of_a_file(data: bytes, name: str, kind: FileKind, size: int) -> None:
    """A name tells kinds apart that look the same; it makes nothing of what it is not."""
    reader = KindReader()
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    assert reader.kind(name) == kind
