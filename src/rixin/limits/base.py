"""What a limit is, and what every back end does with it."""

import math
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import force_setattr

from rixin.core.prices import decimal_text
from rixin.errors import Kind, RixinError
from rixin.limits.trail import Legacy, Trail
from rixin.settings import Unit

LONGEST_RATE: Final = 900.0
"""Seconds up to which a window is a rate, which a client waits out, and beyond which it is a quota."""

MOST: Final = 10**12
"""What a limit may admit, and a request may cost: no sum of it leaves the 64 bits that databases have."""

CONCURRENCY_RETRY: Final = 1.0
"""Seconds after which to ask again for a share of what runs at the same time: nobody knows when one is given back."""

SETTLED_LATER: Final = frozenset[Unit]({"tokens", "money"})
"""Units of which is known only at a request's end how much it cost."""

_UNITS_OF_TIME: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class Cost(Struct, frozen=True, gc=False):
    """What one request costs, or will presumably cost. It is one request in any case."""

    tokens: int = 1
    credits: int = 1
    money: int = 0
    """Millionths of a unit of the currency that prices are in."""

    def of(self, unit: Unit) -> int:
        """How much of a unit it costs, at least 0; a request that is admitted costs a token at least."""
        match unit:
            case "tokens":
                return max(1, min(self.tokens, MOST))
            case "credits":
                return self.credits
            case "money":
                return max(0, min(self.money, MOST))
            case "requests" | "concurrency":
                return 1


class Limit(Struct, frozen=True):
    """A promise that somebody gets no more than an amount.

    Raises:
        ValueError: The amount or the window is out of range, or the window does not fit the unit.
    """

    key: str
    """Whom it binds, such as `key:7f3a/model:sensenova-6.7-flash-lite`. One that several limits share is no harm."""
    unit: Unit
    amount: int
    window: float | None = None
    """Seconds; None for `concurrency`, which counts what runs now."""
    lasting: bool = False
    """Whether it is remembered over a restart even where it is a rate: it keeps a guesser out, who may wait for one."""
    counter: str = ""
    """The name under which a back end counts, made from the rest: limits of another unit or window never share one."""

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= MOST:
            msg = f"the amount of a limit is {self.amount}; it must lie between 0 and {MOST}"
            raise ValueError(msg)
        if (self.window is None) != (self.unit == "concurrency"):
            msg = "a limit on concurrency has no window, and every other one has"
            raise ValueError(msg)
        if self.window is not None and not 0.001 <= self.window <= 10 * 365 * 86400:
            msg = f"the window of a limit is {self.window:g} s; it must lie between a millisecond and ten years"
            raise ValueError(msg)
        force_setattr(self, "counter", f"{self.key}|{self.unit}|{float(self.window or 0)!r}")

    @staticmethod
    def window_of(counter: str) -> float:
        """The window, in seconds, that a counter's name tells; 0 for concurrency."""
        return float(counter.rpartition("|")[2])

    @property
    def is_rate(self) -> bool:
        """Whether it is soon over: a window of at most fifteen minutes, or concurrency."""
        return self.window is None or self.window <= LONGEST_RATE

    def __str__(self) -> str:
        """The limit as people say it: `60 requests per minute`, `1500 requests per 5 hours`, `4 requests at a time`."""
        if self.window is None:
            return f"{self.amount} request{'' if self.amount == 1 else 's'} at a time"
        if self.unit == "money":
            return f"{decimal_text(self.amount)} in cost per {_length(self.window)}"
        unit = self.unit if self.amount != 1 else self.unit.removesuffix("s")
        return f"{self.amount} {unit} per {_length(self.window)}"


