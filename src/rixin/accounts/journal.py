"""The journal: what became of each request, kept in a file from the moment on at which it was admitted.

What was written to a file survives `kill -9`; rows in memory do not. Each process has a directory of its own, and holds
a lock in it that the system lets go of when the process dies. To a file there it appends a line for a request that was
admitted, one for every tenth of a second in which something of the answer was relayed, and one when the request is
over. Files whose requests are all over and stored are removed. What a process leaves behind when it dies is taken up by
another one, or at the next start: see `orphans`.

Nothing is waited for (`fsync`): a journal is for programs that are killed, not for machines that lose power.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self, TypeAlias

import msgspec
import structlog
from msgspec import Struct

from rixin.clock import random_text
from rixin.core.prices import Price
from rixin.core.usage import Usage
from rixin.engines.file_lock import try_lock
from rixin.errors import Kind, RixinError
from rixin.limits.admission import interrupted
from rixin.limits.base import Cost
from rixin.limits.trail import Trail
from rixin.store.usage_row import UsageRow

INTERVAL: Final = 0.1
"""Seconds of relaying between two checkpoints."""
MAX_FILE: Final = 4 * 2**20
"""Bytes of a file after which another one is begun."""
INTERRUPTED: Final = "interrupted"
"""The error of requests whose server was killed."""

_LOCK = "lock"

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


class _Open(Struct, frozen=True, array_like=True, tag="open"):
    """A request that was admitted; or what is known of it now that its answer has begun."""

    number: int
    row: UsageRow
    holds: Trail | None = None


class _Checkpoint(Struct, frozen=True, array_like=True, tag="checkpoint"):
    """What was relayed of an answer by then."""

    number: int
    prompt: int
    completion: int
    cached: int
    reasoning: int
    knowledge: int


class _Settled(Struct, frozen=True, array_like=True, tag="settled"):
    """A request that is over."""

    number: int
    row: UsageRow
    ended: Trail | None = None


_Line: TypeAlias = _Open | _Checkpoint | _Settled
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode


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


class Journal:
    """The journal of one process.

    Args:
        directory: Its own.
        lock: What it holds there.
        finished: Completes a row, such as with its price.
    """

    def __init__(self, directory: Path, lock: BinaryIO, finished: Callable[[UsageRow], UsageRow]) -> None:
        self._directory = directory
        self._lock = lock
        self._finished = finished
        self._number = 0
        self._entries: dict[int, Entry] = {}
        self._due: list[Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self._begun = 0
        self._files: list[_File] = []
        self._file = self._next_file()
        self._waiting: deque[_File] = deque()
        """The file of each settled row that the store has not got yet, in order."""
        self._broken = False
        """Whether the last line could not be written whole."""

    @classmethod
    def open(cls, directory: Path, finished: Callable[[UsageRow], UsageRow] = lambda row: row) -> Self:
        """A journal among those of a directory, which is made where need be.

        Raises:
            RixinError: `CONFIGURATION` where it cannot be made.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            while True:
                own = directory / f"{os.getpid()}-{random_text(6)}"
                own.mkdir(mode=0o700)
                lock = (own / _LOCK).open("xb")
                # Whoever looks for orphans may have come first, and taken it for one.
                if try_lock(lock) and (own / _LOCK).exists():
                    return cls(own, lock, finished)
                lock.close()
        except OSError as error:
            raise RixinError(Kind.CONFIGURATION, f"cannot keep a journal in {directory}: {error.strerror}") from None

    def begin(self, request: Underway) -> Entry:
        """Takes down a request that was admitted. Never raises."""
        self._number += 1
        entry = Entry(self, self._number, request, self._opened(self._number, request))
        self._entries[entry.number] = entry
        self._write(entry.opened)
        return entry

    def settle(self, row: UsageRow, entry: Entry | None = None, *, remembered: bool = True) -> None:
        """Takes down a request that is over. Never raises.

        Args:
            row: Of the request.
            entry: That was opened for it, if one was.
            remembered: Whether somebody has it in memory to store it, and will tell by `stored`.
        """
        if entry is None:
            self._write(self._line(_Settled(0, row)))
        else:
            self._entries.pop(entry.number, None)
            entry.due = True  # nothing that comes late makes it due again
            self._write(self._line(_Settled(entry.number, row, entry.request.trail)))
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
        if not (self._entries or self._waiting or any(file.spilled for file in self._files)):
            _remove(self._directory)
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
        self._append(b"".join(entry.opened + entry.checkpoint for entry in self._entries.values()))
        self._file.size = 0  # however much that was, there is room for more
        self._remove_done()

    def _remove_done(self) -> None:
        for file in [file for file in self._files if file is not self._file and not (file.unstored or file.spilled)]:
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
                entry.opened = self._opened(entry.number, entry.request)
                lines.append(entry.opened)
            used = entry.request.usage_so_far()
            tokens = (used.prompt, used.completion, used.cached, used.reasoning, used.knowledge)
            entry.checkpoint = self._line(_Checkpoint(entry.number, *tokens))
            lines.append(entry.checkpoint)
        self._write(b"".join(lines))

    def _opened(self, number: int, request: Underway) -> bytes:
        return self._line(_Open(number, self._finished(request.row_so_far()), request.trail))

    def _line(self, line: _Line) -> bytes:
        try:
            return _encode(line) + b"\n"
        except UnicodeEncodeError:
            return b"\n"  # no store would take it either

    def _write(self, data: bytes) -> None:
        if self._file.size > MAX_FILE:
            self._rotate()
        self._append(data)

    def _append(self, data: bytes) -> None:
        if self._broken:
            data = b"\n" + data  # ends what was begun
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
            self._broken = True
        elif self._broken:
            log.warning("The usage journal is written again")
            self._broken = False


