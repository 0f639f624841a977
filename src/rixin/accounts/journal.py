"""The journal: what became of each request, kept in a file from the moment on at which it was admitted.

What was written to a file survives `kill -9`; rows in memory do not. Each process has a directory of its own, and holds
a lock in it that the system lets go of when the process dies. To a file there it appends a line for a request that was
admitted, one for every tenth of a second in which something of the answer was relayed, and one when the request is
over. Files whose requests are all over and stored are removed; what must be known of the lines before is told anew at
the beginning of each file, and after lines that could not be written. What a process leaves behind when it dies is
taken up by another one, or at the next start: see `orphans`.

Nothing is waited for (`fsync`): a journal is for programs that are killed, not for machines that lose power.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self

import structlog

from rixin.accounts.journal_lines import INTACT, LOCK, Checkpoint, Line, Open, Settled, SoFar, encode, remove_journal
from rixin.clock import machine, random_text
from rixin.core.usage import Usage
from rixin.engines.file_lock import try_lock
from rixin.errors import Kind, RixinError
from rixin.limits.base import Limiter
from rixin.limits.trail import MAX_BATCH, Trail
from rixin.store.usage_row import UsageRow

INTERVAL: Final = 0.1
"""Seconds of relaying between two checkpoints."""
MAX_FILE: Final = 4 * 2**20
"""Bytes of a file after which another one is begun."""

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class Underway(Protocol):
    """A request that was admitted and is not over."""

    def row_so_far(self) -> UsageRow:
        """What would be taken down of it if it ended now."""
        ...

    def usage_so_far(self) -> Usage:
        """What was relayed of its answer by now."""
        ...

    @property
    def trail(self) -> Trail | None:
        """What it holds of its limits, or has given back since it was over."""
        ...


class Entry:
    """A request under way, as the journal of this process knows it."""

    __slots__ = ("_journal", "checkpoint", "due", "number", "opened", "request")

    def __init__(self, journal: "Journal", number: int, request: Underway, opened: bytes) -> None:
        self._journal = journal
        self.number = number
        self.request = request
        self.opened = opened
        """The last line that told all of it."""
        self.checkpoint = b""
        """The last line after that."""
        self.due = False
        """Whether something was relayed since."""

    def relayed(self) -> None:
        """Something of the answer was relayed."""
        if not self.due:
            self.due = True
            self._journal.due(self)


class _File:
    """One file, and how many of its settled rows the store has not got yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self.size = 0
        self.unstored = 0
        self.spilled = False
        """Whether it holds rows that nobody remembers."""
        self.step = 0
        """By which step of the limiter all is written that it tells of ends."""


