"""Keeps engines, router and catalog in step with the providers while the server runs."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import lru_cache
from typing import Protocol, TypeAlias, runtime_checkable

import msgspec
import structlog

from rixin.clock import jitter
from rixin.core.cards import ModelCard
from rixin.engines.base import Engine, ListedModel, Lists, Load, Reports
from rixin.errors import RixinError
from rixin.profiles.profile import Profile, layered
from rixin.routing.catalog import Catalog, Preference
from rixin.routing.gate import Gate
from rixin.routing.known_provider import KnownProvider
from rixin.routing.learned import LearnedRules
from rixin.routing.providers import ProviderBook
from rixin.routing.router import Router
from rixin.settings import LOCAL, Provider, RouteTarget, Settings

DISCOVERY_DEADLINE = 10.0
"""Seconds that a provider may take to list its models."""
REDISCOVERY = 300.0
"""Seconds between two looks at what a provider lists."""
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
"""Seconds between looks at a provider that has not told its models yet; the pause doubles from the first to this."""

log = structlog.get_logger("rixin.worker")


class Upstream(Engine, Lists, Protocol):
    """The engine of a provider."""


@runtime_checkable
class Retires(Protocol):
    """An engine that can be closed while it answers."""

    async def retire(self) -> None:
        """Gives back what it holds as soon as no request is under way."""
        ...


Connect: TypeAlias = Callable[[Provider, Callable[[str], Profile]], Upstream]
"""Makes the engine of a provider, given what it accepts by its own name for a model."""


class _Served:
    """A provider that is served now."""

    def __init__(self, entry: KnownProvider, engine: Upstream) -> None:
        self.entry = entry
        self.engine = engine
        self.looked = asyncio.Event()
        """Its models are known, or known to be out of reach."""
        self.discovery: asyncio.Task[None] | None = None

    def stop_looking(self) -> None:
        if self.discovery is not None:
            self.discovery.cancel()
        self.looked.set()


class Upstreams:
    """The providers' engines. `follow` brings all in step with the book.

    Args:
        book: Says which providers there are.
        connect: Makes engines.
        cards: What is documented of models, by name.
        catalog: Told of their models.
        local: The engines of this machine.
        learned: What was learned of their models.
        keep_secret: Told of what no log may show.
    """

    def __init__(
        self,
        book: ProviderBook,
        *,
        connect: Connect,
        cards: Mapping[str, ModelCard],
        catalog: Catalog,
        local: Mapping[str, Engine],
        learned: LearnedRules,
        keep_secret: Callable[..., None] = lambda *_: None,
    ) -> None:
        self._book = book
        self._connect = connect
        self._cards = cards
        self._catalog = catalog
        self._local = local
        self._learned = learned
        self._keep_secret = keep_secret
        self._tasks: set[asyncio.Task[None]] = set()
        self._served: dict[str, _Served] = {}
        self._router: Router | None = None
        self.failures: dict[str, str] = {}
        """Why no engine could be made, by the provider's name."""
        self.aliases: Mapping[str, str] = {}
        """Those of the settings."""
        self.routes: Mapping[str, tuple[RouteTarget, ...]] = {}
        """Those of the settings."""

    @property
    def engines(self) -> dict[str, Engine]:
        """All engines, those of this machine included."""
        return {**{name: served.engine for name, served in self._served.items()}, **self._local}

    @property
    def providers(self) -> list[Provider]:
        """The settings of the providers that are served."""
        return [served.entry.provider for served in self._served.values()]

    async def load_of(self, model: str) -> Load | None:
        """How busy a local model is; None where that is not known."""
        engine = self._local.get(f"{LOCAL}/{model}")
        try:
            return await engine.load() if isinstance(engine, Reports) else None
        except RixinError:
            return None  # it has gone since it was looked at

    async def looked(self) -> None:
        """Waits until every provider has been asked for its models once."""
        for served in list(self._served.values()):
            await served.looked.wait()

    @property
    def problems(self) -> list[str]:
        """Which providers are not served, and why."""
        found = {entry.name: entry.problem for entry in self._book.all if entry.problem is not None} | self.failures
        return [f"provider {name}: {problem}" for name, problem in found.items()]

    def profile(self, provider: str, model: str, without: str | None = None) -> Profile:
        """What a provider accepts for a model; `without` names a learned rule that is to be left out."""
        learned = self._learned.layers(provider, model, without=without)
        served = self._served.get(provider)
        if served is None:
            return layered(layer.profile for layer in learned)
        return served.entry.profile_for(model, self._cards.get(model), learned)

    def gate_of(self, name: str) -> Gate | None:
        """The way to an engine."""
        return None if self._router is None else self._router.gates.get(name)

    def preset_of(self, provider: str) -> str:
        """The name of a provider's preset; empty where there is no such provider."""
        served = self._served.get(provider)
        return "" if served is None else served.entry.preset.name

    def configure(self, aliases: Mapping[str, str], routes: Mapping[str, tuple[RouteTarget, ...]]) -> None:
        """Takes names that do not belong to a provider. `follow` makes them count."""
        self.aliases, self.routes = aliases, routes

    def reconfigure(self, settings: Settings) -> None:
        """Takes what the configuration file says by now.

        Raises:
            RixinError: `CONFIGURATION`, naming what cannot be served; all stays as it was.
        """
        self._book.check(settings.providers)
        self.configure(settings.aliases, settings.routes)
        self._book.configure(settings.providers)
        self.follow()

    def attach(self, router: Router) -> None:
        """Takes the router that sends requests to the engines, and knows of those that are there now."""
        self._router = router

    def follow(self) -> None:
        """Makes engines of new and changed providers, and retires those of the ones that are gone."""
        before, self._served, self.failures = self._served, {}, {}
        for entry in self._book.served:
            served = before.get(entry.name)
            if served is None or not _same(served.entry, entry):
                served = self._serve(entry)
            if served is not None:
                self._served[entry.name] = served
        self._catalog.configure(
            self.aliases,
            self._served,
            routes=self._all_routes(),
            preferences={
                provider.name: Preference(priority=provider.priority, weight=provider.weight)
                for provider in self.providers
            },
        )
        if self._router is not None:
            self._router.serve(self.engines, self.providers)
        for name, served in self._served.items():
            if before.get(name) is not served:
                self._look(served)
        for name, served in before.items():
            if self._served.get(name) is not served:
                served.stop_looking()
                engine = served.engine
                self._spawn(engine.retire() if isinstance(engine, Retires) else engine.aclose())

    async def aclose(self) -> None:
        """Closes all engines of providers."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for served in self._served.values():
            await served.engine.aclose()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _all_routes(self) -> dict[str, tuple[RouteTarget, ...]]:
        """The configured routes, then the names that providers give their models.

        Those that several of them give answer together.
        """
        routes = dict(self.routes)
        for provider in self.providers:
            for alias, model in provider.aliases.items():
                if alias not in self.routes:
                    target = RouteTarget(model=f"{provider.name}/{model}")
                    routes[alias] = (*routes.get(alias, ()), target)
        return routes

    def _serve(self, entry: KnownProvider) -> _Served | None:
        @lru_cache(maxsize=1024)
        def profile_at(model: str, _revision: int) -> Profile:
            return entry.profile_for(model, self._cards.get(model), self._learned.layers(entry.name, model))

        def profile_for(model: str) -> Profile:
            return profile_at(model, self._learned.revision)

        self._keep_secret(*entry.provider.secrets)
        try:
            return _Served(entry, self._connect(entry.provider, profile_for))
        except RixinError as error:
            log.error("a provider cannot be served", provider=entry.name, reason=error.message)
            self.failures[entry.name] = error.message
            return None

    def _look(self, served: _Served) -> None:
        names = served.entry.provider.models
        if names:
            self._learn(served.entry, [ListedModel(name=name) for name in names])
            served.looked.set()
        served.discovery = self._spawn(self._discover(served))

    async def _discover(self, served: _Served) -> None:
        """Keeps what the catalog knows of a provider's models up to date."""
        entry, pause, known = served.entry, _FIRST_PAUSE, False
        while True:
            try:
                async with asyncio.timeout(DISCOVERY_DEADLINE):
                    listed = {model.name: model for model in await served.engine.models()}
                names = entry.provider.models
                self._learn(entry, [listed.get(name, ListedModel(name=name)) for name in names] or listed.values())
                known = True
            except (RixinError, TimeoutError) as error:
                reason = str(error) or "no answer in time"
                log.warning("a provider's models are not known", provider=entry.name, reason=reason)
            served.looked.set()
            await asyncio.sleep(REDISCOVERY if known else jitter(pause))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _learn(self, entry: KnownProvider, models: Iterable[ListedModel]) -> None:
        self._catalog.set_provider_models(entry.name, [_completed(entry, model) for model in models])


def _same(one: KnownProvider, other: KnownProvider) -> bool:
    """Whether requests are sent alike, wherever the settings come from."""
    return one.provider == other.provider and one.preset == other.preset


def _completed(entry: KnownProvider, model: ListedModel) -> ListedModel:
    """What a provider lists of a model; its settings know better, and its preset knows what it does not list."""
    override, known = entry.override_of(model.name), entry.preset.facts_of(model.name)
    return msgspec.structs.replace(
        model,
        context_length=override.context_length or model.context_length or known.context_length,
        max_output_length=override.max_output_length or model.max_output_length or known.max_output_length,
        input_modalities=override.input_modalities or model.input_modalities or known.input_modalities,
    )