class Orphan:
    """The journal of a process that is no more."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def rows(self) -> Iterator[UsageRow]:
        """The rows that it holds: of requests that were over, and then of those that were under way."""
        return (row for row, _ in self._ends())

    def trails(self) -> Iterator[Trail]:
        """What the ends of these requests change in their limits, be it written by now or not."""
        return (trail for _, trail in self._ends() if trail is not None)

    def remove(self) -> None:
        """Removes it, now that all is stored."""
        _remove(self._directory)

    def _ends(self) -> Iterator[tuple[UsageRow, Trail | None]]:
        return _ends(sorted(path for path in self._directory.iterdir() if path.name != _LOCK))


def orphans(directory: Path) -> Iterator[Orphan]:
    """The journals of a directory whose processes are no more, one after the other, each while nobody else has it."""
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        with _held(path) as held:
            if held:
                yield Orphan(path)


def settled(path: Path) -> Iterator[UsageRow]:
    """The rows in a file of a journal of requests that are over."""
    return (line.row for line in _lines([path]) if isinstance(line, _Settled))


def _ends(paths: list[Path]) -> Iterator[tuple[UsageRow, Trail | None]]:
    """What became of the requests of a process, and what that changes in their limits."""
    opened: dict[int, _Open] = {}
    checkpoints: dict[int, _Checkpoint] = {}
    for line in _lines(paths):
        match line:
            case _Open(number):
                opened[number] = line
            case _Checkpoint(number):
                checkpoints[number] = line
            case _Settled(number, row, ended):
                opened.pop(number, None)
                checkpoints.pop(number, None)
                yield row, ended
    for number, line in opened.items():
        row, used = _interrupted(line.row, checkpoints.get(number))
        cost = Cost(tokens=used.total, money=row.cost)
        yield row, None if line.holds is None else interrupted(line.holds, cost)


def _lines(paths: list[Path]) -> Iterator[_Line]:
    """The lines of files; what was not written whole is passed over."""
    for path in paths:
        with path.open("rb") as file:
            for data in file:
                with suppress(msgspec.DecodeError, UnicodeDecodeError):
                    yield _decode(data)


def _interrupted(row: UsageRow, checkpoint: _Checkpoint | None) -> tuple[UsageRow, Usage]:
    """The row of a request that was cut, and what of its answer was relayed."""
    row = msgspec.structs.replace(row, status=0, error=INTERRUPTED, estimated=True, cost=0)
    if checkpoint is None:
        return row, Usage()
    used = Usage(
        prompt=checkpoint.prompt,
        completion=checkpoint.completion,
        cached=checkpoint.cached,
        reasoning=checkpoint.reasoning,
        knowledge=checkpoint.knowledge,
    )
    price = Price(
        prompt=row.price_prompt, completion=row.price_completion, cached=row.price_cached, request=row.price_request
    )
    row = msgspec.structs.replace(
        row,
        prompt_tokens=used.prompt,
        completion_tokens=used.completion,
        cached_tokens=used.cached,
        reasoning_tokens=used.reasoning,
        knowledge_tokens=used.knowledge,
        cost=price.cost(used),
    )
    return row, used


@contextmanager
def _held(directory: Path) -> Generator[bool]:
    """Whether the process of a journal is no more, and nobody else looks after what it left."""
    try:
        lock = (directory / _LOCK).open("r+b")
    except OSError:
        yield False
        return
    with lock:
        yield try_lock(lock) and (directory / _LOCK).exists()


def _remove(directory: Path) -> None:
    # The lock goes last: while it is there, whatever is left is somebody's.
    with suppress(FileNotFoundError):
        for path in sorted(directory.iterdir(), key=lambda path: path.name == _LOCK):
            path.unlink(missing_ok=True)
        directory.rmdir()
