"""The whole application over a strict upstream, with nothing configured but its address and a key."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rixin.clock import Clock, SystemClock
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.base import ListedModel
from rixin.engines.remote import Remote
from rixin.limits.process import ProcessLimiter
from rixin.profiles.cards import load_models
from rixin.profiles.error_rules import load_error_rules
from rixin.profiles.presets import load_presets
from rixin.profiles.profile import Profile, layered
from rixin.routing.catalog import Catalog
from rixin.routing.controls import Controls
from rixin.routing.gate import Gate
from rixin.routing.healing import SelfHealing
from rixin.routing.learned import LearnedRules
from rixin.routing.router import Router
from rixin.routing.suspicions import Suspicions
from rixin.settings import Provider, Server, Settings
from rixin.store.database import Database
from tests.support.clients import CHAT, read_stream, read_whole
from tests.support.hang import HANG
from tests.support.web import Site, site
from tests.upstreams.strict import StrictUpstream

PROVIDER = "strict"

PRESETS = load_presets(files("rixin.profiles").joinpath("presets.toml").read_bytes())
KNOWN_MODELS = load_models(files("rixin.profiles").joinpath("models.toml").read_bytes())
ERROR_RULES = load_error_rules(files("rixin.profiles").joinpath("error_rules.toml").read_bytes())


class Told(Struct):
    """What a client was told."""

    status: int
    text: str
    """The answer, or the error's message."""
    changes: str
    attempts: int
    """Calls that it took; 0 where nobody said."""
    body: dict[str, Any]
    ended: bool = True
    """Whether a stream was ended as it should be."""

    @property
    def facts(self) -> dict[str, Any]:
        """The echo."""
        return json.loads(self.text)


class HealingSite:
    """The application, its upstream, and the parts that heal."""

    provider = PROVIDER

    def __init__(self, upstream: StrictUpstream, clock: Clock, preset: str) -> None:
        self.upstream = upstream
        self.clock = clock
        self.preset = PRESETS.named(preset)
        self.site: Site
        self.learned: LearnedRules
        self.suspicions: Suspicions
        self.controls: Controls
        self.router: Router
        self._running: asyncio.Task[None] | None = None

    def wire(self, database: Database, catalog: Catalog, models: Iterable[str], **settings: Any) -> Router:
        """Makes the router, as the server does."""
        values = {"name": PROVIDER, "base_url": self.upstream.url, "api_keys": ["sk-upstream"], **settings}
        provider = msgspec.convert(values, Provider)
        engine = Remote.connect(provider, DIALECT, {}, lambda model: self.profile(PROVIDER, model))
        limiter = ProcessLimiter(self.clock)
        self.learned = LearnedRules(database, lambda _provider: provider.base_url, self.clock)
        self.suspicions = Suspicions(self.learned)
        self.controls = Controls(
            self.gate, self.suspicions, self.learned, self.profile, limiter=limiter, clock=self.clock
        )
        heal = SelfHealing(ERROR_RULES, self.suspicions, self.controls)
        self.router = Router({PROVIDER: engine}, limiter=limiter, clock=self.clock, providers=[provider], heal=heal)
        catalog.set_provider_models(PROVIDER, [ListedModel(name=model) for model in models])
        return self.router

    def gate(self, name: str) -> Gate | None:
        """The way to an engine."""
        return self.router.gates.get(name)

    def profile(self, provider: str, model: str, without: str | None = None) -> Profile:
        """What is known of a model."""
        card = KNOWN_MODELS.cards.get(model)
        layers = [*self.preset.layers(model, card), *self.learned.layers(provider, model, without=without)]
        return layered(layer.profile for layer in layers)

    async def ask(self, body: dict[str, Any], path: str = CHAT) -> Told:
        """Sends a request of the dialect that lives at a path, and reads its answer to the end."""
        headers = {"authorization": f"Bearer {self.site.key}"}
        url = self.site.url + path
        async with asyncio.timeout(HANG), self.site.client.post(url, json=body, headers=headers) as response:
            changes = response.headers.get("x-rixin-changes", "")
            attempts = int(response.headers.get("x-rixin-attempts", "0"))
            if response.status != 200:
                whole = await response.json()
                return Told(response.status, whole["error"]["message"], changes, attempts, whole)
            if not body.get("stream"):
                whole = await response.json()
                return Told(200, read_whole(path, whole), changes, attempts, whole)
            stream = await response.text()
            text, ended = read_stream(path, stream)
            return Told(200, text, changes, attempts, {"stream": stream}, ended)

    def start_controls(self) -> None:
        """Lets controls run in the background."""
        self._running = asyncio.create_task(self.controls.run())

    async def stop(self) -> None:
        """Ends what goes on in the background."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def close(self) -> None:
        """Closes the connections to the upstream."""
        for gate in self.router.gates.values():
            await gate.engine.aclose()

    async def rest(self) -> None:
        """Waits until what goes on in the background is done."""
        async with asyncio.timeout(HANG):
            await self.controls.settled()


@asynccontextmanager
async def healing_site(
    folder: Path,
    upstream: StrictUpstream,
    *,
    models: Iterable[str] | None = None,
    clock: Clock | None = None,
    preset: str = "generic",
    controls: bool = True,
    **settings: Any,
) -> AsyncGenerator[HealingSite, None]:
    """Serves an application over an upstream.

    Args:
        folder: For its files.
        upstream: Not started yet.
        models: The upstream's models; those that have rules unless given.
        clock: For what heals and routes.
        preset: What is known of the upstream; nothing unless named.
        controls: Whether these run from the start.
        settings: More settings of the provider.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(upstream)
        healing = HealingSite(upstream, clock or SystemClock(), preset)

        def wire(database: Database, catalog: Catalog) -> Router:
            return healing.wire(database, catalog, upstream.rules if models is None else models, **settings)

        whole = Settings(server=Server(data_dir=folder))
        stack.push_async_callback(healing.close)
        healing.site = await stack.enter_async_context(site(folder, whole, wire))
        stack.push_async_callback(healing.stop)
        if controls:
            healing.start_controls()
        yield healing
