"""What requests write into counters, as far as somebody else can finish it when their process is no more."""

from typing import Final

from msgspec import Struct

from rixin.settings import Unit

MAX_BATCH: Final = 500
"""Requests that are decided in one step."""


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """An amount written into one slot of a counter. A negative one takes back."""

    counter: str
    unit: Unit
    slot: int | None
    """None is the slot of the instant at which it is written."""
    amount: int


class Trail(Struct, frozen=True, array_like=True):
    """What a request has written into counters that outlive its process: what it holds, or what its end changes."""

    entries: tuple[Entry, ...]
    step: int | None = None
    """The step of the process by which the end is written; None while there is none."""
    admission: int = 0
    """Which of those it is that a store has admitted, and that its process is to take down; 0 for any other."""


class Legacy(Struct, frozen=True):
    """What a process has left that was killed, as its journal tells."""

    process: str
    """Whose it is, as the counters' store knows it; empty where nothing of what it counted outlives it."""
    trails: tuple[Trail, ...] = ()
    """What the ends of its requests change: the step by which that was to be written, or none."""
    told: frozenset[int] | None = None
    """The admissions that it has taken down, none of the last `MAX_BATCH` missing; None where nobody can tell."""
