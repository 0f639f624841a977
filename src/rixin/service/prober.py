"""Asks one model of one upstream, request by request, within the provider's limits. Nothing is asked twice."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Protocol

from msgspec import Struct

from rixin.clock import Clock
from rixin.core.cards import ModelCard
from rixin.core.events import Event
from rixin.core.json import JsonObject
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.engines.base import ListedModel, Lists, Prepared
from rixin.engines.trace import Keeping, Trace
from rixin.errors import Kind, RixinError
from rixin.limits.base import Cost
from rixin.routing.gate import Ask, Gate

PATIENCE = 120.0
"""Seconds that one answer may take."""
TOKENS = 64
"""What one call will presumably cost."""

REFUSALS = frozenset({Kind.INVALID_REQUEST, Kind.CONTEXT_OVERFLOW, Kind.TOO_LARGE, Kind.UNSUPPORTED_MEDIA_TYPE})
"""Kinds of errors by which an upstream says no to what it was asked. Others say that it could not answer."""


class Reply(Struct, frozen=True, kw_only=True):
    """What an upstream said to a body."""

    events: Sequence[Event] = ()
    raw: bytes = b""
    """Its answer as it came."""
    error: RixinError | None = None
    status: int | None = None

    @property
    def refused(self) -> bool:
        """Whether it said no."""
        return self.error is not None and self.error.kind in REFUSALS


class Prober(Protocol):
    """Somebody who can be asked."""

    @property
    def provider(self) -> str:
        """The provider's name."""
        ...

    @property
    def model(self) -> str:
        """The provider's name for the model."""
        ...

    async def models(self) -> list[ListedModel]:
        """What the provider lists.

        Raises:
            RixinError: It lists nothing.
        """
        ...

    async def ask(self, body: JsonObject) -> Reply:
        """Sends a body as it is, once."""
        ...


class GateProber:
    """Asks through a provider's gate: with its keys, in its line.

    Args:
        gate: The way to the provider.
        model: The provider's name for the model.
        clock: Time.

    Raises:
        RixinError: `NOT_IMPLEMENTED` for an engine that takes no bodies.
    """

    def __init__(self, gate: Gate, model: str, clock: Clock) -> None:
        if gate.sender is None:
            raise RixinError(Kind.NOT_IMPLEMENTED, f"{gate.name} is no upstream that can be asked.")
        self._gate = gate
        self._sender = gate.sender
        self._model = model
        self._clock = clock

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self._gate.name

    @property
    def model(self) -> str:
        """The provider's name for the model."""
        return self._model

    async def models(self) -> list[ListedModel]:
        """What the provider lists; see `Prober.models`."""
        engine = self._gate.engine
        return await engine.models() if isinstance(engine, Lists) else []

    async def ask(self, body: JsonObject) -> Reply:
        """Sends a body as it is, once, as soon as the provider's limits let it through; see `Prober.ask`."""
        trace = Trace(self._clock, self._clock.monotonic(), Keeping(answers=True))
        card = ModelCard(name=self._model, target=self._model, provider=self.provider)
        request = Generate(model=self._model, card=card, stream=body.get("stream") is True, observer=trace)
        events: list[Event] = []
        error: RixinError | None = None
        try:
            async with asyncio.timeout(PATIENCE + self._gate.settings.queue_deadline):
                await self._send(request, body, events)
        except RixinError as failure:
            error = failure
        except TimeoutError:
            error = RixinError(Kind.UPSTREAM_TIMEOUT, f"{self.provider} took too long.")
        attempt = trace.attempts[-1] if trace.attempts else None
        return Reply(
            events=events,
            raw=b"" if attempt is None else attempt.answer,
            error=error,
            status=None if attempt is None else attempt.status,
        )

    async def _send(self, request: Generate, body: JsonObject, events: list[Event]) -> None:
        gate = self._gate
        usage: Usage | None = None
        ask = Ask(model=self._model, cost=Cost(tokens=TOKENS), asker="")
        async with aclosing(gate.line(ask, gate.now() + gate.settings.queue_deadline)) as line:
            async for lease in line:
                if lease is None:
                    continue
                try:
                    async with aclosing(self._sender.send(request, Prepared(body=body), lease.key.secret)) as answer:
                        async for batch in answer:
                            if batch.events and not events:
                                lease.begun()
                            events += batch.events
                            usage = next((event for event in batch.events if isinstance(event, Usage)), usage)
                    await lease.complete(None if usage is None else Cost(tokens=usage.total))
                except RixinError as error:
                    await gate.fail(lease, error, None if usage is None else Cost(tokens=usage.total))
                    raise
                finally:
                    await lease.abandon(None)