class Journal:
    """The journal of one process.

    Args:
        directory: Its own.
        lock: What it holds there.
        finished: Completes a row, such as with its price.
        limiter: Admits the requests; None where none is admitted.
    """

    def __init__(
        self, directory: Path, lock: BinaryIO, finished: Callable[[UsageRow], UsageRow], limiter: Limiter | None
    ) -> None:
        self._directory = directory
        self._lock = lock
        self._finished = finished
        self._limiter = limiter
        self._machine = machine()
        self._told = deque[int](maxlen=MAX_BATCH)
        """The admissions that were taken down last."""
        self._number = 0
        self._entries: dict[int, Entry] = {}
        self._due: list[Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self._begun = 0
        self._files: list[_File] = []
        self._waiting: deque[_File] = deque()
        """The file of each settled row that the store has not got yet, in order."""
        self._broken = False
        """Whether the last line could not be written whole."""
        self._file = self._next_file()
        self._append(self._so_far())
        if not self._broken:
            self._mark(intact=True)

    @classmethod
    def open(
        cls,
        directory: Path,
        finished: Callable[[UsageRow], UsageRow] = lambda row: row,
        limiter: Limiter | None = None,
    ) -> Self:
        """A journal among those of a directory, which is made where need be.

        Raises:
            RixinError: `CONFIGURATION` where it cannot be made.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            while True:
                own = directory / f"{os.getpid()}-{random_text(6)}"
                own.mkdir(mode=0o700)
                lock = (own / LOCK).open("xb")
                # Whoever looks for orphans may have come first, and taken it for one.
                if try_lock(lock) and (own / LOCK).exists():
                    return cls(own, lock, finished, limiter)
                lock.close()
        except OSError as error:
            raise RixinError(Kind.CONFIGURATION, f"cannot keep a journal in {directory}: {error.strerror}") from None

    def begin(self, request: Underway) -> Entry:
        """Takes down a request that was admitted. Never raises."""
        self._number += 1
        trail = request.trail
        entry = Entry(self, self._number, request, self._opened(self._number, request, trail))
        self._entries[entry.number] = entry
        self._write(entry.opened)
        if trail is not None and trail.admission:
            self._told.append(trail.admission)
        return entry

    def settle(self, row: UsageRow, entry: Entry | None = None, *, remembered: bool = True) -> None:
        """Takes down a request that is over. Never raises.

        Args:
            row: Of the request.
            entry: That was opened for it, if one was.
            remembered: Whether somebody has it in memory to store it, and will tell by `stored`.
        """
        if entry is None:
            self._write(self._line(Settled(0, row)))
        else:
            entry.due = True  # nothing that comes late makes it due again
            ended = entry.request.trail
            self._write(self._line(Settled(entry.number, row, ended)))
            self._entries.pop(entry.number, None)  # until then it is under way, should another file be begun
            if ended is not None and ended.step is not None:
                self._file.step = max(self._file.step, ended.step)
        if remembered:
            self._file.unstored += 1
            self._waiting.append(self._file)
        else:
            self._file.spilled = True

    def due(self, entry: Entry) -> None:
        """Writes a checkpoint of a request at the next occasion."""
        self._due.append(entry)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._write_checkpoints)

    def stored(self, count: int) -> None:
        """The store has got so many more of the settled rows, in their order."""
        for _ in range(count):
            self._waiting.popleft().unstored -= 1
        self._remove_done()

    def spilled(self) -> Iterator[Path]:
        """The files that hold rows which nobody remembers, for rows to be read from them; each is removed after."""
        if self._file.spilled:
            self._rotate()
        for file in [file for file in self._files if file.spilled]:
            yield file.path
            file.spilled = False
            self._remove_done()

    def close(self) -> None:
        """Ends the journal. What the store has got is removed, and what it has not is an orphan's from now on."""
        if self._timer is not None:
            self._timer.cancel()
        os.close(self._file.descriptor)
        done = not self._entries and all(self._is_done(file) for file in self._files)
        if done and (self._limiter is None or self._limiter.has_written()):
            remove_journal(self._directory)
        self._lock.close()

    def _next_file(self) -> _File:
        self._begun += 1
        file = _File(self._directory / f"{self._begun:08}")
        self._files.append(file)
        return file

    def _rotate(self) -> None:
        """Goes on in another file, which tells of every request under way, so that no older one is needed for them."""
        try:
            file = self._next_file()
        except OSError as error:
            log.error("The usage journal cannot begin another file", reason=error.strerror)
            return
        os.close(self._file.descriptor)
        self._file = file
        self._append(self._so_far())
        self._file.size = 0  # however much that was, there is room for more
        self._remove_done()

    def _so_far(self) -> bytes:
        """What is under way, and all else that must be known of the lines before."""
        process = "" if self._limiter is None else self._limiter.process
        so_far = self._line(SoFar(process, self._machine, tuple(self._told), tuple(self._entries)))
        return b"".join([*(entry.opened + entry.checkpoint for entry in self._entries.values()), so_far])

    def _is_done(self, file: _File) -> bool:
        """Whether all that a file tells of requests that are over is known elsewhere."""
        written = self._limiter is None or self._limiter.has_written(file.step)
        return written and not (file.unstored or file.spilled)

    def _remove_done(self) -> None:
        if self._broken:
            return  # they may be all that tells of what is under way
        for file in [file for file in self._files if file is not self._file and self._is_done(file)]:
            file.path.unlink(missing_ok=True)
            self._files.remove(file)

    def _write_checkpoints(self) -> None:
        self._timer = None
        due, self._due = self._due, []
        lines: list[bytes] = []
        for entry in due:
            if entry.number not in self._entries:
                continue
            entry.due = False
            if not entry.checkpoint:
                # Who answers is known only now.
                entry.opened = self._opened(entry.number, entry.request, entry.request.trail)
                lines.append(entry.opened)
            used = entry.request.usage_so_far()
            tokens = (used.prompt, used.completion, used.cached, used.reasoning, used.knowledge)
            entry.checkpoint = self._line(Checkpoint(entry.number, *tokens))
            lines.append(entry.checkpoint)
        self._write(b"".join(lines))

    def _opened(self, number: int, request: Underway, trail: Trail | None) -> bytes:
        return self._line(Open(number, self._finished(request.row_so_far()), trail))

    def _line(self, line: Line) -> bytes:
        try:
            return encode(line) + b"\n"
        except UnicodeEncodeError:
            return b"\n"  # no store would take it either

    def _write(self, data: bytes) -> None:
        if self._file.size > MAX_FILE:
            self._rotate()
        self._append(data)

    def _append(self, data: bytes) -> None:
        if self._broken:
            data = b"\n" + self._so_far() + data  # ends what was begun, and makes up for what was not written
        try:
            written = os.write(self._file.descriptor, data) if data else 0
        except OSError as error:
            written, reason = 0, error.strerror
        else:
            reason = "no space"
        self._file.size += written
        if written < len(data):
            if not self._broken:
                log.error("The usage journal cannot be written: what a crash interrupts is lost", reason=reason)
                self._mark(intact=False)
            self._broken = True
        elif self._broken:
            log.warning("The usage journal is written again")
            self._mark(intact=True)
            self._broken = False

    def _mark(self, *, intact: bool) -> None:
        mark = self._directory / INTACT
        with suppress(OSError):
            mark.touch(mode=0o600) if intact else mark.unlink(missing_ok=True)
