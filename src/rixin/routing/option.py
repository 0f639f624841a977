"""A candidate of one request, and how it stands."""

import math

import msgspec

from rixin.clock import jitter
from rixin.core.requests import Asked, Generate
from rixin.engines.base import Prepared
from rixin.errors import Kind, RixinError
from rixin.routing.catalog import Candidate
from rixin.routing.classify import PAUSES, rung
from rixin.routing.gate import Ask, Gate
from rixin.routing.healer import Healer, Healing


class Option:
    """A candidate of one request: what it is sent, what it said, when it may be asked again. It never waits.

    Args:
        candidate: Who.
        gate: The way to its engine.
        request: What is asked, of whichever candidate.
        ask: What the request wants of the gate.
        now: The instant at which its turn is first waited for.
    """

    prepared: Prepared | None = None
    """What is sent, where the engine shows it."""
    healing: Healing | None = None
    failure: RixinError | None = None
    """What it said last."""
    closed = False
    """Whether it is not asked any more."""
    ready_at = -math.inf
    """The instant from which on it may be asked again."""

    _called = False
    _retries = 0
    _owes = False
    """Whether the next call is one that the provider's budget for tries again must pay."""

    def __init__(self, candidate: Candidate, gate: Gate, request: Asked, ask: Ask, now: float) -> None:
        self.candidate = candidate
        self.gate = gate
        self.request = _addressed(request, candidate)
        self.ask = ask
        self.deadline = now + gate.settings.queue_deadline
        """The instant until which it is worth waiting for."""

    @property
    def holds_an_answer(self) -> bool:
        """Whether it gave one that is better than none."""
        return self.healing is not None and bool(self.healing.held)

    def prepare(self, heal: Healer | None) -> None:
        """Makes what is sent, where the engine shows it and nothing has been made yet.

        Raises:
            RixinError: It cannot be made.
        """
        sender, request = self.gate.sender, self.request
        if sender is None or self.prepared is not None or not isinstance(request, Generate):
            return
        self.prepared = sender.prepare(request)
        if heal is not None:
            self.healing = heal(self.candidate, request, self.prepared)

    def pay(self, now: float) -> bool:
        """Pays for the next call where it must be paid for; where it cannot be, there is none."""
        if self._owes and not self.gate.budget.withdraw(now):
            self.closed = True
            return False
        self._owes = False
        return True

    def call(self, now: float) -> None:
        """It is called; the first time that is worth something to the budget for tries again."""
        if not self._called:
            self.gate.budget.deposit(now)
        self._called = True

    def avoid_key(self, digest: str) -> None:
        """A key will not do."""
        self.ask = msgspec.structs.replace(self.ask, avoid=self.ask.avoid | {digest})

    def postpone(self, error: RixinError, now: float) -> None:
        """It failed, and is asked again after a while if it has tries left and that is not too late."""
        self.failure = error
        pause = max(jitter(rung(PAUSES, self._retries), 1.0), error.retry_after or 0.0)
        if self._retries < self.gate.settings.retries and now + pause <= self.deadline:
            self._retries += 1
            self._owes = True
            self.ready_at = now + pause
        else:
            self.closed = True

    def close(self, failure: RixinError) -> None:
        """It is not asked any more."""
        self.failure = failure
        self.closed = True

    def refuse(self, refusal: RixinError) -> None:
        """It cannot be asked in time. What it said before tells more than that, unless something else is in the way."""
        failure = self.failure
        if failure is not None and (
            refusal.retry_after is None or refusal.kind in (failure.kind, Kind.OVERLOADED, Kind.QUEUE_FULL)
        ):
            if refusal.retry_after is not None:
                failure.retry_after = refusal.retry_after
            refusal = failure
        self.close(refusal)


def _addressed(request: Asked, candidate: Candidate) -> Asked:
    """The request as a candidate is to see it: its card names that candidate's model and provider."""
    card = request.card
    if card.target == candidate.model and card.provider == candidate.provider:
        return request
    card = msgspec.structs.replace(card, target=candidate.model, provider=candidate.provider)
    return msgspec.structs.replace(request, card=card)