def _length(seconds: float) -> str:
    for size, name in _UNITS_OF_TIME:
        if seconds % size == 0:
            count = int(seconds // size)
            return name if count == 1 else f"{count} {name}s"
    return f"{seconds:g} seconds"


def duration(seconds: float) -> str:
    """A length of time as rate-limit headers write it, rounded up to seconds: `0s`, `1s`, `6m0s`, `5h0m0s`."""
    whole = math.ceil(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


class Standing(Struct, frozen=True):
    """How far a limit is used up."""

    limit: Limit
    remaining: int
    reset: float
    """When more remains; where the request was refused, when it would be admitted.

    A reading of the monotonic clock, in seconds. That of the request itself where nothing is used, and for concurrency,
    of which nobody knows when a share is given back.
    """

    def without(self, amount: int) -> "Standing":
        """How far it is used up once an amount that it counts is given back."""
        remaining = min(self.limit.amount, self.remaining + amount)
        # What was there before the request leaves the window when it did, since that is the oldest.
        return Standing(self.limit, remaining, self.reset if remaining < self.limit.amount else 0.0)


class LimitError(RixinError):
    """A request that a limit does not admit. `standings` are those of all limits of the request, for the headers."""

    def __init__(
        self, kind: Kind, message: str, *, standings: tuple[Standing, ...], retry_after: float | None = None
    ) -> None:
        super().__init__(kind, message, retry_after=retry_after)
        self.standings = standings


class Reservation(Protocol):
    """What an admitted request holds, until it is settled or released.

    Ending it a second time does nothing. One that is never ended counts as spent, and its share of a concurrency
    limit is given back when its process has ended. No end waits or fails: where a store cannot be reached, it is told
    later.
    """

    @property
    def standings(self) -> tuple[Standing, ...]:
        """The limits as they stood when the request was admitted, in the order in which they were asked for.

        Once it is released, as if it had not been.
        """
        ...

    @property
    def trail(self) -> Trail | None:
        """What it holds, or once it has ended what that changes; None where nothing of it outlives this process."""
        ...

    def settle(self, cost: Cost) -> None:
        """Ends a request that was served, and what it cost is known: what was reserved too much is given back.

        What was reserved too little is written into the current slot, even over the amount: a debt that later
        requests wait for.
        """
        ...

    def release(self) -> None:
        """Ends a request that failed: everything is given back."""
        ...


class Unlimited:
    """What a request without limits holds: nothing."""

    __slots__ = ()

    @property
    def standings(self) -> tuple[Standing, ...]:
        """None at all."""
        return ()

    @property
    def trail(self) -> Trail | None:
        """None."""
        return None

    def settle(self, cost: Cost) -> None:
        """Does nothing."""

    def release(self) -> None:
        """Does nothing."""


UNLIMITED: Final[Reservation] = Unlimited()


class Limiter(Protocol):
    """A back end."""

    @property
    def process(self) -> str:
        """What the store of the counters calls this process; empty where nothing of what it counts outlives it."""
        ...

    def has_written(self, step: int | None = None) -> bool:
        """Whether the store has all that was to be written by a step, as trails tell it; without one, all there is."""
        ...

    async def acquire(self, limits: Sequence[Limit], cost: Cost, *, taken_down: bool = False) -> Reservation:
        """Admits one request under all of some limits, or under none.

        Args:
            limits: Of each `counter` only the smallest amount binds.
            cost: What the request will presumably cost.
            taken_down: Whether the caller writes the reservation's `trail` into the process's journal before it awaits
                anything. If the process is killed before that, everything is given back.

        Raises:
            LimitError: `RATE_LIMITED` where all that refuse are rates, `QUOTA_EXHAUSTED` where one is a longer
                window; `retry_after` says when the request would be admitted. `TOO_LARGE` where the request alone
                exceeds a limit, `PERMISSION_DENIED` where a limit is 0: then waiting does not help.
            RixinError: `OVERLOADED` where what counts cannot be reached: nobody is admitted then.
        """
        ...

    async def inspect(self, limits: Sequence[Limit], cost: Cost) -> tuple[Standing, ...]:
        """How limits stand for a request, without admitting it."""
        ...

    async def take_over(self, legacy: Legacy) -> None:
        """Writes what a process that was killed has left, once, whoever asks for it how often.

        Raises:
            RixinError: `OVERLOADED` where what counts cannot be reached; it may be asked again.
        """
        ...

    async def aclose(self) -> None:
        """Finishes what has begun, and gives back what the back end holds."""
        ...
