"""The parts of a `multipart/form-data` body (RFC 7578), one after the other as its bytes come.

Bytes in, events out; nothing is held but a part's head and what may be the beginning of a boundary.
"""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias
from urllib.parse import unquote

from msgspec import Struct

from rixin.errors import Kind, RixinError, invalid

MAX_PARTS: Final = 32
MAX_HEAD: Final = 8192
"""Bytes of a part's headers."""
_MAX_PREAMBLE: Final = 8192
"""Bytes before the first part."""
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
"""RFC 2046, section 5.1.1."""
_PARAMETER = re.compile(r""";\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*)""", re.ASCII)
_ESCAPED = re.compile(r"""\\(["\\])""")
"""A backslash before anything else is one: some browsers send paths of Windows."""


class Part(Struct, frozen=True):
    """A part begins."""

    name: str
    filename: str | None
    """None where it is a field."""


Event: TypeAlias = Part | bytes
"""A part begins, or goes on with bytes."""


class MultipartReader:
    """Reads a body.

    Args:
        content_type: The request's, with its boundary.

    Raises:
        RixinError: `UNSUPPORTED_MEDIA_TYPE` where it is another type; `INVALID_REQUEST` without a boundary.
    """

    def __init__(self, content_type: str) -> None:
        kind, _, _ = content_type.partition(";")
        if kind.strip().lower() != "multipart/form-data":
            raise RixinError(Kind.UNSUPPORTED_MEDIA_TYPE, "The request's content-type must be multipart/form-data.")
        boundary = _parameters(content_type).get("boundary", "")
        if not _BOUNDARY.fullmatch(boundary):
            raise invalid("The request's content-type must name the boundary of its parts.")
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._buffer = b"\r\n"  # a body may begin with its first boundary
        self._parts = 0
        self._skipped = 0
        self._state = self._preamble
        self.complete = False
        """Whether the last part has ended."""

    def feed(self, data: bytes) -> Iterator[Event]:
        """What the next bytes complete.

        Raises:
            RixinError: `INVALID_REQUEST` where they are no such body.
        """
        if self.complete:
            return  # an epilogue, which has no meaning
        self._buffer += data
        while (event := self._state()) is not None:
            if event != b"":
                yield event

    # Each state gives an event, b"" where it only went on to the next state, None where it needs more bytes.

    def _preamble(self) -> Event | None:
        place = self._buffer.find(self._delimiter)
        keep = len(self._delimiter) - 1
        self._skipped += max(0, (len(self._buffer) - keep) if place < 0 else place)
        if self._skipped > _MAX_PREAMBLE:
            raise _broken("its first part does not begin")
        if place < 0:
            self._buffer = self._buffer[-keep:]
            return None
        self._buffer = self._buffer[place + len(self._delimiter) :]
        self._state = self._after_delimiter
        return b""

    def _after_delimiter(self) -> Event | None:
        if self._buffer.startswith(b"--"):
            self.complete = True
            self._buffer = b""
            return None
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found:
            if len(line) > MAX_HEAD:
                raise _broken("a boundary has no end")
            return None
        if line.strip(b" \t"):
            raise _broken("there is something behind a boundary")
        self._buffer = b"\r\n" + rest  # so that a part without headers has an end of them too
        self._state = self._head
        return b""

    def _head(self) -> Event | None:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if len(head) > MAX_HEAD:
            raise _broken(f"the headers of a part have more than {MAX_HEAD} bytes")
        if not found:
            return None
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _broken(f"it has more than {MAX_PARTS} parts")
        self._buffer = rest
        self._state = self._body
        return _part(head.decode("utf-8", "replace"))

    def _body(self) -> Event | None:
        place = self._buffer.find(self._delimiter)
        if place >= 0:
            data = self._buffer[:place]
            self._buffer = self._buffer[place + len(self._delimiter) :]
            self._state = self._after_delimiter
            return data
        # What may be the beginning of a boundary waits for its end.
        safe = len(self._buffer) - len(self._delimiter) + 1
        if safe <= 0:
            return None
        data, self._buffer = self._buffer[:safe], self._buffer[safe:]
        return data


def _part(head: str) -> Part:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            parameters = _parameters(value)
            if "name" in parameters:
                return Part(parameters["name"], _filename(parameters))
    raise _broken("a part has no name")


def _filename(parameters: dict[str, str]) -> str | None:
    extended = parameters.get("filename*")  # RFC 5987: charset'language'text
    return parameters.get("filename") if extended is None else unquote(extended.rpartition("'")[2])


def _parameters(value: str) -> dict[str, str]:
    """Of a header such as `form-data; name="x"`, by lower-case name."""
    return {match.group(1).lower(): _unquoted(match.group(2)) for match in _PARAMETER.finditer(value)}


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    # Browsers write a quote as %22 (WHATWG, multipart/form-data encoding), others with a backslash.
    return _ESCAPED.sub(r"\1", value[1:-1]).replace("%22", '"')


def _broken(why: str) -> RixinError:
    return invalid(f"The request's multipart body is malformed: {why}.")
