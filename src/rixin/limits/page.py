"""What one step reads of shared counters, changes, and writes back; and what a store must do for that.

Everything is kept in records by name, as JSON: one for each counter, one for each process that counts, and one of all
such processes. A store knows nothing of what is in them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol, TypeVar

import msgspec
from msgspec import Struct

from rixin.limits.base import Limit
from rixin.limits.trail import Entry
from rixin.limits.window import FOREVER, SLOTS, Claims, Window, slot_length

PROCESS: Final = "process:"
"""How names of processes' records begin. A counter's name has bars in it."""
PROCESSES: Final = "processes"
"""The record of all of them."""

T = TypeVar("T")


class Record(Struct, omit_defaults=True):
    """What is remembered of a counter."""

    slots: dict[int, int] = {}
    """Of a window: amounts by slot, in ascending order."""
    claims: dict[str, tuple[int, int]] = {}
    """Of what runs at the same time: shares, and the instant at which they are lost, by process."""
    leases: dict[str, int] = {}
    """When the leases end that processes have of it."""


class ProcessRecord(Struct, omit_defaults=True):
    """What is remembered of a process."""

    step: int = 0
    """The number of the latest of its steps that changed anything."""
    admitted: dict[int, tuple[Entry, ...]] = {}
    """What that has written for requests that the process was to take down next, by `Trail.admission`."""
    recalled: list[str] = []
    """Counters whose leases others ask it to give back."""
    ends_at: int = 0
    """When it is forgotten."""


_record = msgspec.json.Decoder(Record)
_process = msgspec.json.Decoder(ProcessRecord)
_processes = msgspec.json.Decoder(dict[str, int])
_encode = msgspec.json.Encoder().encode
_NOTHING: Final = _encode({})


class Page:
    """Some records, as they were read and as they are now.

    Args:
        raw: The records by name, None where there is none.
        now: The instant, in microseconds of the counters' timeline.
        sent: What the monotonic clock said before `now` was read.
        reading: What it said after that.
    """

    def __init__(self, raw: Mapping[str, bytes | None], *, now: int, sent: int, reading: int) -> None:
        self.now = now
        self.sent = sent
        self.reading = reading
        self._raw = raw
        self._records: dict[str, Record] = {}
        self._counters: dict[str, Window | Claims] = {}
        self._process_records: dict[str, ProcessRecord] = {}
        self._processes: dict[str, int] | None = None

    def counter(self, name: str, *, holder: str, expiry: int) -> Window | Claims:
        """A counter, without what no longer counts; claims are taken for a holder, until an instant."""
        counter = self._counters.get(name)
        if counter is None:
            record = self.record(name)
            window = Limit.window_of(name)
            counter = Window(window, record.slots) if window else Claims(record.claims, holder=holder, expiry=expiry)
            counter.advance(self.now)
            self._counters[name] = counter
        return counter

    def record(self, name: str) -> Record:
        """All that is remembered of a counter."""
        record = self._records.get(name)
        if record is None:
            raw = self._raw[name]
            record = self._records[name] = Record() if raw is None else _record.decode(raw)
        return record

    def process(self, name: str) -> ProcessRecord:
        """What is remembered of a process."""
        record = self._process_records.get(name)
        if record is None:
            raw = self._raw[PROCESS + name]
            record = self._process_records[name] = ProcessRecord() if raw is None else _process.decode(raw)
        return record

    @property
    def processes(self) -> dict[str, int]:
        """Until when each of the processes is taken to live."""
        if self._processes is None:
            raw = self._raw[PROCESSES]
            self._processes = {} if raw is None else _processes.decode(raw)
        return self._processes

    def changes(self) -> dict[str, tuple[bytes, int]]:
        """What is to be written: records, and the instant from which on each of them says nothing any more."""
        written: dict[str, tuple[bytes, int]] = {}
        for name, record in self._records.items():
            written[name] = _encode(record), _ends_at(name, record)
        for name, process in self._process_records.items():
            written[PROCESS + name] = _encode(process), process.ends_at
        if self._processes is not None:
            written[PROCESSES] = _encode(self._processes), FOREVER
        # What was looked at for the first time, and says nothing, is as good as not there.
        return {name: change for name, change in written.items() if change[0] != (self._raw[name] or _NOTHING)}


def _ends_at(name: str, record: Record) -> int:
    window = Limit.window_of(name)
    if window:
        return (next(reversed(record.slots)) + SLOTS + 1) * slot_length(window) if record.slots else 0
    return max((expiry for _, expiry in record.claims.values()), default=0)


class CounterStore(Protocol):
    """Where processes share counters."""

    async def step(self, names: Iterable[str], decide: Callable[[Page], T]) -> T:
        """Reads records, has somebody change them, and writes what was changed, as if all that took no time.

        Args:
            names: Of the records that the page shall have.
            decide: Changes the page. Called again, with another page, where somebody else came between.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used. Where `decide` had been called by then, what it
                changed may have been written all the same.
        """
        ...

    async def sweep(self) -> None:
        """Forgets the records that say nothing any more. Raises as `step`."""
        ...

    async def aclose(self) -> None:
        """Gives back what the store holds."""
        ...
