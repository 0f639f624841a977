"""Engines, router and catalog while providers come, change and go."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from importlib.resources import files

import msgspec
import pytest

from rixin.accounts.root_secret import RootSecret
from rixin.cli.provider_book import provider_table
from rixin.cli.provider_rules import DIALECTS, provider_rules
from rixin.cli.upstreams import Upstreams
from rixin.clock import SystemClock
from rixin.core.requests import Generate
from rixin.core.responses import collect
from rixin.engines.remote import Remote
from rixin.errors import Kind, RixinError
from rixin.limits.process import ProcessLimiter
from rixin.profiles.cards import load_models
from rixin.profiles.profile import Profile
from rixin.routing.catalog import Catalog, Resolution
from rixin.routing.learned import LearnedRules
from rixin.routing.providers import ProviderBook
from rixin.routing.router import Router
from rixin.settings import ModelOverride, Provider, RouteTarget
from rixin.store.database import Database
from tests.engines.chat import chat
from tests.support.hang import HANG
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, Wait, answer, completion

CARDS = load_models(files("rixin.profiles").joinpath("models.toml").read_bytes())


@dataclass
class Place:
    """An upstream that lists models and answers with its name."""

    name: str
    models: list[str]
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    """Answers wait while it is not set."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first chat."""

    def __post_init__(self) -> None:
        self.hold.set()

    def __call__(self, request: Request) -> Reply:
        """The reply to a request."""
        if request.path.endswith("/models"):
            return answer(json.dumps({"data": [{"id": name, "context_length": 100} for name in self.models]}))
        self.asked.set()
        return [Wait(self.hold), *answer(completion(self.name))]


class House:
    """What the composition root puts together."""

    def __init__(self, database: Database) -> None:
        clock = SystemClock()
        self.book = ProviderBook((), provider_table(database, RootSecret(bytes(range(32)))), provider_rules({}), clock)
        self.catalog = Catalog(CARDS, {})
        self.learned = LearnedRules(database, self.book.address_of, clock)
        self.closed: list[str] = []
        self.upstreams = Upstreams(
            self.book, connect=self.connect, cards=CARDS.cards, catalog=self.catalog, local={}, learned=self.learned
        )
        self.router = Router(self.upstreams.engines, limiter=ProcessLimiter(clock), clock=clock)
        self.upstreams.attach(self.router)
        self.book.subscribe(self.upstreams.follow)

    def connect(self, provider: Provider, profile_for: Callable[[str], Profile]) -> Remote:
        """The real engine, whose retirement is noticed."""
        house = self

        class Noticed(Remote):
            async def retire(self) -> None:
                house.closed.append(self.name)
                await super().retire()

        if provider.name == "impossible":
            raise RixinError(Kind.CONFIGURATION, "there is no way to it")
        return Noticed.connect(provider, DIALECTS[provider.dialect], {}, profile_for)

    async def ask(self, model: str) -> str | None:
        """What is answered for a model's name."""
        resolution = self.catalog.resolve(model)
        return await self.answered(msgspec.structs.replace(chat(resolution.card), model=model), resolution)

    async def answered(self, request: Generate, resolution: Resolution) -> str | None:
        """What is answered to a request for a name that was resolved."""
        async with asyncio.timeout(HANG), aclosing(self.router.attempt(request, resolution).batches()) as batches:
            return collect([event async for batch in batches for event in batch.events]).choices[0].text


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """A house without providers."""
    house = House(database)
    yield house
    await house.upstreams.aclose()


async def place(stack: AsyncExitStack, name: str, *models: str) -> tuple[ScriptedUpstream, Place]:
    """A running upstream."""
    here = Place(name, list(models))
    return await stack.enter_async_context(ScriptedUpstream(here)), here


def names(house: House) -> set[str]:
    """The models that can be asked for and that a provider has."""
    return {card.name for card in house.catalog.cards() if card.provider not in ("", "local")} - set(CARDS.aliases)


async def test_a_provider_comes_changes_and_goes(house: House) -> None:
    """Its models can be asked for once it is added, at its new address once that has changed, then no more."""
    async with AsyncExitStack() as stack:
        first, _ = await place(stack, "first", "m1", "m2")
        second, _ = await place(stack, "second", "m3")
        await house.book.add(Provider(name="p", base_url=first.url))
        await house.upstreams.looked()
        assert names(house) == {"m1", "m2"}
        assert await house.ask("p/m1") == "first"
        await house.book.replace(Provider(name="p", base_url=second.url))
        await house.upstreams.looked()
        assert names(house) == {"m3"}
        assert await house.ask("m3") == "second"
        await house.book.remove("p")
        assert names(house) == set()
        with pytest.raises(RixinError) as caught:
            house.catalog.resolve("m3")
        assert caught.value.kind is Kind.MODEL_NOT_FOUND
        await asyncio.sleep(0)
        assert house.closed == ["p", "p"]


