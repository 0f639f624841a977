"""What is to be decoded: bytes, or text that holds them, as data URLs and base64 in all its spellings do."""

import base64
import binascii
import re
from collections.abc import Iterator

from msgspec import Struct

from rixin.media.jobs import Fault, RefusedError

PIECE = 3 * 2**18
"""Bytes that are handled at a time, between which others are served; of base64 they are whole groups."""
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITESPACE = b" \t\r\n\f\v"
_HEAD = re.compile(r"data:[^,]*;\s*base64\s*,", re.IGNORECASE)
_MAX_HEAD = 200
"""Characters of a data URL up to its comma."""


class Payload(Struct, frozen=True):
    """What is to be decoded. It is large, and so it is not copied but in pieces."""

    data: bytes | bytearray | str
    """Text is base64."""
    start: int = 0
    """Where in the data it begins."""

    @property
    def is_text(self) -> bool:
        """Whether it is base64."""
        return isinstance(self.data, str)

    @property
    def length(self) -> int:
        """Bytes of it as it is, base64 or not."""
        return len(self.data) - self.start

    @property
    def size(self) -> int:
        """Bytes of what it holds; at most, where it is base64."""
        return self.length * 3 // 4 if self.is_text else self.length

    def head(self, size: int) -> bytes:
        """The first bytes of what it holds.

        Args:
            size: How many; base64 that begins with much whitespace gives fewer.

        Raises:
            RefusedError: It is text that is no base64.
        """
        piece = self.data[self.start : self.start + 2 * size]
        if not isinstance(piece, str):
            return bytes(piece[:size])
        plain = plain_base64(piece.encode("ascii", "replace")).rstrip(b"=")
        return decode_base64(plain[: len(plain) // 4 * 4] or plain)[:size]

    def pieces(self) -> Iterator[bytes | memoryview]:
        """It as it is, in pieces of at most `PIECE` bytes."""
        data = self.data if isinstance(self.data, str) else memoryview(self.data)
        for start in range(self.start, len(data), PIECE):
            piece = data[start : start + PIECE]
            yield piece.encode("ascii", "replace") if isinstance(piece, str) else piece


def data_of(url: str) -> Payload | None:
    """What a data URL (RFC 2397) holds in base64; None where it is something else. Its media type is not believed."""
    head = _HEAD.match(url[:_MAX_HEAD])
    return None if head is None else Payload(url, head.end())


def plain_base64(text: bytes) -> bytes:
    """Base64 in the one spelling that everybody reads.

    Args:
        text: In the standard or URL-safe alphabet, with or without padding, with whitespace anywhere.
    """
    text = text.translate(_URL_SAFE, _WHITESPACE).rstrip(b"=")
    return text + b"=" * (-len(text) % 4)


def decode_base64(text: bytes) -> bytes:
    """The bytes of base64 in any spelling of `plain_base64`.

    Raises:
        RefusedError: It is none.
    """
    try:
        return base64.b64decode(plain_base64(text), validate=True)
    except binascii.Error:
        raise RefusedError(Fault.BASE64) from None
