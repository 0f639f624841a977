"""What is kept in an installed skill to tell where it came from and how its files were: a small JSON file.

It lies in a folder that others write to, so whatever is read from one is checked like a stranger's.
"""

import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from rixin.clients.skills.entries import path_problem
from rixin.clients.skills.skill import FileRecord, Skill, digest
from rixin.clients.skills.source import SourceName

MARKER_FILE = ".rixin-skill.json"
_FORMAT = 1
_MAX_BYTES = 4 * 2**20


class Marker(Struct, frozen=True, kw_only=True):
    """Where an installed skill came from."""

    format: int = _FORMAT
    name: str
    source: SourceName
    version: str | None
    """The commit that was fetched, or the version of Rixin that the skill came with."""
    digest: str
    """One SHA-256 of all files."""
    installed_at: str
    """RFC 3339, in UTC."""
    files: dict[str, FileRecord]


def make_marker(skill: Skill, source: SourceName, version: str | None, installed_at: str) -> Marker:
    """The marker of a skill that is installed now."""
    records = skill.records
    return Marker(
        name=skill.name,
        source=source,
        version=version,
        digest=digest(records.items()),
        installed_at=installed_at,
        files=records,
    )


def encode_marker(marker: Marker) -> bytes:
    """A marker as it is written."""
    return msgspec.json.format(msgspec.json.encode(marker), indent=2) + b"\n"


def has_marker(folder: Path) -> bool:
    """Whether a folder says that Rixin installed it."""
    return (folder / MARKER_FILE).is_symlink() or (folder / MARKER_FILE).exists()


def read_marker(folder: Path) -> Marker | None:
    """The marker of an installed skill; None where it is missing, or not as it was written."""
    path = folder / MARKER_FILE
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            return None
        marker = msgspec.json.decode(path.read_bytes(), type=Marker)
    except (OSError, msgspec.DecodeError):
        return None
    return marker if marker.name == folder.name and _is_sound(marker) else None


def _is_sound(marker: Marker) -> bool:
    return marker.format == _FORMAT and _are_paths(marker.files) and digest(marker.files.items()) == marker.digest


def _are_paths(files: Mapping[str, FileRecord]) -> bool:
    return MARKER_FILE not in files and not any(map(path_problem, files))
