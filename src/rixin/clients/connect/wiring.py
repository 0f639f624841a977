"""One agent's files, wired to a server and given back again: all of them or none."""

import difflib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from rixin.clients.connect.agent import Agent, FilePlan
from rixin.clients.connect.config_file import Change, ConfigFile, text_of
from rixin.clients.connect.connection import Connection
from rixin.clients.connect.edit import NotWellFormedError, edited
from rixin.core.redaction import Redactor
from rixin.errors import Kind, RixinError

_LONGEST_LINE = 160


class Sheet(Struct, frozen=True):
    """What a file says."""

    path: Path
    text: str


class Wiring(Struct, frozen=True, kw_only=True):
    """What shall become of an agent's files."""

    changes: tuple[Change, ...]
    secrets: tuple[str, ...]

    @property
    def needed(self) -> bool:
        """Whether any file becomes different."""
        return any(change.needed for change in self.changes)

    def diff(self) -> str:
        """The changes as a unified diff, credentials hidden and long lines cut."""
        return "".join(
            _diff(change.old, change.new, str(change.file.path), self.secrets)
            for change in self.changes
            if change.needed
        )

    def digest(self) -> str:
        """One SHA-256 of what is there and what shall be, by which a change that was looked at is known again."""
        whole = hashlib.sha256()
        for change in self.changes:
            for part in (str(change.file.path).encode(), change.old, change.new):
                whole.update(b"-" if part is None else b"%d:%s" % (len(part), part))
        return whole.hexdigest()

    def apply(self) -> list[ConfigFile]:
        """Writes the changes; the files that became different.

        Raises:
            RixinError: `CONFIGURATION`: a file cannot be written.
        """
        written: list[ConfigFile] = []
        for change in self.changes:
            if change.needed:
                try:
                    change.file.apply(change)
                except OSError as error:
                    raise _unwritable(change.file, error) from None
                written.append(change.file)
        return written


def prepare(agent: Agent, connection: Connection, home: Path) -> Wiring:
    """What wiring an agent would change. Nothing is written.

    Raises:
        RixinError: `CONFIGURATION`, naming the file, and the line and column of what is wrong with it.
    """
    plans = agent.plan(connection, home)
    return Wiring(changes=tuple(_prepare(plan) for plan in plans), secrets=(connection.key,))


def sheets(agent: Agent, connection: Connection, home: Path) -> list[Sheet]:
    """What the files of an agent say that has none yet."""
    return [Sheet(plan.path, edited(plan.form, "", plan.edits({}))) for plan in agent.plan(connection, home)]


def is_connected(home: Path) -> bool:
    """Whether files in an agent's home were wired and not given back yet."""
    return bool(ConfigFile.connected_in(home))


def restore(agent: Agent, home: Path, *, force: bool) -> list[ConfigFile]:
    """Gives back the files that were wired; those are returned.

    Args:
        agent: Whose files they are.
        home: Where the agent keeps them.
        force: Whether later edits may be lost.

    Raises:
        RixinError: `NOT_FOUND` where none was wired; `CONFLICT` with what was edited since; `CONFIGURATION` where a
            file cannot be written.
    """
    found = ConfigFile.connected_in(home)
    if not found:
        raise RixinError(Kind.NOT_FOUND, f"{agent.title} in {home} is not connected; there is nothing to restore")
    edits = "".join(_diff(file.written(), file.read(), str(file.path), ()) for file in found)
    if edits and not force:
        raise RixinError(
            Kind.CONFLICT,
            f"{agent.title}'s files were edited since; --force restores them and loses these edits:\n{edits}",
        )
    for file in found:
        try:
            file.restore()
        except OSError as error:
            raise _unwritable(file, error) from None
    return found


def _prepare(plan: FilePlan) -> Change:
    def transform(text: str) -> str:
        return edited(plan.form, text, plan.edits(plan.form.parse(text)))

    file = ConfigFile(plan.path)
    try:
        return file.prepare(transform)
    except NotWellFormedError as error:
        problem = str(error)
    except UnicodeDecodeError:
        problem = "it is no UTF-8 text"
    except RixinError as error:
        problem = error.message
    except OSError as error:
        problem = os.strerror(error.errno or 0)
    raise RixinError(Kind.CONFIGURATION, f"{plan.path} is left as it is: {problem}")


def _diff(old: bytes | None, new: bytes | None, name: str, secrets: Sequence[str]) -> str:
    if old == new:
        return ""
    lines = difflib.unified_diff(
        text_of(old).splitlines(),
        text_of(new).splitlines(),
        name if old is not None else os.devnull,
        name if new is not None else os.devnull,
        lineterm="",
    )
    text = Redactor(secrets).text("\n".join(lines))
    return "".join(f"{_clipped(line)}\n" for line in text.splitlines())


def _clipped(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}..."


def _unwritable(file: ConfigFile, error: OSError) -> RixinError:
    return RixinError(Kind.CONFIGURATION, f"{file.path} cannot be written: {error.strerror}")
