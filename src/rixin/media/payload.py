"""Bytes that came as text: data URLs and base64 in all its spellings."""

import base64
import binascii
import re

from rixin.media.jobs import Fault, RefusedError

_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITESPACE = b" \t\r\n\f\v"
_HEAD = re.compile(r"data:[^,]*;\s*base64\s*,", re.IGNORECASE)
_MAX_HEAD = 200
"""Characters of a data URL up to its comma."""


def data_of(url: str) -> str | None:
    """The base64 of a data URL (RFC 2397); None where it is something else. Its media type is not believed."""
    head = _HEAD.match(url[:_MAX_HEAD])
    return None if head is None else url[head.end() :]


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
