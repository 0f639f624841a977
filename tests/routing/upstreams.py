"""Real upstreams, engines that speak to them, and a router before both."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from rixin.clock import SystemClock
from rixin.core.cards import ModelCard
from rixin.core.requests import Generate
from rixin.core.responses import collect
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.base import Batch, Engine
from rixin.engines.remote import Remote
from rixin.errors import RixinError
from rixin.limits.base import Cost
from rixin.limits.process import ProcessLimiter
from rixin.routing.catalog import Candidate, Resolution
from rixin.routing.healer import Healer
from rixin.routing.router import Attempt, Router
from rixin.settings import Provider
from tests.engines.chat import chat
from tests.support.hang import HANG
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream

Answers = Reply | Callable[[Request], Reply]


@dataclass
class Asked:
    """What became of one request."""

    attempt: Attempt
    batches: list[Batch] = field(default_factory=list[Batch])
    error: RixinError | None = None

    @property
    def text(self) -> str | None:
        """What was answered; fails where the answer is not whole."""
        return collect(event for batch in self.batches for event in batch.events).choices[0].text

    @property
    def served_by(self) -> str | None:
        """The provider that answered, or was asked last."""
        return self.attempt.served_by and self.attempt.served_by.engine


class Network:
    """Upstreams `a`, `b` and so on, and a router that knows them in this order of preference."""

    def __init__(self, router: Router, upstreams: dict[str, ScriptedUpstream], resolution: Resolution) -> None:
        self.router = router
        self.upstreams = upstreams
        self.resolution = resolution

    def __getitem__(self, name: str) -> ScriptedUpstream:
        return self.upstreams[name]

    def calls(self, name: str) -> int:
        """How often an upstream was asked."""
        return len(self.upstreams[name].requests)

    def forget(self) -> None:
        """Lets the router begin anew."""
        gates = self.router.gates
        providers = [gate.settings for gate in gates.values()]
        self.router = make_router({name: gate.engine for name, gate in gates.items()}, providers, self.router.heal)

    async def ask(self, request: Generate | None = None, *, tokens: int = 1, **fields: Any) -> Asked:
        """Sends a request, or one with these fields, and reads its answer to the end."""
        sent = request or chat(self.resolution.card, **fields)
        asked = Asked(self.router.attempt(sent, self.resolution, presumed=lambda _: Cost(tokens=tokens)))
        try:
            async with asyncio.timeout(HANG), aclosing(asked.attempt.batches()) as batches:
                async for batch in batches:
                    asked.batches.append(batch)
        except RixinError as error:
            asked.error = error
        return asked


def make_router(engines: Mapping[str, Engine], providers: Iterable[Provider], heal: Healer | None) -> Router:
    """A router that knows nothing yet."""
    clock = SystemClock()
    return Router(engines, providers=providers, limiter=ProcessLimiter(clock), clock=clock, heal=heal)


@asynccontextmanager
async def network(
    answers: Sequence[Answers],
    *,
    heal: Healer | None = None,
    models: Sequence[str] = (),
    priorities: Sequence[int] = (),
    each: Sequence[dict[str, Any]] = (),
    **settings: Any,
) -> AsyncGenerator[Network, None]:
    """Starts an upstream for each of `answers`, and a router to them.

    Args:
        answers: What they answer.
        heal: Repairs refused requests.
        models: Their models' names, where these are not all `m`.
        priorities: Theirs, where the first is not simply preferred to the second and so on.
        each: Settings of one provider each.
        settings: Settings of all providers.
    """
    names = [chr(ord("a") + place) for place in range(len(answers))]
    impatient = {"connect_timeout": 1.0, "first_byte_timeout": 1.0, "idle_timeout": 1.0, "total_timeout": 5.0}
    upstreams = {name: ScriptedUpstream(answer) for name, answer in zip(names, answers, strict=True)}
    providers: list[Provider] = []
    try:
        for place, (name, upstream) in enumerate(upstreams.items()):
            await upstream.__aenter__()
            own = each[place] if each else {}
            values = {"name": name, "base_url": upstream.url, **impatient, **settings, **own}
            providers.append(msgspec.convert(values, Provider))
        engines = {provider.name: Remote.connect(provider, DIALECT, {}) for provider in providers}
        router = make_router(engines, providers, heal)
        candidates = tuple(
            Candidate(
                engine=name,
                model=models[place] if models else "m",
                priority=priorities[place] if priorities else place,
            )
            for place, name in enumerate(names)
        )
        card = ModelCard(name="m", target=candidates[0].model, provider="a")
        yield Network(router, upstreams, Resolution(card=card, candidates=candidates))
        for engine in engines.values():
            await engine.aclose()
    finally:
        for upstream in upstreams.values():
            await upstream.__aexit__(None, None, None)
