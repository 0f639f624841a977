"""Files of variables (`.env`), changed in place: what is not set stays as it is, to the byte."""

import re
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from rixin.clients.skills.directory import disk_errors
from rixin.errors import Kind, RixinError, invalid
from rixin.store import private_files

_LINE = re.compile(
    r"""
    (?: (?P<head> [ \t]* (?:export[ \t]+)? (?P<name> [A-Za-z_][A-Za-z0-9_.]*) [ \t]* = [ \t]*)
        # A value in quotes may go on over lines; without an end, the quote is a character like any other.
        (?: (?P<quote> ['"`]) (?: \\. | (?!(?P=quote)). )* (?P=quote) [^\n]* | [^\n]* )
      | [^\n]*
    ) (?: \n | \Z )
    """,
    re.DOTALL | re.VERBOSE,
)
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,~-]+")


class _Line(Struct, frozen=True):
    """A line with its end; several lines where a value in quotes goes on."""

    text: str
    name: str | None
    """The variable that it sets."""
    head: str
    """The line up to the value."""

    @property
    def end(self) -> str:
        """Its line feed, where it has one, with a carriage return before it."""
        return next((end for end in ("\r\n", "\n") if self.text.endswith(end)), "")


def variables(text: str) -> set[str]:
    """The names that a text sets to something."""
    return {line.name for line in _lines(text) if line.name is not None and line.text[len(line.head) :].strip()}


def with_variables(text: str, values: Mapping[str, str]) -> str:
    """A text with some variables set: each wherever it is set already, else at the end.

    Raises:
        RixinError: `INVALID_REQUEST` for a value that not all readers of such files would read alike, or a text that
            would swallow it.
    """
    written = {name: _written(name, value) for name, value in values.items()}
    lines = _lines(text)
    parts = [f"{line.head}{written[line.name]}{line.end}" if line.name in written else line.text for line in lines]
    newline = "\r\n" if "\r\n" in text else "\n"
    if lines and not lines[-1].end:
        parts.append(newline)
    there = {line.name for line in lines}
    parts += [f"{name}={value}{newline}" for name, value in written.items() if name not in there]
    after = "".join(parts)
    if not variables(after).issuperset(values):
        raise invalid("a quote in the file has no end, so it cannot be told what is a variable there; mend it first")
    return after


def read_text(path: Path) -> str | None:
    """The text of a file; None where there is none.

    Raises:
        RixinError: `CONFIGURATION`: it cannot be read, or is not UTF-8.
    """
    with disk_errors():
        try:
            return path.read_bytes().decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise RixinError(Kind.CONFIGURATION, f"{path} is not UTF-8, so it was left alone") from None


def replace_text(path: Path, text: str, now: float) -> Path | None:
    """Writes a file whole or not at all; a new one may be read by its owner only, another keeps who may read it.

    Args:
        path: The file; where it is a link, what it leads to is written.
        text: What it shall hold.
        now: Seconds since the epoch, which name the backup.

    Returns:
        The copy of what was there, readable by its owner only; None where nothing was.

    Raises:
        RixinError: `CONFIGURATION`: it cannot be written.
    """
    with disk_errors():
        path = path.resolve()
        backup = path.with_name(f"{path.name}.{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}.bak")
        before = read_text(path)
        if before is None:
            private_files.place(path, text)
            return None
        private_files.place(backup, before)
        private_files.place(path, text, stat.S_IMODE(path.stat().st_mode))
        return backup


def _lines(text: str) -> list[_Line]:
    return [_Line(found[0], found["name"], found["head"] or "") for found in _LINE.finditer(text) if found[0]]


def _written(name: str, value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if not value or "'" in value or not value.isprintable():
        raise invalid(f"the value for {name} is empty or holds quotes or line ends, which cannot be written everywhere")
    return f"'{value}'"
