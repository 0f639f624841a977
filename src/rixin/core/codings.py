"""The codings in which the content of HTTP messages travels (RFC 9110, section 8.4), undone piece by piece.

None ever gives much at a time, so that whoever counts what it gives can refuse a small body that stands for a huge one
before it is held.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli
import zstandard

_PIECE = 64 * 2**10
"""Bytes that a coding gives at a time, where its library can be told."""
_ZSTD_WINDOW = 8 * 2**20
"""How far a body may look back (RFC 9659, section 3)."""
_ZSTD_BITE = 64
"""Bytes of zstd that are decompressed at a time. A block of four may stand for 128 KiB (RFC 8878, section 3.1.1.2), so
that these stand for 2 MiB at most."""
_MOST_PARTS = 1000
"""Members of gzip or frames of zstd in one body. Empty ones would cost time and never reach a limit."""


class TooManyPartsError(Exception):
    """A body of too many parts; the text says of how many."""


BROKEN = (zlib.error, zstandard.ZstdError, brotli.error)
"""What is raised for data that is not what it should be."""


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
    """Counts the parts of one body."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = _MOST_PARTS

    def next(self) -> None:
        self._left -= 1
        if not self._left:
            raise TooManyPartsError(f"more than {_MOST_PARTS} {self._name}")


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
