"""A skill, whole and in memory: its name and its files."""

import hashlib
from collections.abc import Iterable

from msgspec import Struct

SKILL_FILE = "SKILL.md"


class FileRecord(Struct, frozen=True):
    """How a file is recognised."""

    sha256: str
    executable: bool


class SkillFile(Struct, frozen=True):
    """A file of a skill."""

    path: str
    """Relative to the skill's folder, with `/` between the parts."""
    content: bytes
    executable: bool

    @property
    def record(self) -> FileRecord:
        """How this file is recognised."""
        return FileRecord(hashlib.sha256(self.content).hexdigest(), self.executable)


class Skill(Struct, frozen=True, kw_only=True):
    """A skill as its source has it."""

    name: str
    description: str
    files: tuple[SkillFile, ...]
    nested: tuple[str, ...] = ()
    """Folders in it that are skills themselves, which the skill tells the agent to read when it needs them."""
    warnings: tuple[str, ...] = ()
    """What is wrong with those."""

    @property
    def records(self) -> dict[str, FileRecord]:
        """How its files are recognised, by path."""
        return {file.path: file.record for file in self.files}


def digest(records: Iterable[tuple[str, FileRecord]]) -> str:
    """One SHA-256 of all files: of their paths, contents and whether they are executable."""
    whole = hashlib.sha256()
    for path, record in sorted(records, key=lambda item: item[0]):
        whole.update(f"{path}\0{record.sha256}\0{int(record.executable)}\n".encode())
    return whole.hexdigest()
