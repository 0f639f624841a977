"""Putting new folders in the place of old ones: all of them, or none, whenever it is interrupted.

Beside the agent's `skills` lies, for as long as it takes, a folder that says by what it holds how far things have come:

    .skills-rixin/
        new/NAME     made ready to take its place
        old/NAME     moved out of its place
        plan.json    the names that are placed; written when all of them are ready

One renaming, of `old` to where backups are kept, ends it. As long as `old` is there everything can be put back, and is:
at once when a step fails, or by the next command when the process died.
"""

import os
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from rixin.clients.skills.directory import disk_errors
from rixin.clients.skills.frontmatter import is_name
from rixin.clients.skills.skill import SkillFile
from rixin.errors import Kind, RixinError

if sys.platform != "win32":
    import fcntl


@contextmanager
def exclusive(skills: Path) -> Generator[None]:
    """Holds an agent's folder, which is made where need be, and puts back what a process that died left half done.

    Raises:
        RixinError: `CONFLICT` when another process holds it, `CONFIGURATION` when it cannot be used.
    """
    with disk_errors():
        skills.mkdir(parents=True, exist_ok=True)
    with _locked(skills):
        with disk_errors():
            _recover(skills)
        yield


if sys.platform == "win32":

    @contextmanager
    def _locked(skills: Path) -> Generator[None]:  # noqa: ARG001 - as on the systems that can
        yield  # a directory cannot be locked there

else:

    @contextmanager
    def _locked(skills: Path) -> Generator[None]:
        with disk_errors():
            held = os.open(skills, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if not _try_lock(held):
                raise RixinError(Kind.CONFLICT, f"another process is changing the skills in {skills}; try again")
            yield
        finally:
            os.close(held)

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Transaction:
    """One change of an agent's folder, which the caller holds exclusively.

    Args:
        skills: The agent's folder, free of links on its way.
    """

    def __init__(self, skills: Path) -> None:
        self._skills = skills
        self._staging = _staging(skills)
        self._place: list[str] = []
        self._remove: list[str] = []

    def __enter__(self) -> "Transaction":
        with disk_errors():
            for part in ("new", "old"):
                (self._staging / part).mkdir(mode=0o700, parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        # What was not committed is put back; after a commit there is nothing to put back.
        with disk_errors():
            _recover(self._skills)

    def place(self, name: str) -> Path:
        """An empty folder that will take the place of `name`."""
        self._place.append(name)
        folder = self._staging / "new" / name
        folder.mkdir()
        return folder

    def remove(self, name: str) -> None:
        """Will take `name` away."""
        self._remove.append(name)

    def commit(self, backup: Path) -> bool:
        """Does it all.

        Args:
            backup: Where the old folders go, on the same file system; it must not exist.

        Returns:
            Whether there were any.

        Raises:
            OSError: A step failed; leaving the context puts everything back.
        """
        old = self._staging / "old"
        write_file(self._staging / "plan.json", msgspec.json.encode(self._place))
        for name in self._place + self._remove:
            if os.path.lexists(self._skills / name):
                (self._skills / name).rename(old / name)
        for name in self._place:
            (self._staging / "new" / name).rename(self._skills / name)
        if not any(old.iterdir()):
            old.rmdir()
            return False
        backup.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        old.rename(backup)
        return True


def write_file(path: Path, content: bytes, *, executable: bool = False) -> None:
    """A new file, on the disk when this returns; nothing may be there yet."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o755 if executable else 0o644), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_files(folder: Path, files: tuple[SkillFile, ...]) -> None:
    """The files of a skill, into an empty folder."""
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, file.content, executable=file.executable)


def _staging(skills: Path) -> Path:
    return skills.with_name(f".{skills.name.lstrip('.')}-rixin")


def _recover(skills: Path) -> None:
    """Puts back what an unfinished transaction moved, and removes what it left."""
    staging = _staging(skills)
    if not staging.is_dir():
        return
    new, old = staging / "new", staging / "old"
    if old.is_dir():
        for name in _planned(staging / "plan.json"):
            # What was ready and waits no longer has been placed.
            if not os.path.lexists(new / name) and os.path.lexists(skills / name):
                (skills / name).rename(new / name)
        for folder in list(old.iterdir()):
            folder.rename(skills / folder.name)
    shutil.rmtree(staging)


def _planned(plan: Path) -> list[str]:
    try:
        return [name for name in msgspec.json.decode(plan.read_bytes(), type=list[str]) if is_name(name)]
    except (FileNotFoundError, msgspec.DecodeError):
        return []  # nothing was moved yet
