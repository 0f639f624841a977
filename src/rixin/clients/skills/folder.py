"""An agent's folder of skills: what Rixin put there, and changing it without losing what others did."""

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from rixin.clients.skills.directory import disk_errors
from rixin.clients.skills.discovery import Fetched
from rixin.clients.skills.installed import Installed
from rixin.clients.skills.marker import MARKER_FILE, Marker, encode_marker, has_marker, make_marker
from rixin.clients.skills.skill import Skill, digest
from rixin.clients.skills.source import SourceName
from rixin.clients.skills.transaction import Transaction, exclusive, write_file, write_files
from rixin.errors import Kind, RixinError

KEPT_BACKUPS = 3
"""How many of our backups are kept; older ones are removed when one is added."""
_BACKUP = re.compile(r"\d{8}T\d{6}Z-rixin(-\d+)?")


class Action(StrEnum):
    """What becomes of a skill."""

    ADDED = "added"
    REPLACED = "replaced"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """It stays as it is, unless it is forced."""
    GONE = "gone"
    """Its source has it no longer; it stays."""


class Change(Struct, frozen=True, kw_only=True):
    """What is done about one skill, or would be."""

    name: str
    action: Action
    reason: str = ""
    left: tuple[str, ...] = ()
    """Files that were not installed, and stay where they are."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What was done, or would be."""

    changes: tuple[Change, ...]
    backup: Path | None = None
    """Where what was replaced or removed lies now."""


