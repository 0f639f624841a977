"""What is the same of every request that engines serve, whatever it asks for: its limits, who served it, its row."""

import re
from typing import Generic, TypeVar

import msgspec
import structlog
from msgspec import Struct

from rixin.accounts.account import Account
from rixin.accounts.journal import Entry
from rixin.core.requests import Change, Draw, Embed, Generate
from rixin.core.usage import Usage
from rixin.engines.base import Sign
from rixin.errors import Kind, RixinError
from rixin.limits.base import Cost, Reservation, Standing
from rixin.limits.trail import Trail
from rixin.routing.catalog import Candidate
from rixin.routing.router import Attempt
from rixin.service.serving import Serving
from rixin.store.usage_row import UsageRow

_UNSAFE = re.compile(r"[^A-Za-z0-9_.\[\]$-]")
"""Characters of a client's field name that a header of tokens cannot hold."""
_LONGEST_FIELD = 100

R = TypeVar("R", Generate, Embed, Draw)

log = structlog.get_logger("rixin.service")


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks, in which dialect, and since when."""

    account: Account
    dialect: str
    request_id: str
    arrived: float
    """When the request arrived, in seconds since the epoch."""
    since: float
    """The same instant by the monotonic clock."""
    received: float | None = None
    """When its body was there, by the monotonic clock."""
    traceparent: str = ""
    """What the client says that the request is part of (W3C Trace Context); it may be anything."""


class Served(Generic[R]):
    """One request under way. Its standings are there before anything is sent, its route once something came back.

    Args:
        serving: What serves it.
        request: What is asked.
        caller: Who asks.
        answers: Whether somebody wants all that comes back from upstreams.

    Raises:
        RixinError: What is wrong with the model's name.
    """

    operation: str
    """What the log calls what is asked for."""
    sign: Sign | None = None
    """How far the request was when its engine told that last."""
    _attempt: Attempt | None = None
    _reservation: Reservation | None = None
    """What it holds of its limits, if it has any."""
    _entry: Entry | None = None
    """What the journal knows of it, once it was admitted."""

    def __init__(self, serving: Serving, request: R, caller: Caller, *, answers: bool = False) -> None:
        self._serving = serving
        self._resolution = serving.catalog.resolve(request.model)
        self.trace = serving.requests.trace(
            caller.request_id, caller.since, traceparent=caller.traceparent, answers=answers
        )
        """What it has waited for so far."""
        if caller.received is not None:
            self.trace.on_phase("body", caller.since, caller.received)
        self.caller = caller
        self.request = msgspec.structs.replace(request, fairness_key=caller.account.id, observer=self.trace)
        self.usage: Usage | None = None
        """What was used, once the request has ended."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was done to the request so far."""
        return self.request.changes + (self._attempt.changes if self._attempt is not None else ())

    @property
    def attempts(self) -> int:
        """How many calls were made."""
        return self._attempt.count if self._attempt is not None else 0

    @property
    def standings(self) -> tuple[Standing, ...]:
        """How its limits stand, itself included unless it has failed."""
        return () if self._reservation is None else self._reservation.standings

    @property
    def upstream_standings(self) -> tuple[Standing, ...]:
        """How the limits of the provider that was asked last stand."""
        return self._attempt.standings if self._attempt is not None else ()

    @property
    def served_by(self) -> str | None:
        """Who answers, as `engine/model`."""
        candidate = self._candidate
        if candidate is None:
            return None
        engine, model = candidate.engine, candidate.model
        return engine if engine.endswith(f"/{model}") else f"{engine}/{model}"

    @property
    def _candidate(self) -> Candidate | None:
        """Who was asked last."""
        return self._attempt.served_by if self._attempt is not None else None

    def _presumed(self, request: R) -> Cost:
        """What a request will presumably cost, be it the client's or one that was made of it."""
        return self._serving.costs.presumed(request, self._resolution, self.caller.account.id)

    def _spent(self, usage: Usage) -> Cost:
        """What the request came to."""
        return self._serving.costs.spent(self.request, usage, self._candidate)

    async def _reserve(self) -> None:
        """Takes the request's share of its limits, if it has any, and opens its entry in the journal.

        Raises:
            RixinError: As `Limiter.acquire`.
        """
        serving = self._serving
        limits = serving.limits_for(self.caller.account, self.request)
        if limits:
            self._reservation = await serving.limiter.acquire(limits, self._presumed(self.request), taken_down=True)
        self._entry = serving.requests.open(self)

    def _send(self, request: R) -> Attempt:
        """A request on its way to whoever may serve it."""
        serving = self._serving
        self._attempt = serving.router.attempt(
            request, self._resolution, presumed=self._presumed, spent=serving.costs.spent
        )
        return self._attempt

    def _left_behind(self, failure: RixinError | None) -> bool:
        """Whether the client left after somebody had been asked. Its limits count the work that it made all the same:
        to leave early is no way around them.
        """
        return failure is not None and failure.kind is Kind.CANCELLED and self._attempt is not None

    def row_so_far(self, failure: RixinError | None = None) -> UsageRow:
        """What is taken down of the request if it ends now."""
        return self._row(failure)

    def usage_so_far(self) -> Usage:
        """What was relayed of the answer by now: nothing of one that comes as a whole."""
        return Usage()

    @property
    def trail(self) -> Trail | None:
        """What it holds of its limits, or what its end has changed in them."""
        return None if self._reservation is None else self._reservation.trail

    def _take_down(self, failure: RixinError | None) -> None:
        """Takes down what became of the request."""
        body = b"" if self.request.origin is None else self.request.origin.body
        entry, self._entry = self._entry, None  # it knows the request: both would wait for the collector
        self._serving.requests.record(self.row_so_far(failure), self.trace, body, entry)

    def _row(
        self,
        failure: RixinError | None,
        *,
        filtered: bool = False,
        stream: bool = False,
        first_event_at: float | None = None,
        queued: float | None = None,
    ) -> UsageRow:
        """What is taken down of the request; instants are by the monotonic clock.

        An answer that was `filtered` because of what it says is no failure, and yet known by that.
        """
        error = failure.kind if failure is not None else Kind.CONTENT_POLICY if filtered else None
        caller, usage, card = self.caller, self.usage or Usage(), self.request.card
        served_by = self._candidate
        return UsageRow(
            id=caller.request_id,
            time=caller.arrived,
            key_id=caller.account.id,
            key_name=caller.account.name,
            user_id=caller.account.user,
            team_id=caller.account.team,
            dialect=caller.dialect,
            operation=self.operation,
            model_asked=self.request.model,
            model=card.target if served_by is None else served_by.model,
            provider=card.provider if served_by is None else served_by.provider,
            status=failure.status if failure is not None else 200,
            error=None if error is None else error.value,
            stream=stream,
            prompt_tokens=usage.prompt,
            completion_tokens=usage.completion,
            cached_tokens=usage.cached,
            reasoning_tokens=usage.reasoning,
            knowledge_tokens=usage.knowledge,
            estimated=usage.estimated,
            queue_ms=None if queued is None else queued * 1000,
            first_token_ms=None if first_event_at is None else (first_event_at - caller.since) * 1000,
            total_ms=self.trace.elapsed(),
            changes=changes_text(self.changes),
        )


def changes_text(changes: tuple[Change, ...], limit: int = 1000) -> str:
    """Changes as the response header tells them: `name(field)` tokens, and `+N` for those beyond `limit` bytes."""
    if not changes:
        return ""
    tokens: list[str] = []
    size = 0
    for position, change in enumerate(changes):
        token = f"{change.name}({_UNSAFE.sub('?', change.field)[:_LONGEST_FIELD]})"
        size += len(token) + 2
        if size > limit:
            tokens.append(f"+{len(changes) - position}")
            break
        tokens.append(token)
    return ", ".join(tokens)
