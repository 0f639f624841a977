"""What a journal consists of: a directory for each process, with its lock, and files of lines."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from rixin.limits.trail import Trail
from rixin.store.usage_row import UsageRow

LOCK: Final = "lock"
"""A file that its process has locked."""
INTACT: Final = "intact"
"""A file that is there as long as every line was written: taking it away needs no room on the disk."""


class Open(Struct, frozen=True, array_like=True, tag="open"):
    """A request that was admitted; or what is known of it now that its answer has begun."""

    number: int
    row: UsageRow
    holds: Trail | None = None


class Checkpoint(Struct, frozen=True, array_like=True, tag="checkpoint"):
    """What was relayed of an answer by then."""

    number: int
    prompt: int
    completion: int
    cached: int
    reasoning: int
    knowledge: int


class Settled(Struct, frozen=True, array_like=True, tag="settled"):
    """A request that is over."""

    number: int
    row: UsageRow
    ended: Trail | None = None


class SoFar(Struct, frozen=True, array_like=True, tag="so far"):
    """What must be known of the lines before it, which may be gone, or not be there since the disk was full."""

    process: str
    """As `Limiter.process`."""
    machine: str
    """As `clock.machine`."""
    told: tuple[int, ...]
    """The admissions that were taken down last, by `Trail.admission`."""
    under_way: tuple[int, ...]
    """The requests that are not over."""


Line: TypeAlias = SoFar | Open | Checkpoint | Settled
encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def read_lines(paths: list[Path]) -> Iterator[Line]:
    """The lines of files; what was not written whole is passed over."""
    for path in paths:
        with path.open("rb") as file:
            for data in file:
                with suppress(msgspec.DecodeError, UnicodeDecodeError):
                    yield _decode(data)


def remove_journal(directory: Path) -> None:
    """Removes the directory of a process."""
    # The lock goes last: while it is there, whatever is left is somebody's.
    with suppress(FileNotFoundError):
        for path in sorted(directory.iterdir(), key=lambda path: path.name == LOCK):
            path.unlink(missing_ok=True)
        directory.rmdir()