class SkillsFolder:
    """An agent's folder.

    Args:
        path: Where it is, or will be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.backups = self.path.with_name(f"{self.path.name}_backup")

    def installed(self, names: Iterable[str] = ()) -> list[Installed]:
        """What Rixin installed there, sorted by name.

        Args:
            names: Which; all if empty.

        Raises:
            RixinError: `NOT_FOUND` for a name that Rixin did not install there.
        """
        with disk_errors():
            folders = [item for item in self.path.iterdir() if not item.is_symlink()] if self.path.is_dir() else []
            found = {item.name: Installed.at(item) for item in sorted(folders) if item.is_dir() and has_marker(item)}
        missing = [name for name in names if name not in found]
        if missing:
            raise RixinError(Kind.NOT_FOUND, f"{', '.join(missing)}: not installed by rixin in {self.path}")
        return [skill for name, skill in found.items() if not names or name in set(names)]

    def install(
        self,
        fetched: Sequence[Fetched],
        *,
        now: float,
        force: bool = False,
        dry_run: bool = False,
    ) -> Outcome:
        """Puts skills there, all that may be put, or none if anything fails.

        A skill that somebody edited, that came from elsewhere or that Rixin did not install stays as it is. Files that
        were added to a skill are taken over into its new version.

        Args:
            fetched: What to put there, of any number of sources.
            now: Seconds since the epoch.
            force: Replace what would stay; it is kept as a backup like everything that is replaced.
            dry_run: Only tell what would be done.

        Raises:
            RixinError: Something failed, and everything is as it was.
        """
        if dry_run:
            return Outcome(changes=self._plan(fetched, force=force))
        with exclusive(self.path), disk_errors():
            changes = self._plan(fetched, force=force)
            doing = {change.name for change in changes if change.action in (Action.ADDED, Action.REPLACED)}
            if not doing:
                return Outcome(changes=changes)
            stamp = datetime.fromtimestamp(now, UTC)
            with Transaction(self.path) as transaction:
                for some in fetched:
                    for skill in some.skills:
                        if skill.name in doing:
                            marker = make_marker(skill, some.source, some.version, f"{stamp:%Y-%m-%dT%H:%M:%SZ}")
                            self._prepare(transaction.place(skill.name), skill, marker)
                backup = self._backup(transaction, stamp)
        return Outcome(changes=changes, backup=backup)

    def remove(self, names: Sequence[str], *, now: float, force: bool = False, dry_run: bool = False) -> Outcome:
        """Takes away what was installed, and only that: files that were added to a skill stay.

        Args:
            names: Which skills.
            now: Seconds since the epoch.
            force: Also take away files that somebody edited; they are kept in the backup.
            dry_run: Only tell what would be done.

        Raises:
            RixinError: `NOT_FOUND` for what is not there, or something failed and everything is as it was.
        """
        there = self.installed(names)
        if dry_run:
            return Outcome(changes=tuple(_removal(skill, force=force) for skill in there))
        with exclusive(self.path), disk_errors():
            changes = tuple(_removal(skill, force=force) for skill in self.installed(names))
            going = [change for change in changes if change.action is Action.REMOVED]
            if not going:
                return Outcome(changes=changes)
            with Transaction(self.path) as transaction:
                for change in going:
                    if change.left:
                        _take_over(self.path / change.name, transaction.place(change.name), change.left)
                    else:
                        transaction.remove(change.name)
                backup = self._backup(transaction, datetime.fromtimestamp(now, UTC))
        return Outcome(changes=changes, backup=backup)

    def _plan(self, fetched: Sequence[Fetched], *, force: bool) -> tuple[Change, ...]:
        return tuple(self._planned(skill, some.source, force=force) for some in fetched for skill in some.skills)

    def _prepare(self, folder: Path, skill: Skill, marker: Marker) -> None:
        """Fills the folder that will be a skill's, with what was added to the one that is."""
        write_files(folder, skill.files)
        write_file(folder / MARKER_FILE, encode_marker(marker))
        _take_over(self.path / skill.name, folder, self._extra(skill.name))

    def _planned(self, skill: Skill, source: SourceName, *, force: bool) -> Change:
        path = self.path / skill.name
        if not os.path.lexists(path):
            return Change(name=skill.name, action=Action.ADDED)
        if path.is_symlink() or not path.is_dir() or not has_marker(path):
            return _replacing(skill.name, "it is there already, and rixin did not install it", force=force)
        installed = Installed.at(path)
        drift = installed.drift()
        if installed.marker is None:
            return _replacing(skill.name, str(drift), force=force)
        came_from = installed.marker.source
        if (came_from.kind, came_from.location) != (source.kind, source.location):
            return _replacing(skill.name, f"it is there already, from {came_from}", force=force)
        edited = [*drift.changed, *(extra for extra in drift.extra if _in_the_way(extra, skill))]
        if edited:
            return _replacing(skill.name, f"edited here: {', '.join(edited)}", force=force)
        same = installed.marker.digest == digest(skill.records.items()) and not drift.missing
        if same and came_from == source:
            return Change(name=skill.name, action=Action.UNCHANGED)
        return Change(name=skill.name, action=Action.REPLACED)

    def _extra(self, name: str) -> tuple[str, ...]:
        path = self.path / name
        return Installed.at(path).drift().extra if path.is_dir() and not path.is_symlink() and has_marker(path) else ()

    def _backup(self, transaction: Transaction, stamp: datetime) -> Path | None:
        """Commits, and removes backups that are older than those that are kept."""
        base = f"{stamp:%Y%m%dT%H%M%SZ}-rixin"
        names = (base, *(f"{base}-{count}" for count in range(2, 1000)))
        backup = next(path for name in names if not os.path.lexists(path := self.backups / name))
        if not transaction.commit(backup):
            return None
        ours = sorted(item for item in self.backups.iterdir() if _BACKUP.fullmatch(item.name) and item != backup)
        for item in ours[: -(KEPT_BACKUPS - 1)]:
            shutil.rmtree(item, ignore_errors=True)  # the change is done, whatever becomes of these
        return backup


def _replacing(name: str, reason: str, *, force: bool) -> Change:
    return Change(name=name, action=Action.REPLACED if force else Action.KEPT, reason=reason)


def _removal(installed: Installed, *, force: bool) -> Change:
    drift = installed.drift()
    # Where the marker is damaged it is not known what was installed, so with `force` the whole folder goes.
    reason = str(drift) if drift.damaged else f"edited here: {', '.join(drift.changed)}" if drift.changed else ""
    action = Action.REMOVED if force or not reason else Action.KEPT
    return Change(name=installed.name, action=action, reason=reason, left=drift.extra)


def _in_the_way(extra: str, skill: Skill) -> bool:
    """Whether a file that was added lies where the new version has one, or a folder."""
    return any(
        extra == file.path or file.path.startswith(f"{extra}/") or extra.startswith(f"{file.path}/")
        for file in skill.files
    )


def _take_over(old: Path, new: Path, paths: Iterable[str]) -> None:
    """Copies what was added to a skill into its new folder, links as links; what is new there wins."""
    for path in paths:
        target = new / path
        if os.path.lexists(target):
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            continue
        shutil.copy2(old / path, target, follow_symlinks=False)
