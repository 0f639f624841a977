"""A circuit breaker: keeps requests from what has just refused them, and lets one find out when it works again.

    CLOSED --tripped--> OPEN --rested--> HALF_OPEN --passed--> CLOSED
                          ^                  |
                          +-----tripped------+

A provider's model has one that bears some failures in a row; each key has one that bears none, whose rest is the key's
cooldown. No clock: every method that needs the time is given an instant, in seconds of one clock that never jumps.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from msgspec import Struct


class State(Enum):
    """Who is let through."""

    CLOSED = auto()
    """Everyone."""
    OPEN = auto()
    """Nobody, until an instant."""
    HALF_OPEN = auto()
    """One at a time, on trial."""


class Signal(Enum):
    """What changes the state."""

    TRIPPED = auto()
    RESTED = auto()
    PASSED = auto()


TRANSITIONS: Final[dict[tuple[State, Signal], State]] = {
    (State.CLOSED, Signal.TRIPPED): State.OPEN,
    (State.OPEN, Signal.RESTED): State.HALF_OPEN,
    (State.HALF_OPEN, Signal.PASSED): State.CLOSED,
    (State.HALF_OPEN, Signal.TRIPPED): State.OPEN,
}
"""Any other signal changes nothing."""

TRIAL: Final = 10.0
"""Seconds after which a trial that has not ended keeps nobody else from trying."""

UNKNOWN: Final = 1.0
"""Seconds after which to ask again while a trial runs: nobody knows when it ends."""


class Pass(Struct, frozen=True, gc=False):
    """One request that was let through; its outcome is told with it."""

    epoch: int
    trial: bool


class Breaker:
    """See the module.

    What a request meets says something of the time when it was sent: an outcome that comes after the state has changed
    does not change it again. Of several requests that were refused together the first one counts.

    Args:
        tolerance: How many failures in a row it bears.
    """

    __slots__ = ("_epoch", "_failures", "_state", "_tolerance", "_trial_ends", "_until", "step")

    def __init__(self, tolerance: float = 0) -> None:
        self.step = 0
        """How often it was tripped since it was last closed."""
        self._tolerance = tolerance
        self._state = State.CLOSED
        self._epoch = 0
        self._failures = 0
        self._until = 0.0
        self._trial_ends = 0.0

    def state(self, now: float) -> State:
        """The state at an instant, which is no earlier than any given before."""
        if self._state is State.OPEN and now >= self._until:
            self._signal(Signal.RESTED)
        return self._state

    def free_at(self, now: float) -> float:
        """When somebody may be let through: `now`, or a later instant."""
        if self._state is State.CLOSED:
            return now
        state = self.state(now)
        if state is State.OPEN:
            return self._until
        if state is State.HALF_OPEN and now < self._trial_ends:
            return min(self._trial_ends, now + UNKNOWN)
        return now

    def is_free(self, now: float) -> bool:
        """Whether somebody may be let through now."""
        return self._state is State.CLOSED or self.free_at(now) <= now

    def open_until(self, now: float) -> float | None:
        """When its rest ends, if it has one."""
        return self._until if self.state(now) is State.OPEN else None

    def rest_until(self, until: float, step: int) -> None:
        """Somebody else was refused: nobody is let through before an instant.

        Args:
            until: The instant; an earlier end than it has already changes nothing.
            step: How often that one's was tripped.
        """
        self._until = max(self._until, until) if self._state is State.OPEN else until
        self.step = max(self.step, step)
        self._signal(Signal.TRIPPED)

    def admit(self, now: float) -> Pass | None:
        """Lets a request through, or does not."""
        if self._state is State.CLOSED:
            return Pass(self._epoch, trial=False)
        if self.state(now) is State.HALF_OPEN and now >= self._trial_ends:
            self._trial_ends = now + TRIAL
            return Pass(self._epoch, trial=True)
        return None

    def succeeded(self, given: Pass) -> None:
        """A request that was let through found everything in order."""
        if given.epoch == self._epoch:
            self._failures = 0
            if given.trial:
                self._signal(Signal.PASSED)

    def failed(self, given: Pass, now: float, rest: Callable[[int], float]) -> bool:
        """A request that was let through was refused.

        Args:
            given: What let it through.
            now: The instant.
            rest: The seconds to stay open, by `step`.

        Returns:
            Whether that tripped it.
        """
        if given.epoch != self._epoch:
            if self._state is State.OPEN:
                self._until = max(self._until, now + rest(self.step - 1))
            return False
        self._failures += 1
        if not given.trial and self._failures <= self._tolerance:
            return False
        self._until = now + rest(self.step)
        self.step += 1
        self._signal(Signal.TRIPPED)
        return True

    def abandoned(self, given: Pass) -> None:
        """A request that was let through tells nothing; where it was on trial, another one may be."""
        if given.trial and given.epoch == self._epoch:
            self._trial_ends = 0.0

    def _signal(self, signal: Signal) -> None:
        after = TRANSITIONS.get((self._state, signal))
        if after is None:
            return
        self._state = after
        self._epoch += 1
        self._failures = 0
        self._trial_ends = 0.0
        if after is State.CLOSED:
            self.step = 0
