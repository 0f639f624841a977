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
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self, TypeAlias

import msgspec
import structlog
from msgspec import Struct

from rixin.clock import machine, random_text
from rixin.core.prices import Price
from rixin.core.usage import Usage
from rixin.engines.file_lock import try_lock
from rixin.errors import Kind, RixinError
from rixin.limits.admission import interrupted
from rixin.limits.base import Cost, Limiter
from rixin.limits.trail import MAX_BATCH, Legacy, Trail
from rixin.store.usage_row import UsageRow

INTERVAL: Final = 0.1
"""Seconds of relaying between two checkpoints."""
MAX_FILE: Final = 4 * 2**20
"""Bytes of a file after which another one is begun."""
INTERRUPTED: Final = "interrupted"
"""The error of requests whose server was killed."""

_LOCK = "lock"
_INTACT = "intact"
"""A file that is there as long as every line was written: taking it away needs no room on the disk."""

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


class _SoFar(Struct, frozen=True, array_like=True, tag="so far"):
    """What must be known of the lines before it, which may be gone, or not be there since the disk was full."""

    process: str
    """As `Limiter.process`."""
    machine: str
    """As `clock.machine`."""
    told: tuple[int, ...]
    """The admissions that were taken down last, by `Trail.admission`."""
    under_way: tuple[int, ...]
    """The requests that are not over."""


_Line: TypeAlias = _SoFar | _Open | _Checkpoint | _Settled
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
                lock = (own / _LOCK).open("xb")
                # Whoever looks for orphans may have come first, and taken it for one.
                if try_lock(lock) and (own / _LOCK).exists():
                    return cls(own, lock, finished, limiter)
                lock.close()
        except OSError as error:
            raise RixinError(Kind.CONFIGURATION, f"cannot keep a journal in {directory}: {error.strerror}") from None

    def begin(self, request: Underway) -> Entry:
        """Takes down a request that was admitted. Never raises."""
        self._number += 1
        entry = Entry(self, self._number, request, self._opened(self._number, request))
        self._entries[entry.number] = entry
        self._write(entry.opened)
        if (trail := request.trail) is not None and trail.admission:
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
            self._write(self._line(_Settled(0, row)))
        else:
            entry.due = True  # nothing that comes late makes it due again
            ended = entry.request.trail
            self._write(self._line(_Settled(entry.number, row, ended)))
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
        self._append(self._so_far())
        self._file.size = 0  # however much that was, there is room for more
        self._remove_done()

    def _so_far(self) -> bytes:
        """What is under way, and all else that must be known of the lines before."""
        process = "" if self._limiter is None else self._limiter.process
        so_far = self._line(_SoFar(process, self._machine, tuple(self._told), tuple(self._entries)))
        return b"".join([*(entry.opened + entry.checkpoint for entry in self._entries.values()), so_far])

    def _is_done(self, file: _File) -> bool:
        """Whether all that a file tells of requests that are over is known elsewhere."""
        told = self._limiter is None or self._limiter.has_written(file.step)
        return told and not (file.unstored or file.spilled)

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
        mark = self._directory / _INTACT
        with suppress(OSError):
            mark.touch(mode=0o600) if intact else mark.unlink(missing_ok=True)


class Orphan:
    """The journal of a process that is no more."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def rows(self) -> Iterator[UsageRow]:
        """The rows that it holds: of requests that were over, and then of those that were under way."""
        return (row for row, _ in self._read().ends())

    def legacy(self) -> Legacy:
        """What its requests held of their limits, or what their ends change there, be it written by now or not.

        Where lines are missing, what seems to be under way may be over: then it is left as it is.
        """
        reading = self._read()
        trails = tuple([trail for _, trail in reading.ends() if trail is not None])
        # Where the machine was started anew, what was written last to a file may be gone.
        sure = reading.intact and reading.machine == machine()
        return Legacy(reading.process, trails, frozenset(reading.told) if sure else None)

    def remove(self) -> None:
        """Removes it, now that all is stored."""
        _remove(self._directory)

    def _read(self) -> "_Reading":
        files = sorted(path for path in self._directory.iterdir() if path.name not in (_LOCK, _INTACT))
        return _Reading(files, intact=(self._directory / _INTACT).exists())


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


class _Reading:
    """What files tell of a process: all of it is known when the last of its requests' ends is."""

    def __init__(self, paths: list[Path], *, intact: bool) -> None:
        self.intact = intact
        """Whether no line is missing."""
        self._paths = paths
        self.process = self.machine = ""
        self.told: set[int] = set()
        """The admissions that were taken down."""

    def ends(self) -> Iterator[tuple[UsageRow, Trail | None]]:
        """What became of the requests, and what that changes in their limits."""
        opened: dict[int, _Open] = {}
        checkpoints: dict[int, _Checkpoint] = {}
        for line in _lines(self._paths):
            match line:
                case _SoFar(process, machine, told, under_way):
                    self.process, self.machine = process, machine
                    self.told.update(told)
                    # The others are over, even if nothing tells so.
                    opened = {number: opened[number] for number in under_way if number in opened}
                    checkpoints = {number: checkpoints[number] for number in under_way if number in checkpoints}
                case _Open(number, _, holds):
                    opened[number] = line
                    if holds is not None:
                        self.told.add(holds.admission)
                case _Checkpoint(number):
                    checkpoints[number] = line
                case _Settled(number, row, ended):
                    opened.pop(number, None)
                    checkpoints.pop(number, None)
                    yield row, ended
        for number, line in opened.items():
            row, used = _interrupted(line.row, checkpoints.get(number))
            cost = Cost(tokens=used.total, money=row.cost)
            yield row, interrupted(line.holds, cost) if line.holds is not None and self.intact else None


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
