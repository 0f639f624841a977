"""What a source lists, and the rules that keep the files of a skill inside the skill's own folder.

Nothing is read, let alone written, before its entry has passed `check`. The rules are the same for every source and
system: a skill that installs on one machine installs on all.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from rixin.errors import RixinError, invalid

MAX_LISTED = 200_000
"""Entries that a whole source may have."""
MAX_FILES = 10_000
"""Files that the skills of one installation may have together."""
MAX_BYTES = 128 * 2**20
"""Bytes of those files."""
MAX_DEPTH = 32

_SHOWN = 5


class EntryKind(StrEnum):
    """What lies at a path. Only files are ever copied."""

    FILE = "file"
    LINK = "symbolic link"
    HARD_LINK = "hard link"
    SUBMODULE = "submodule"
    SPECIAL = "device, pipe or socket"


class Entry(Struct, frozen=True, kw_only=True):
    """Something in a source that is no folder."""

    path: str
    """Relative to the source, with `/` between the parts."""
    kind: EntryKind
    size: int = 0
    """Bytes; 0 for what is no file."""
    executable: bool = False
    object_id: str = ""
    """Under what name git keeps it; empty elsewhere."""


def path_problem(path: str) -> str | None:
    """Why a relative path must not be used; None where it may."""
    parts = path.split("/")
    if len(parts) > MAX_DEPTH:
        return f"lies more than {MAX_DEPTH} folders deep"
    return next((problem for part in parts if (problem := _part_problem(part))), None)


def _part_problem(part: str) -> str | None:
    if part in ("", ".", ".."):
        return "leaves its folder"
    # Invisible characters make `.git` out of what does not look like it, on file systems that drop them.
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in part):
        return "holds control characters"
    if "\\" in part or ":" in part:
        return "holds a backslash or colon, which mean other folders on some systems"
    if part[-1] in ". ":
        return "ends in a dot or space, which some systems drop"
    if part.casefold() in (".git", "git~1"):
        return "would be taken for a git repository"
    return None


def check(entries: Sequence[Entry]) -> None:
    """Refuses entries of which a skill must not be made.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the first few that are at fault and why.
    """
    problems = [f"{entry.path!r} {problem}" for entry in entries if (problem := _problem(entry))]
    problems += _collisions(entry.path for entry in entries)
    if problems:
        more = f" (and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
        raise invalid(f"refused: {'; '.join(problems[:_SHOWN])}{more}")
    if len(entries) > MAX_FILES:
        raise _too_large(f"{len(entries)} files; at most {MAX_FILES}")
    total = sum(entry.size for entry in entries)
    if total > MAX_BYTES:
        raise _too_large(f"{total} bytes; at most {MAX_BYTES}")


def check_listed(count: int) -> None:
    """Refuses a source with more entries than anybody's skills have."""
    if count > MAX_LISTED:
        raise _too_large(f"more than {MAX_LISTED} entries; name the folder of the skills")


def _too_large(what: str) -> RixinError:
    return invalid(f"refused: the source holds {what} are installed at a time")


def _problem(entry: Entry) -> str | None:
    if entry.kind is not EntryKind.FILE:
        return f"is a {entry.kind.value}"
    return path_problem(entry.path)


def _collisions(paths: Iterable[str]) -> list[str]:
    """What would be one path on systems that ignore case or how a letter is composed, or is a file and a folder."""
    seen: dict[str, tuple[str, bool]] = {}
    problems: list[str] = []
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            spelled, is_file = "/".join(parts[:depth]), depth == len(parts)
            folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", spelled).casefold())
            if folded not in seen:
                seen[folded] = (spelled, is_file)
            elif seen[folded][0] != spelled:
                problems.append(f"{spelled!r} and {seen[folded][0]!r} are one on systems that ignore case")
                break
            elif is_file or seen[folded][1]:
                problems.append(f"{spelled!r} is there twice")
                break
    return problems
