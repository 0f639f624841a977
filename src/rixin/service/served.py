"""What is the same of every request that engines serve, whatever it asks for: who served it, what was done to it."""

from typing import Generic, TypeVar

from rixin.core.requests import Change, Embed, Generate
from rixin.core.usage import Usage
from rixin.errors import RixinError
from rixin.limits.base import Standing
from rixin.routing.router import Attempt
from rixin.service.generate import Caller, changes_text
from rixin.store.usage import UsageRow

R = TypeVar("R", Generate, Embed)


class Served(Generic[R]):
    """One request under way. Its standings are there before anything is sent, its route once something came back."""

    operation: str
    """What the log calls what is asked for."""
    _attempt: Attempt | None = None

    def __init__(self, caller: Caller, request: R) -> None:
        self.caller = caller
        self.request = request
        self.standings: tuple[Standing, ...] = ()
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
    def upstream_standings(self) -> tuple[Standing, ...]:
        """How the limits of the provider that was asked last stand."""
        return self._attempt.standings if self._attempt is not None else ()

    @property
    def served_by(self) -> str | None:
        """Who answers, as `engine/model`."""
        candidate = self._attempt.served_by if self._attempt is not None else None
        if candidate is None:
            return None
        engine, model = candidate.engine, candidate.model
        return engine if engine.endswith(f"/{model}") else f"{engine}/{model}"

    def _row(
        self,
        failure: RixinError | None,
        now: float,
        *,
        stream: bool = False,
        first_event_at: float | None = None,
        queued: float | None = None,
    ) -> UsageRow:
        """What is taken down of the request, `now` that it has ended; instants are by the monotonic clock."""
        caller, usage, card = self.caller, self.usage or Usage(), self.request.card
        served_by = self._attempt.served_by if self._attempt is not None else None
        return UsageRow(
            id=caller.request_id,
            time=caller.arrived,
            key_id=caller.account.id,
            key_name=caller.account.name,
            dialect=caller.dialect,
            operation=self.operation,
            model_asked=self.request.model,
            model=card.target if served_by is None else served_by.model,
            provider=card.provider if served_by is None else served_by.provider,
            status=failure.status if failure is not None else 200,
            error=failure.kind.value if failure is not None else None,
            stream=stream,
            prompt_tokens=usage.prompt,
            completion_tokens=usage.completion,
            cached_tokens=usage.cached,
            reasoning_tokens=usage.reasoning,
            knowledge_tokens=usage.knowledge,
            estimated=usage.estimated,
            queue_ms=None if queued is None else queued * 1000,
            first_token_ms=None if first_event_at is None else (first_event_at - caller.since) * 1000,
            total_ms=(now - caller.since) * 1000,
            changes=changes_text(self.changes),
        )
