"""The one algorithm of all quotas: sliding windows of sixty slots, and claims on what runs at the same time.

A window of length W is cut into slots of W/60, and what is admitted is written into the slot of its instant. A slot
counts whole until its *end* has left the window, so sixty full slots and the current one count at any instant. What
was admitted at t is therefore forgotten no earlier than t + W, and no later than t + W + W/60: no stretch of time of
length W ever holds more than the amount, and a client waits at most a sixtieth longer than it must.

Everything here is whole numbers. Instants are microseconds on a timeline that never runs backwards and never runs
faster than time does: the monotonic clock in one process, a `Timeline` where several share counters. Slots are rounded
up to whole microseconds. So the instant at which a slot leaves is exact: one microsecond before it a refused request is
refused again, and on it the request is admitted.
"""

from typing import Final

SLOTS: Final = 60
MICROSECONDS: Final = 1_000_000
FOREVER: Final = 2**62
"""An instant that never comes."""


def microseconds(seconds: float) -> int:
    """Whole microseconds of a reading or a length of time, the nearest."""
    return round(seconds * MICROSECONDS)


class Window:
    """What one limit over a length of time has admitted of late.

    Args:
        length: The window in seconds.
        slots: What a store remembers: amounts by slot number, in ascending order.
    """

    __slots__ = ("_latest", "_slot_length", "slots", "used")

    def __init__(self, length: float, slots: dict[int, int] | None = None) -> None:
        self._slot_length = slot_length(length)
        self._latest = 0
        self.slots = {} if slots is None else slots
        """What counts, for a store to remember. Never 0."""
        self.used = sum(self.slots.values())
        """What counts now, debt included: it may exceed the amount."""

    def advance(self, now: int) -> int:
        """Forgets the slots whose end has left the window, and gives the number of the current slot.

        An instant before the latest one seen is taken for the latest.
        """
        current = now // self._slot_length
        if current <= self._latest:
            return self._latest
        self._latest = current
        oldest = current - SLOTS
        slots = self.slots
        while slots:
            slot = next(iter(slots))
            if slot >= oldest:
                break
            self.used -= slots.pop(slot)
        return current

    def change(self, slot: int, amount: int) -> None:
        """Adds to a slot, or takes back from it. What has already left the window cannot be taken back."""
        before = self.slots.get(slot)
        if before is None:
            if amount > 0:
                self.slots[slot] = amount
                self.used += amount
            return
        after = max(0, before + amount)
        self.used += after - before
        if after:
            self.slots[slot] = after
        else:
            del self.slots[slot]

    def wait(self, now: int, amount: int, need: int) -> int:
        """Microseconds until more is left of `amount` than now, and `need` at least; 0 when nothing counts.

        Args:
            now: The instant that `advance` was last given.
            amount: What the limit admits.
            need: What shall fit; at most `amount`.
        """
        used = self.used
        for slot, counted in self.slots.items():
            used -= counted
            if used + need <= amount:
                return max(0, (slot + SLOTS + 1) * self._slot_length - now)
        return 0


class Claims:
    """What runs at the same time: who holds how many shares, and until when a silent holder is believed.

    Args:
        held: What a store remembers: shares, and the instant at which they are lost, by holder.
        holder: Who takes and gives back here.
        expiry: The instant until which what it takes is held, unless that is renewed.
    """

    __slots__ = ("_expiry", "_holder", "held")

    def __init__(
        self, held: dict[str, tuple[int, int]] | None = None, *, holder: str = "", expiry: int = FOREVER
    ) -> None:
        self._holder = holder
        self._expiry = expiry
        self.held = {} if held is None else held
        """Who holds what, for a store to remember."""

    @property
    def used(self) -> int:
        """How many shares are held."""
        return sum(shares for shares, _ in self.held.values())

    def advance(self, now: int) -> int:
        """Forgets the holders who have not been heard of for too long. There is one slot, so gives 0."""
        for holder in [holder for holder, (_, expiry) in self.held.items() if expiry <= now]:
            del self.held[holder]
        return 0

    def change(self, slot: int, amount: int) -> None:  # noqa: ARG002 - as of a window, and there is one slot
        """Takes shares, or gives them back, if they are still held."""
        shares = amount + self.held.get(self._holder, (0, 0))[0]
        if shares > 0:
            self.held[self._holder] = shares, self._expiry
        else:
            self.held.pop(self._holder, None)

    def renew(self) -> None:
        """Holds on to what the holder has."""
        if self._holder in self.held:
            self.change(0, 0)


def slot_length(seconds: float) -> int:
    """Microseconds of one slot of a window: a sixtieth, rounded up so that sixty of them are never short."""
    return -(-microseconds(seconds) // SLOTS)
