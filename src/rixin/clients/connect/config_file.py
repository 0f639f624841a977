"""A configuration file of an agent: changed whole or not at all, and given back as it was.

Two files beside it tell what happened. `NAME.before-rixin` holds the bytes that were there; where it is missing, there
was no file. `NAME.by-rixin` holds what our edits alone made of these bytes: as long as the file is equal to it, nobody
else has edited it.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from rixin.store import private_files

_BEFORE = ".before-rixin"
_OURS = ".by-rixin"
_BOM = "\ufeff"


class Change(Struct, frozen=True, kw_only=True):
    """What becomes of a file."""

    file: "ConfigFile"
    old: bytes | None
    """What is there; None where nothing is."""
    new: bytes
    record: bytes
    """What our edits alone make of the bytes that were there at first."""

    @property
    def needed(self) -> bool:
        """Whether anything becomes different."""
        return self.old != self.new


class ConfigFile:
    """One file, by the path under which the agent knows it; a link is followed when it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = path.with_name(f"{path.name}{_BEFORE}")
        self.ours = path.with_name(f"{path.name}{_OURS}")

    @classmethod
    def connected_in(cls, directory: Path) -> "list[ConfigFile]":
        """The files of a directory that were written by us and not given back yet."""
        return [cls(mark.with_name(mark.name.removesuffix(_OURS))) for mark in sorted(directory.glob(f"*{_OURS}"))]

    def read(self) -> bytes | None:
        """What is in it; None where there is no file."""
        return _read(self.path)

    def written(self) -> bytes | None:
        """What it would hold if nobody but us had edited it; None where we have not."""
        return _read(self.ours)

    def prepare(self, transform: Callable[[str], str]) -> Change:
        """What `transform` makes of it. Nothing is written.

        Edits that somebody made since it was written by us stay; edits of ours that are no longer wanted go.

        Raises:
            UnicodeDecodeError: It is no text.
            RixinError, NotWellFormedError: Those of `transform`.
        """
        current, written = self.read(), self.written()
        if written is None:
            new = _transformed(current, transform)
            return Change(file=self, old=current, new=new, record=new)
        record = _transformed(_read(self.before), transform)
        new = record if current == written else _transformed(current, transform)
        return Change(file=self, old=current, new=new, record=record)

    def apply(self, change: Change) -> None:
        """Writes a change of this file; whoever reads meanwhile sees the old bytes or the new ones.

        Raises:
            OSError: It cannot be written.
        """
        mode = private_files.MODE if change.old is None else stat.S_IMODE(self.path.stat().st_mode)
        if not self.ours.is_file():
            self.before.unlink(missing_ok=True)
            if change.old is not None:
                _place(self.before, change.old, mode)
        _place(self.ours, change.record)
        _place(self.path, change.new, mode & ~0o077)

    def restore(self) -> None:
        """Gives back what was there before the first change, to the byte.

        Raises:
            OSError: It cannot be written.
        """
        before = _read(self.before)
        if before is None:
            self.path.unlink(missing_ok=True)
        else:
            _place(self.path, before, stat.S_IMODE(self.before.stat().st_mode))
        self.before.unlink(missing_ok=True)
        self.ours.unlink(missing_ok=True)


def text_of(data: bytes | None) -> str:
    """A file's text as it is shown and edited: without a byte order mark, with `\\n` for line ends.

    Raises:
        UnicodeDecodeError: It is no text.
    """
    text = (data or b"").decode().removeprefix(_BOM)
    return text.replace("\r\n", "\n") if _ends_with_crlf(text) else text


def _transformed(data: bytes | None, transform: Callable[[str], str]) -> bytes:
    """The bytes after a change of their text; byte order mark and line ends stay as they are."""
    raw = (data or b"").decode()
    text = text_of(data)
    after = transform(text)
    if after == text and data is not None:
        return data
    if _ends_with_crlf(raw):
        after = after.replace("\n", "\r\n")
    return ((_BOM if raw.startswith(_BOM) else "") + after).encode()


def _ends_with_crlf(text: str) -> bool:
    """Whether all lines end as Windows has it; a text that has both kinds is left alone."""
    return "\r\n" in text and text.count("\r\n") == text.count("\n")


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _place(path: Path, data: bytes, mode: int = private_files.MODE) -> None:
    """Puts bytes at a path, or where its link leads."""
    private_files.place(Path(os.path.realpath(path)), data, mode)
