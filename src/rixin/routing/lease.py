"""The right to send one request to an engine, and what its outcome means for those that come after it."""

from collections.abc import Callable
from typing import NamedTuple

from rixin.clock import Clock
from rixin.errors import RixinError
from rixin.limits.base import Cost, Reservation, Standing
from rixin.routing.breaker import Breaker, Pass
from rixin.routing.classify import Fate, Verdict, key_rest, outage
from rixin.routing.pool import Grant, Key


class Outcome(NamedTuple):
    """What a failure changed for others."""

    key_rests: bool
    """The key is not sent for a while, and was until now."""
    tripped: bool
    """The provider's model is left alone for a while, and was not until now."""


class Permit:
    """A key's and a breaker's consent to one request.

    Args:
        model: The model's name at the engine.
        key: The key that is to be sent.
        grant: Its consent.
        breaker: The model's.
        passed: Its consent.
    """

    __slots__ = ("_begun", "_breaker", "_grant", "_pass", "is_trial", "key", "model")

    def __init__(self, model: str, key: Key, grant: Grant, breaker: Breaker, passed: Pass) -> None:
        self.model = model
        self.key = key
        self._grant = grant
        self._breaker = breaker
        self._pass = passed
        self._begun = False
        self.is_trial = passed.trial or grant.trial
        """Whether others wait for its outcome."""

    def begun(self) -> None:
        """The answer has begun, which is all that a trial is about, and all that a key is asked."""
        self._begun = True
        self.key.succeeded(self.model, self._grant)
        if self._pass.trial:
            self._breaker.succeeded(self._pass)

    def complete(self) -> None:
        """The answer is whole."""
        if not self._begun:
            self.key.succeeded(self.model, self._grant)
        self._breaker.succeeded(self._pass)

    def abandon(self, *, sent: bool) -> None:
        """Nothing was learned."""
        self.key.abandoned(self.model, self._grant, sent=sent)
        self._breaker.abandoned(self._pass)

    def fail(self, error: RixinError, verdict: Verdict, now: float, stretch: Callable[[float], float]) -> Outcome:
        """The attempt failed."""

        def rest(step: int) -> float:
            seconds, told = key_rest(error, verdict.fate, step)
            return seconds if told else stretch(seconds)

        rests = tripped = False
        if verdict.fate is Fate.UNFIT:
            self.key.refused_model(self.model, self._grant, now)
        elif verdict.fate is not Fate.KEPT:
            rests = self.key.refused(self.model, self._grant, now, verdict.fate, rest)
        elif verdict.healthy:
            self.key.succeeded(self.model, self._grant)
        else:
            self.key.abandoned(self.model, self._grant, sent=verdict.counted)
        if verdict.healthy is None:
            self._breaker.abandoned(self._pass)
        elif verdict.healthy:
            self._breaker.succeeded(self._pass)
        else:
            tripped = self._breaker.failed(self._pass, now, lambda step: stretch(outage(error, step)))
        return Outcome(rests, tripped)


class Lease:
    """The right to send one request, with a key, under the provider's limits. It must be ended; once is enough.

    Args:
        permit: The consent of key and breaker.
        reservation: What it holds of the provider's limits.
        cost: What the reservation assumed that it will cost.
        clock: Time.
        stretch: Lengthens waits that we choose ourselves by a random part.
        on_change: Called when others may be let through since.
    """

    def __init__(
        self,
        permit: Permit,
        reservation: Reservation,
        cost: Cost,
        *,
        clock: Clock,
        stretch: Callable[[float], float],
        on_change: Callable[[], None],
    ) -> None:
        self.model = permit.model
        self.key = permit.key
        self._permit = permit
        self._reservation = reservation
        self._cost = cost
        self._clock = clock
        self._stretch = stretch
        self._on_change = on_change
        self._ended = False

    @property
    def standings(self) -> tuple[Standing, ...]:
        """How the provider's limits stand with this request."""
        return self._reservation.standings

    def begun(self) -> None:
        """The answer has begun."""
        self._permit.begun()
        if self._permit.is_trial:
            self._on_change()

    async def complete(self, cost: Cost | None) -> None:
        """The answer is whole; `cost` is what it cost, None where nobody told."""
        if self._end():
            self._permit.complete()
            self._settle(cost)

    async def fail(self, error: RixinError, verdict: Verdict, cost: Cost | None) -> Outcome:
        """The attempt failed; `cost` is what it cost, None where nobody told."""
        if not self._end():
            return Outcome(key_rests=False, tripped=False)
        outcome = self._permit.fail(error, verdict, self._clock.monotonic(), self._stretch)
        if verdict.counted:
            self._settle(cost)
        else:
            self._reservation.release()
            self._on_change()
        return outcome

    async def abandon(self, cost: Cost | None) -> None:
        """The client left; `cost` is what it cost until then, None where nobody told."""
        if self._end():
            self._permit.abandon(sent=True)
            self._settle(cost)

    def _settle(self, cost: Cost | None) -> None:
        self._reservation.settle(self._cost if cost is None else cost)
        self._on_change()

    def _end(self) -> bool:
        ended, self._ended = self._ended, True
        return not ended
