"""The back end in memory: one process counts for itself, exactly and within microseconds, until it ends."""

from collections.abc import Sequence
from typing import Final

from rixin.clock import Clock
from rixin.limits.admission import Held, admit, binding, survey
from rixin.limits.base import UNLIMITED, Cost, Limit, Reservation, Standing
from rixin.limits.trail import Entry, Legacy
from rixin.limits.window import Claims, Window, microseconds

FIRST_SWEEP: Final = 1024
"""Counters that may pile up before those that count nothing are looked for."""


class ProcessLimiter:
    """Counts in this process. No method ever waits, so each call is one step of the event loop.

    Args:
        clock: Its monotonic half is the timeline.
    """

    process = ""
    """As `Limiter.process`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counters: dict[str, Window | Claims] = {}
        self._sweep_at = FIRST_SWEEP

    def __len__(self) -> int:
        """How many counters are held in memory."""
        return len(self._counters)

    async def acquire(self, limits: Sequence[Limit], cost: Cost, *, taken_down: bool = False) -> Reservation:  # noqa: ARG002 - nothing outlives it
        """As `Limiter.acquire`."""
        if not limits:
            return UNLIMITED
        bound = binding(limits)
        counters = self._counters
        self._provide(bound)
        now = self._now()
        admission = admit(bound, counters, cost, now=now, reading=now)
        if len(counters) > self._sweep_at:
            self._sweep(now)
        return Held(admission, self._write)

    async def inspect(self, limits: Sequence[Limit], cost: Cost) -> tuple[Standing, ...]:
        """As `Limiter.inspect`."""
        bound = binding(limits)
        self._provide(bound)
        now = self._now()
        return survey(bound, self._counters, cost, now=now, reading=now)

    def has_written(self, step: int | None = None) -> bool:  # noqa: ARG002 - there is no store
        """As `Limiter.has_written`."""
        return True

    async def take_over(self, legacy: Legacy) -> None:
        """Nothing was left: what was counted has ended with its process."""

    async def aclose(self) -> None:
        """Holds nothing that could be given back."""

    def _write(self, changes: Sequence[Entry]) -> None:
        """Writes the end of a request."""
        now = self._now()
        for entry in changes:
            counter = self._counters.get(entry.counter)
            if counter is None:  # it was swept, since it counted nothing
                counter = self._counters[entry.counter] = Window(Limit.window_of(entry.counter))
            slot = counter.advance(now)
            counter.change(slot if entry.slot is None else entry.slot, entry.amount)

    def _provide(self, limits: dict[str, Limit]) -> None:
        for name, limit in limits.items():
            if name not in self._counters:
                self._counters[name] = Claims() if limit.window is None else Window(limit.window)

    def _now(self) -> int:
        return microseconds(self._clock.monotonic())

    def _sweep(self, now: int) -> None:
        """Drops counters that count nothing; the next sweep waits until there are twice as many as are left."""
        for name, counter in list(self._counters.items()):
            counter.advance(now)
            if not counter.used:
                del self._counters[name]
        self._sweep_at = max(FIRST_SWEEP, 2 * len(self._counters))
