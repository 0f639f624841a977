"""A limiter whose counters outlive it, as far as journals and ledgers need one."""

from rixin.clock import SystemClock
from rixin.errors import Kind, RixinError
from rixin.limits.process import ProcessLimiter
from rixin.limits.trail import Legacy


class Heir(ProcessLimiter):
    """Remembers what it is to take over; counts in memory."""

    def __init__(self, process: str) -> None:
        super().__init__(SystemClock())
        self.process = process
        self.written = 0
        self.owes = False
        self.gone = True
        self.taken: list[Legacy] = []

    def has_written(self, step: int | None = None) -> bool:
        """As far as it was told."""
        return not self.owes if step is None else step <= self.written

    async def take_over(self, legacy: Legacy) -> None:
        """Unless its counters are gone."""
        if self.gone:
            raise RixinError(Kind.OVERLOADED, "The counters are gone.")
        self.taken.append(legacy)
