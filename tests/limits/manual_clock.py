"""Time that a test owns, in whole microseconds."""

import itertools

MICROSECONDS = 1_000_000
_machines = itertools.count()


class ManualClock:
    """A clock that stands still until it is told to move. `steady` is what an observer with a good watch sees."""

    def __init__(self) -> None:
        self.steady = 0
        self.machine = f"machine {next(_machines)}"
        self._wall = 1_795_000_000 * MICROSECONDS
        self._monotonic = 5_000 * MICROSECONDS

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._wall / MICROSECONDS

    def monotonic(self) -> float:
        """Seconds since the machine was started."""
        return self._monotonic / MICROSECONDS

    def advance(self, microseconds: int) -> None:
        """Lets time pass."""
        self.steady += microseconds
        self._wall += microseconds
        self._monotonic += microseconds

    def set_wall(self, microseconds: int) -> None:
        """Somebody sets the wall clock forward, or back."""
        self._wall = max(0, self._wall + microseconds)

    def reboot(self, off: int) -> None:
        """The machine is off for a while; then its monotonic clock begins anew."""
        self.steady += off
        self._wall += off
        self._monotonic = 7 * MICROSECONDS
        self.machine = f"machine {next(_machines)}"
