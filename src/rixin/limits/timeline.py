"""The time of counters that several processes share, which a clock that is set does not change.

The wall clock of whoever keeps the counters is the one clock that all processes can read. When somebody sets it
forward, a window measured by it admits twice the amount. The monotonic clock is never set, but it begins anew when a
machine does, and another machine's says something else. So the timeline follows the wall clock of the store, and each
machine's monotonic clock tells how far it can have come at most. A wall clock that is set forward then changes nothing.

Where the timeline cannot know how much time has passed (the clock was set back, the first process of a machine looks at
it) it believes that none has: a limit binds longer than it must, by as much at most, and never shorter. What a machine
has seen the timeline miss is missed for good. It does not make up for that when the clock is set forward again, because
what was counted in between would end too early.
"""

from typing import Final

from msgspec import Struct

MACHINES: Final = 100
"""Machines that are remembered; those that were first to come are first to go."""


class Timeline(Struct, frozen=True):
    """Where time stands, in microseconds."""

    instant: int
    """The latest that was read of it."""
    offset: int = 0
    """What it is ahead of the store's wall clock."""
    ceilings: dict[str, int] = {}
    """By machine, and start of it: what it is ahead of the monotonic clock at most. They are only ever lowered."""

    def read(self, machine: str, wall: int, *, sent: int, monotonic: int) -> "Timeline":
        """The timeline now: later by what both clocks have seen pass, and never earlier.

        Args:
            machine: Whose monotonic clock it is, and since which start.
            wall: What the store's wall clock says.
            sent: What the machine's monotonic clock said right before it.
            monotonic: What it said right after it.
        """
        ceiling = self.ceilings.get(machine)
        latest = self.instant if ceiling is None else ceiling + monotonic
        instant = max(self.instant, min(wall + self.offset, latest))
        ceilings = self.ceilings
        if ceiling is None:
            ceilings = dict([*ceilings.items()][1 - MACHINES :]) | {machine: instant - monotonic}
        # Measured from before the question, so that an answer that takes its time is not mistaken for missed time.
        elif instant - sent < ceiling:
            ceilings = ceilings | {machine: instant - sent}
        return Timeline(instant, instant - wall, ceilings)