async def test_a_running_request_ends_as_it_began(house: House) -> None:
    """A provider that is removed or changed in the middle of an answer still gives it."""
    async with AsyncExitStack() as stack:
        upstream, here = await place(stack, "old", "m")
        await house.book.add(Provider(name="p", base_url=upstream.url, models=("m",)))
        await house.upstreams.looked()
        here.hold.clear()
        running = asyncio.create_task(house.ask("m"))
        async with asyncio.timeout(HANG):
            await here.asked.wait()
        await house.book.remove("p")
        await asyncio.sleep(0)
        assert house.closed == ["p"]
        here.hold.set()
        assert await running == "old"


async def test_a_request_that_was_resolved_before_hears_that_nobody_answers(house: House) -> None:
    """A name that was resolved just before its provider went is an error that says to try again, not a crash."""
    async with AsyncExitStack() as stack:
        upstream, _ = await place(stack, "old", "m")
        await house.book.add(Provider(name="p", base_url=upstream.url, models=("m",)))
        resolution = house.catalog.resolve("m")
        await house.book.remove("p")
        with pytest.raises(RixinError) as caught:
            await house.answered(chat(resolution.card), resolution)
        assert caught.value.kind is Kind.OVERLOADED


async def test_what_stays_is_left_alone(house: House) -> None:
    """A provider that does not change keeps its engine, its models and its connections when another one comes."""
    async with AsyncExitStack() as stack:
        first, _ = await place(stack, "first", "m1")
        second, _ = await place(stack, "second", "m2")
        await house.book.add(Provider(name="a", base_url=first.url))
        await house.upstreams.looked()
        assert await house.ask("m1") == "first"
        engine = house.upstreams.engines["a"]
        await house.book.add(Provider(name="b", base_url=second.url))
        assert house.upstreams.engines["a"] is engine
        assert await house.ask("m1") == "first"
        assert first.connections == 1
        assert sum(request.path.endswith("/models") for request in first.requests) == 1


async def test_aliases_of_providers(house: House) -> None:
    """A provider's own names for its models count, those that two give answer together, and the file's routes win."""
    async with AsyncExitStack() as stack:
        first, _ = await place(stack, "first", "m1")
        second, _ = await place(stack, "second", "m2")
        aliases = {"best": "m1", "gpt-9*": "m1", "mine": "m1"}
        await house.book.add(Provider(name="a", base_url=first.url, models=("m1",), aliases=aliases, priority=1))
        await house.book.add(Provider(name="b", base_url=second.url, models=("m2",), aliases={"best": "m2"}))
        house.upstreams.configure({}, {"mine": (RouteTarget(model="b/m2"),)})
        house.upstreams.follow()
        assert [candidate.engine for candidate in house.catalog.resolve("best").candidates] == ["a", "b"]
        assert await house.ask("best") == "second", "its priority is the lower number"
        assert await house.ask("gpt-99") == "first"
        assert await house.ask("mine") == "second"


async def test_overrides_are_in_the_cards(house: House) -> None:
    """What the operator knows better than the upstream's list is what clients are told."""
    async with AsyncExitStack() as stack:
        upstream, _ = await place(stack, "first", "m1", "m2")
        override = ModelOverride(name="m1", context_length=7, input_modalities=("text", "image"))
        await house.book.add(Provider(name="a", base_url=upstream.url, overrides=(override,)))
        await house.upstreams.looked()
        card = house.catalog.resolve("m1").card
        assert (card.context_length, card.input_modalities) == (7, ("text", "image"))
        assert house.catalog.resolve("m2").card.context_length == 100


async def test_a_preset_tells_the_limits_that_the_list_does_not(house: House) -> None:
    """What the upstream itself lists counts more, and what it leaves out is what its provider documents."""
    async with AsyncExitStack() as stack:
        upstream, _ = await place(stack, "first", "deepseek-v4-pro")
        await house.book.add(Provider(name="a", base_url=upstream.url, preset="deepseek"))
        await house.upstreams.looked()
        card = house.catalog.resolve("deepseek-v4-pro").card
        assert (card.context_length, card.max_output_length, card.input_modalities) == (100, 384000, ("text",))


async def test_a_provider_without_a_way_to_it_keeps_nobody_else(house: House) -> None:
    """An engine that cannot be made is a problem by name, and others are served."""
    async with AsyncExitStack() as stack:
        upstream, _ = await place(stack, "first", "m1")
        await house.book.add(Provider(name="impossible", base_url="https://a.example.com", models=("x",)))
        await house.book.add(Provider(name="a", base_url=upstream.url, models=("m1",)))
        assert house.upstreams.problems == ["provider impossible: there is no way to it"]
        assert await house.ask("m1") == "first"


async def test_a_provider_that_lists_nothing_serves_what_it_is_said_to(house: House) -> None:
    """An upstream without a list of models is asked for those that its settings name."""
    async with ScriptedUpstream(lambda request: answer("no", status=404)) as upstream:
        await house.book.add(Provider(name="a", base_url=upstream.url, models=("m1",)))
        await house.upstreams.looked()
        assert house.catalog.resolve("m1").card.provider == "a"
