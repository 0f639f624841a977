"""A directory on this machine, as a source of skills and as what was installed. Links in it are never followed."""

import os
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rixin.clients.skills.entries import MAX_BYTES, Entry, EntryKind, check_listed
from rixin.errors import Kind, RixinError, invalid

IGNORED = frozenset({".git", "__pycache__", ".DS_Store"})
"""What tools leave in any directory; it belongs to no skill."""

_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def disk_errors() -> Generator[None]:
    """Tells what the file system refuses as an error of ours.

    Raises:
        RixinError: `CONFIGURATION`, naming the path and the reason.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RixinError(Kind.CONFIGURATION, f"{error.filename}: {reason}" if error.filename else reason) from None


class Directory:
    """The files under a directory.

    Args:
        path: The directory.
        hard_links: Whether a file may have other names elsewhere.
        version: What the marker shall call this state of it.
    """

    def __init__(self, path: Path, *, hard_links: bool = False, version: str | None = None) -> None:
        self.path = path
        self.version = version
        self._hard_links = hard_links

    def entries(self) -> list[Entry]:
        """All that lies under it and is no folder, sorted by path.

        Raises:
            RixinError: It cannot be read, or holds far too much.
        """
        found: list[Entry] = []
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            with disk_errors(), os.scandir(self.path / folder) as items:
                for item in items:
                    if item.name in IGNORED:
                        continue
                    path = f"{folder}/{item.name}" if folder else item.name
                    status = item.stat(follow_symlinks=False)
                    # A junction of Windows is a folder by its mode, and leads elsewhere like a link.
                    if stat.S_ISDIR(status.st_mode) and not getattr(status, "st_reparse_tag", 0):
                        waiting.append(path)
                    else:
                        found.append(self._entry(path, status))
                    check_listed(len(found) + len(waiting))
        return sorted(found, key=lambda entry: entry.path)

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes]:
        """The contents of files.

        Raises:
            RixinError: One cannot be read, or is no plain file any more.
        """
        return map(self._read, entries)

    def _entry(self, path: str, status: os.stat_result) -> Entry:
        return Entry(
            path=path,
            kind=self._kind(status),
            size=status.st_size,
            executable=bool(status.st_mode & stat.S_IXUSR),
        )

    def _kind(self, status: os.stat_result) -> EntryKind:
        if stat.S_ISREG(status.st_mode):
            return EntryKind.HARD_LINK if status.st_nlink > 1 and not self._hard_links else EntryKind.FILE
        elsewhere = stat.S_ISLNK(status.st_mode) or stat.S_ISDIR(status.st_mode)
        return EntryKind.LINK if elsewhere else EntryKind.SPECIAL

    def _read(self, entry: Entry) -> bytes:
        with disk_errors(), os.fdopen(os.open(self.path / entry.path, _OPEN), "rb") as file:
            if self._kind(os.fstat(file.fileno())) is not EntryKind.FILE:
                raise invalid(f"{entry.path} became something else while it was read")
            return file.read(MAX_BYTES)
