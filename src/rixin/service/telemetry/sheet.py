"""The numbers of one worker, in a file that its memory maps: kept when it is killed, read by whoever sums them.

A sheet belongs to a worker's place, not to its process: whoever is started in the place of a worker that died goes on
with its sheet, so that nothing is lost and nothing counted twice. Writing a number is writing to memory; no lock and no
system call.

The file: a magic number, the bytes in use, the process that writes it; then rows. A row is the count of its numbers,
the length of its key, the key as JSON padded with blanks, and its numbers. All is eight bytes wide and aligned.
"""

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct as Format
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

Key: TypeAlias = tuple[str, ...]

SIZE: Final = 4 * 2**20
"""Bytes of a sheet; only those in use take memory."""
_MAGIC: Final = 0x31584952
_HEADER: Final = Format("=QQQ")
_ROW: Final = Format("=QQ")
_WIDTH: Final = 8

_decode_key = msgspec.json.Decoder(Key).decode


class Row(Struct, frozen=True):
    """Some numbers, and what they are of."""

    key: Key
    numbers: tuple[float, ...]


class SheetContent(Struct, frozen=True):
    """A sheet as it was at an instant."""

    pid: int
    rows: tuple[Row, ...]


class Sheet:
    """A worker's own sheet; only one process may have it open.

    Args:
        path: The file; made where it is not there yet, or is none.
        size: Bytes that it takes.

    Attributes:
        numbers: All numbers of all rows. The place of a row's first one is what `find` gives.

    Raises:
        OSError: There is no room for it.
    """

    def __init__(self, path: Path, size: int = SIZE) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _reserve(descriptor, size)
            self._map = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        self.numbers = memoryview(self._map).cast("d")
        magic, used, _ = _HEADER.unpack_from(self._map)
        if magic != _MAGIC:
            used = _HEADER.size
        _HEADER.pack_into(self._map, 0, _MAGIC, used, os.getpid())
        self._used: int = used
        self._places = {(key, count): at // _WIDTH for key, count, at in _rows(self._map, used)}

    @property
    def keys(self) -> list[Key]:
        """The keys of all rows."""
        return [key for key, _ in self._places]

    def find(self, key: Key, count: int) -> int | None:
        """The place of a row of so many numbers, made of zeros where there is none; None where there is no room."""
        place = self._places.get((key, count))
        return self._add(key, count) if place is None else place

    def close(self) -> None:
        """Gives the memory back; the file stays."""
        self.numbers.release()
        self._map.close()

    def _add(self, key: Key, count: int) -> int | None:
        text = msgspec.json.encode(key)
        text += b" " * (-len(text) % _WIDTH)
        start = self._used + _ROW.size + len(text)
        end = start + count * _WIDTH
        if end > len(self._map):
            return None
        _ROW.pack_into(self._map, self._used, count, len(text))
        self._map[start - len(text) : start] = text
        # Last, so that whoever reads along, or goes on with the sheet, never sees half a row.
        self._used = end
        _HEADER.pack_into(self._map, 0, _MAGIC, end, os.getpid())
        place = self._places[key, count] = start // _WIDTH
        return place


def read_sheet(path: Path) -> SheetContent:
    """The content of a sheet, which its worker may be writing to; empty where the file is none."""
    with path.open("rb") as file:
        data = file.read(_HEADER.size)
        magic, used, pid = _HEADER.unpack(data) if len(data) == _HEADER.size else (0, 0, 0)
        if magic != _MAGIC:
            return SheetContent(pid=0, rows=())
        data += file.read(used - _HEADER.size)
    rows = tuple(Row(key, Format(f"={count}d").unpack_from(data, at)) for key, count, at in _rows(data, used))
    return SheetContent(pid=pid, rows=rows)


def _reserve(descriptor: int, size: int) -> None:
    """Gives a file its room, so that writing to its memory cannot fail: on a full disk that would kill the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)


def _rows(data: bytes | mmap.mmap, used: int) -> Iterator[tuple[Key, int, int]]:
    """Key, count and first byte of the numbers of each row."""
    at = _HEADER.size
    while at < used:
        count, length = _ROW.unpack_from(data, at)
        start = at + _ROW.size + length
        yield _decode_key(data[start - length : start]), count, start
        at = start + count * _WIDTH
