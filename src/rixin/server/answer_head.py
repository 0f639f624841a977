"""The head of an answer."""

from collections.abc import Iterable
from http import HTTPStatus

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_STATUS_LINES = {code: f"HTTP/1.1 {code} {_PHRASES.get(code, '')}".encode() for code in range(100, 600)}


def encode_head(status: int, headers: Iterable[tuple[bytes, bytes]], *lines: bytes) -> bytes:
    """The bytes of a head.

    Args:
        status: Of the answer.
        headers: Names and values.
        lines: Whole header lines.

    Raises:
        ValueError: A header holds what would end it, and might begin another one or the body.
    """
    parts = [_STATUS_LINES[status], *lines, *map(b": ".join, headers)]
    head = b"\r\n".join(parts)
    breaks = len(parts) - 1
    if head.count(b"\r") != breaks or head.count(b"\n") != breaks or b"\0" in head:
        raise ValueError("a header holds a line break")
    return head + b"\r\n\r\n"
