"""A skill in an agent's folder, and whether it is still as it was installed."""

import hashlib
import os
from pathlib import Path

from msgspec import Struct

from rixin.clients.skills.directory import Directory
from rixin.clients.skills.entries import Entry, EntryKind
from rixin.clients.skills.marker import MARKER_FILE, Marker, read_marker
from rixin.clients.skills.skill import FileRecord

_MODES = os.name == "posix"
"""Whether files are executable by their mode here, and not by their name."""


class Drift(Struct, frozen=True, kw_only=True):
    """How a skill differs from what was installed, by the paths of its files."""

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    """What lies there beside it: made by its scripts, or by its user."""
    damaged: bool = False
    """The marker is not as it was written, so that nothing can be told."""

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.extra or self.damaged)

    def __str__(self) -> str:
        parts = [
            f"{label}: {', '.join(paths)}"
            for label, paths in (("changed", self.changed), ("missing", self.missing), ("extra", self.extra))
            if paths
        ]
        return "; ".join(["its marker is damaged"] if self.damaged else parts)


class Installed(Struct, frozen=True, kw_only=True):
    """A skill that Rixin installed."""

    name: str
    path: Path
    marker: Marker | None
    """None where it is damaged."""

    @classmethod
    def at(cls, path: Path) -> "Installed":
        """The skill in this folder, which has a marker."""
        return cls(name=path.name, path=path, marker=read_marker(path))

    def drift(self) -> Drift:
        """How it differs from what was installed. Every file is read.

        Raises:
            RixinError: A file cannot be read.
        """
        if self.marker is None:
            return Drift(damaged=True)
        directory = Directory(self.path, hard_links=True)
        there = {entry.path: entry for entry in directory.entries() if entry.path != MARKER_FILE}
        expected = self.marker.files
        known = [path for path in expected if path in there]
        return Drift(
            changed=tuple(path for path in known if _differs(directory, there[path], expected[path])),
            missing=tuple(path for path in expected if path not in there),
            extra=tuple(path for path in there if path not in expected),
        )


def _differs(directory: Directory, entry: Entry, record: FileRecord) -> bool:
    if entry.kind is not EntryKind.FILE or (_MODES and entry.executable != record.executable):
        return True
    (content,) = directory.read([entry])
    return hashlib.sha256(content).hexdigest() != record.sha256
