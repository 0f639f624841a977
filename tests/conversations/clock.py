"""Time that a test owns."""


class ManualClock:
    """Stands still until it is told otherwise."""

    def __init__(self, now: float = 1_776_952_631.0) -> None:
        self.time = now

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.time

    def monotonic(self) -> float:
        """The same instant."""
        return self.time
