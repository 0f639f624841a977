"""What requests write into counters, as far as somebody else can finish it when their process is no more."""

from msgspec import Struct

from rixin.settings import Unit


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """An amount written into one slot of a counter. A negative one takes back."""

    counter: str
    unit: Unit
    slot: int | None
    """None is the slot of the instant at which it is written."""
    amount: int


class Trail(Struct, frozen=True, array_like=True):
    """What a request has written into counters that outlive its process: what it holds, or what its end changes."""

    process: str
    """Who admitted it, as the counters' store knows it."""
    entries: tuple[Entry, ...]
    step: int | None = None
    """The step of the process by which the end is written; None while there is none."""
