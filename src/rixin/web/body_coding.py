"""A request's body as it arrives, with its codings undone (RFC 9110, section 8.4).

Every coding works piece by piece, and what it gives is counted before the next piece is taken: a small body that stands
for a huge one is refused as soon as it exceeds the limit, and never held.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli
import zstandard

from rixin.errors import Kind, RixinError, invalid

_PIECE = 64 * 2**10
"""Bytes that a coding gives at a time, where its library can be told."""
_MOST_CODINGS = 3
"""Codings in turn. Each may cost as much as the limit allows, and nobody needs more than one."""
_ZSTD_WINDOW = 8 * 2**20
"""How far a body may look back (RFC 9659, section 3)."""
_ZSTD_BITE = 64
"""Bytes of zstd that are decompressed at a time. A block of four may stand for 128 KiB (RFC 8878, section 3.1.1.2), so
that these stand for 2 MiB at most."""
_MOST_PARTS = 1000
"""Members of gzip or frames of zstd in one body. Empty ones would cost time and never reach the limit."""
_BROKEN = (zlib.error, zstandard.ZstdError, brotli.error)


class Coding(Protocol):
    """Undoes one coding."""

    @property
    def complete(self) -> bool:
        """Whether the data may end here."""
        ...

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes complete, in pieces of which none is large."""
        ...


class _Parts:
    """Counts the parts of a body."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = _MOST_PARTS

    def next(self) -> None:
        self._left -= 1
        if not self._left:
            raise invalid(f"The request's body has more than {_MOST_PARTS} {self._name}.")


class _Zlib:
    """A stream that zlib reads."""

    def __init__(self, form: int) -> None:
        self._stream = zlib.decompressobj(form)

    @property
    def complete(self) -> bool:
        return self._stream.eof

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        piece = self._stream.decompress(data, _PIECE)
        yield piece
        while len(piece) == _PIECE:
            piece = self._stream.decompress(self._stream.unconsumed_tail, _PIECE)
            yield piece


class _Gzip(_Zlib):
    """One member after the other (RFC 1952)."""

    _FORM = zlib.MAX_WBITS | 16

    def __init__(self) -> None:
        super().__init__(self._FORM)
        self._parts = _Parts("members")

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:
                self._parts.next()
                self._stream = zlib.decompressobj(self._FORM)
            yield from self._inflate(data)
            data = self._stream.unused_data


class _Deflate(_Zlib):
    """In the wrapper of zlib (RFC 1950), as it should be, or bare (RFC 1951), as some send it."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._begun = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        if not self._begun:
            self._begun = True
            # A wrapper begins with the method, 8; to a bare stream that would be a block which nobody makes.
            if data[0] & 0x0F != zlib.DEFLATED:
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        if not self._stream.eof:
            yield from self._inflate(data)
            data = self._stream.unused_data
        if data:
            raise zlib.error("data after the end")


class _Zstd:
    """One frame after the other (RFC 8878). Its library gives all that it is fed stands for, so it is fed little."""

    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame = self._decompressor.decompressobj()
        self._parts = _Parts("frames")

    @property
    def complete(self) -> bool:
        return self._frame.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_BITE):
            rest = data[start : start + _ZSTD_BITE]
            while rest:
                if self._frame.eof:
                    self._parts.next()
                    self._frame = self._decompressor.decompressobj()
                yield self._frame.decompress(rest)
                rest = self._frame.unused_data


class _Brotli:
    """One stream (RFC 7932)."""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    @property
    def complete(self) -> bool:
        return self._stream.is_finished()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        piece = self._stream.process(data, output_buffer_limit=_PIECE)
        yield piece
        while len(piece) >= _PIECE or not self._stream.can_accept_more_data():
            piece = self._stream.process(b"", output_buffer_limit=_PIECE)
            yield piece


CODINGS: dict[str, Callable[[], Coding]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "zstd": _Zstd,
    "br": _Brotli,
}
"""By their names in `content-encoding`."""


class RequestBody:
    """A request's body while it arrives.

    It goes on taking what comes after it has found what is wrong with it, so that its sender can be let finish.

    Args:
        content_encoding: The header's value; codings stand in the order in which they were applied.
        limit: Bytes that the body may have, as sent, decompressed, and in between.
    """

    def __init__(self, content_encoding: str, limit: int) -> None:
        self._limit = limit
        self._failure: RixinError | None = None
        self._names: list[str] = []
        try:
            self._names = _names(content_encoding)
        except RixinError as error:
            self._failure = error
        self._codings = [CODINGS[name]() for name in self._names]
        self._sizes = [0] * (len(self._codings) + 1)
        self._pieces: list[bytes] = []

    @property
    def size(self) -> int:
        """Bytes that have come, as they were sent."""
        return self._sizes[0]

    def feed(self, data: bytes) -> None:
        """Takes the next bytes."""
        if self._failure is not None:
            self._sizes[0] += len(data)
            return
        try:
            self._take(0, data)
        except RixinError as error:
            self._failure = error
            self._pieces.clear()

    def whole(self) -> bytes:
        """The body as it was before it was coded.

        Raises:
            RixinError: `UNSUPPORTED_MEDIA_TYPE` for a coding that is not known, `TOO_LARGE` over the limit,
                `INVALID_REQUEST` for data that is not what the header says, or ends too early.
        """
        if self._failure is not None:
            raise self._failure
        for name, coding, size in zip(self._names, self._codings, self._sizes, strict=False):
            if size and not coding.complete:
                raise invalid(f"The request's body breaks off: its {name} data is not complete.")
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def _take(self, stage: int, data: bytes) -> None:
        """Counts what has reached a stage, and sends it through the codings that are left."""
        if not data:
            return
        self._sizes[stage] += len(data)
        if self._sizes[stage] > self._limit:
            what = "larger" if not stage else "decompressed larger"
            raise RixinError(Kind.TOO_LARGE, f"The request's body is {what} than {self._limit} bytes.")
        if stage == len(self._codings):
            self._pieces.append(data)
            return
        try:
            for piece in self._codings[stage].pieces(data):
                self._take(stage + 1, piece)
        except _BROKEN:
            raise invalid(f"The request's body is no valid {self._names[stage]} data.") from None


def _names(content_encoding: str) -> list[str]:
    """The codings to undo, the last applied first."""
    names = [name for part in content_encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    unknown = next((name for name in names if name not in CODINGS), None)
    if unknown is not None:
        known = ", ".join(CODINGS)
        message = f"The content-encoding {unknown[:50]} is not known; known are {known}."
        raise RixinError(Kind.UNSUPPORTED_MEDIA_TYPE, message)
    if len(names) > _MOST_CODINGS:
        message = f"The body has {len(names)} codings in turn; at most {_MOST_CODINGS} are undone."
        raise RixinError(Kind.UNSUPPORTED_MEDIA_TYPE, message)
    return names[::-1]
