"""What processes left behind that are no more: their journals, each taken up by somebody else, once."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from rixin.accounts.journal_lines import INTACT, LOCK, Checkpoint, Open, Settled, SoFar, read_lines, remove_journal
from rixin.clock import machine
from rixin.core.prices import Price
from rixin.core.usage import Usage
from rixin.engines.file_lock import try_lock
from rixin.limits.admission import interrupted
from rixin.limits.base import Cost
from rixin.limits.trail import Legacy, Trail
from rixin.store.usage_row import UsageRow

INTERRUPTED: Final = "interrupted"
"""The error of requests whose server was killed."""


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
        remove_journal(self._directory)

    def _read(self) -> "_Reading":
        files = sorted(path for path in self._directory.iterdir() if path.name not in (LOCK, INTACT))
        return _Reading(files, intact=(self._directory / INTACT).exists())


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
    return (line.row for line in read_lines([path]) if isinstance(line, Settled))


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
        opened: dict[int, Open] = {}
        checkpoints: dict[int, Checkpoint] = {}
        for line in read_lines(self._paths):
            match line:
                case SoFar(process, started, told, under_way):
                    self.process, self.machine = process, started
                    self.told.update(told)
                    # The others are over, even if nothing tells so.
                    opened = {number: opened[number] for number in under_way if number in opened}
                    checkpoints = {number: checkpoints[number] for number in under_way if number in checkpoints}
                case Open(number, _, holds):
                    opened[number] = line
                    if holds is not None:
                        self.told.add(holds.admission)
                case Checkpoint(number):
                    checkpoints[number] = line
                case Settled(number, row, ended):
                    opened.pop(number, None)
                    checkpoints.pop(number, None)
                    yield row, ended
        for number, line in opened.items():
            row, used = _interrupted(line.row, checkpoints.get(number))
            cost = Cost(tokens=used.total, money=row.cost)
            yield row, interrupted(line.holds, cost) if line.holds is not None and self.intact else None


def _interrupted(row: UsageRow, checkpoint: Checkpoint | None) -> tuple[UsageRow, Usage]:
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
        lock = (directory / LOCK).open("r+b")
    except OSError:
        yield False
        return
    with lock:
        yield try_lock(lock) and (directory / LOCK).exists()
