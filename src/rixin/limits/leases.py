"""What a process may admit from memory, because a store that it shares with others has granted it that beforehand.

A lease is written into the current slot as if it were spent, and holds no longer than that slot: so what is admitted by
it is counted where it belongs, whenever in the slot that is. What is left of it is given back. Where its process is
killed it stays spent, and no window ever holds more than the amount.
"""

from typing import Final

from rixin.limits.admission import standing_of
from rixin.limits.base import Cost, Limit, Standing
from rixin.limits.page import Page
from rixin.limits.trail import Entry
from rixin.limits.window import Claims, Window, microseconds, slot_length

LIFE: Final = 1.0
"""Seconds after which what is left of a lease is given back."""

CLAIM: Final = 60.0
"""Seconds for which what runs at the same time outlives the process that runs it."""

SHARE: Final = 4
"""A process is granted one part in so many of what remains for it."""

SPARSE: Final = 16
"""Requests for each process below which nothing is granted: each is then admitted by the store."""


class Lease:
    """An amount of one counter that a process may admit from memory.

    Args:
        limit: Of the counter.
        slot: Into which it was written.
        amount: All of it.
        until: The instant at which it ends, in microseconds of the monotonic clock.
        standing: How the limit stands where all of it is spent.
    """

    __slots__ = ("left", "limit", "slot", "standing", "until")

    def __init__(self, limit: Limit, slot: int, amount: int, *, until: int, standing: Standing) -> None:
        self.limit = limit
        self.slot = slot
        self.left = amount
        self.until = until
        self.standing = standing

    def admits(self, limit: Limit, cost: Cost, reading: int) -> bool:
        """Whether there is enough left for a request."""
        return self.left >= cost.of(limit.unit) and reading < self.until and limit.amount == self.limit.amount

    def spend(self, cost: Cost) -> Entry:
        """Admits a request, and tells what that has written."""
        amount = cost.of(self.limit.unit)
        self.left -= amount
        return Entry(self.limit.counter, self.limit.unit, self.slot, amount)

    def stand(self) -> Standing:
        """How the limit stands."""
        return Standing(self.limit, self.standing.remaining + self.left, self.standing.reset)

    def settles(self, entry: Entry, reading: int) -> bool:
        """Takes back what a request did not spend, or spends more on it; False where it cannot."""
        if entry.slot is None:
            if not (self.left >= entry.amount and reading < self.until):
                return False
        elif entry.slot != self.slot:
            return False
        self.left -= entry.amount
        return True


def grant(page: Page, limit: Limit, counter: Window | Claims, amount: int, processes: int) -> Lease | None:
    """Writes a lease of a counter; None where too little remains for one.

    Args:
        page: With the counter's record.
        limit: Of the counter, and where several bind it, the smallest.
        counter: What it is now.
        amount: What one request costs.
        processes: How many there are that may want a lease.
    """
    remaining = limit.amount - counter.used
    if remaining < SPARSE * processes * amount:
        return None
    size = max(amount, remaining // (SHARE * processes))
    slot = counter.advance(page.now)
    counter.change(slot, size)
    end = page.now + microseconds(LIFE)
    if limit.window is not None:
        end = min(end, (slot + 1) * slot_length(limit.window))
    standing = standing_of(limit, counter, 1, page.now, page.reading)
    return Lease(limit, slot, size, until=page.sent + end - page.now, standing=standing)
