"""The composition root of a web worker: builds every room's part and wires them. Nothing else knows how they fit."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path

import structlog
from msgspec import Struct

from rixin.accounts import first_key, root_secret
from rixin.accounts.account import Account
from rixin.accounts.keys import KeyRing
from rixin.accounts.ledger import Ledger
from rixin.accounts.request_log import RequestLog
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.cli.config_watch import ConfigWatch
from rixin.cli.endpoints import endpoints, spoken
from rixin.cli.local_models import learned, local_cards
from rixin.cli.provider_rules import DIALECTS, provider_rules
from rixin.cli.upstreams import Upstreams
from rixin.clock import Clock
from rixin.conversations import envelope, stored_responses
from rixin.conversations.call_memory import CallMemory
from rixin.conversations.envelope import Envelopes
from rixin.conversations.stored_responses import StoredResponses
from rixin.core.redaction import Redactor
from rixin.core.requests import Generate
from rixin.dialects.openai_chat import DIALECT as OPENAI_CHAT
from rixin.engines.base import Engine
from rixin.engines.control import ControlClient, ModelChanged, Notice
from rixin.engines.llama_cpp import LlamaCpp
from rixin.engines.process import State
from rixin.engines.process_pipes import without_secrets
from rixin.engines.recorder import Recorder
from rixin.engines.remote import Remote
from rixin.engines.replay import Replay
from rixin.errors import Kind, RixinError
from rixin.limits.base import Limit
from rixin.limits.plans import Plans
from rixin.limits.tiered import open_limiter
from rixin.profiles.cards import load_models
from rixin.profiles.error_rules import load_error_rules
from rixin.profiles.plans import load_plans
from rixin.profiles.profile import Profile
from rixin.routing.catalog import Catalog
from rixin.routing.controls import Controls
from rixin.routing.healing import SelfHealing
from rixin.routing.learned import LearnedRules
from rixin.routing.providers import ProviderBook
from rixin.routing.router import Router
from rixin.routing.suspicions import Suspicions
from rixin.service.continuity import Continuity
from rixin.service.doctor.examiner import Examiner
from rixin.service.generate import Generator
from rixin.service.media import MediaStep
from rixin.service.models import ModelService
from rixin.service.responses import ResponseService
from rixin.settings import LOCAL, Provider, Settings
from rixin.store.database import Database
from rixin.store.meta import MetaTable
from rixin.store.providers import ProviderTable
from rixin.store.responses import ResponseTable
from rixin.web.app import App, Mount
from rixin.web.exchange import Asgi
from rixin.web.routes import RouteTable

log = structlog.get_logger("rixin.worker")

assert OPENAI_CHAT.upstream is not None  # noqa: S101 - a constant of ours
_UPSTREAM = OPENAI_CHAT.upstream
SEALED_KEYS = "provider keys"
"""The purpose of the key that providers' keys are encrypted with."""
_DOING = {
    "pulling": "being downloaded",
    State.STARTING: "being loaded",
    State.BACKING_OFF: "being restarted",
    State.STOPPING: "being unloaded",
    State.FAILED: "broken; the log says why",
}
"""A model's states as a sentence tells them."""


class Worker(Struct, frozen=True):
    """What a web worker serves."""

    app: App
    database: Database
    keys: KeyRing
    providers: ProviderBook


@asynccontextmanager
async def compose(
    settings: Settings, control_socket: Path, clock: Clock, config_file: Path | None = None
) -> AsyncGenerator[Worker, None]:
    """Builds a worker; closes what it built, in turn, at the end.

    Args:
        settings: Of the server.
        control_socket: Where the supervisor listens.
        clock: Time.
        config_file: Where the settings come from; it is looked at for changes, and so are stored providers. None where
            there shall be no providers but those of the settings.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong.
    """
    profiles = files("rixin.profiles")
    async with AsyncExitStack() as stack:
        database = Database.open(settings)
        stack.push_async_callback(database.aclose)
        await database.migrate()
        secret = root_secret.load(settings)
        await root_secret.check(secret, MetaTable(database))
        keys = KeyRing(database, secret, clock)
        stack.push_async_callback(keys.aclose)
        ledger = Ledger(database)
        stack.push_async_callback(ledger.aclose)
        redactor = Redactor()
        requests = RequestLog(database, ledger, secret, redactor, settings.server, clock)
        stack.push_async_callback(requests.aclose)
        recorder = _recorder(settings, redactor, clock)
        if recorder is not None:
            stack.push_async_callback(recorder.aclose)
        plans = Plans(settings.plans, load_plans(profiles.joinpath("plans.toml").read_bytes()))
        limiter = open_limiter(settings, database, clock)
        stack.push_async_callback(limiter.aclose)

        known = load_models(profiles.joinpath("models.toml").read_bytes())
        error_rules = load_error_rules(profiles.joinpath("error_rules.toml").read_bytes())
        catalog = Catalog(known, settings.aliases, routes=settings.routes)
        learner = _LocalLearner(settings, catalog)
        control = ControlClient(control_socket, on_notice=learner.hear)
        stack.push_async_callback(control.aclose)
        await control.connect()
        local = _local_engines(settings, control)
        for engine in local.values():
            stack.push_async_callback(engine.aclose)
        book = ProviderBook(settings.providers, provider_table(database, secret), provider_rules(os.environ), clock)
        if config_file is not None:
            await book.poll()
        learned_rules = LearnedRules(database, book.address_of, clock)
        await learned_rules.poll()
        upstreams = Upstreams(
            book,
            connect=_connect,
            cards=known.cards,
            catalog=catalog,
            local=local,
            learned=learned_rules,
            keep_secret=redactor.learn,
        )
        stack.push_async_callback(upstreams.aclose)
        upstreams.configure(settings.aliases, settings.routes)
        upstreams.follow()
        for provider in settings.providers:
            if provider.name in upstreams.failures:
                raise RixinError(Kind.CONFIGURATION, upstreams.failures[provider.name])
        suspicions = Suspicions(learned_rules)
        controls = Controls(
            upstreams.gate_of, suspicions, learned_rules, upstreams.profile, limiter=limiter, clock=clock
        )
        router = Router(
            upstreams.engines,
            providers=upstreams.providers,
            limiter=limiter,
            clock=clock,
            heal=SelfHealing(
                error_rules,
                suspicions,
                controls,
                upstreams.preset_of,
            ),
        )
        upstreams.attach(router)

        book.subscribe(upstreams.follow)
        watch = None if config_file is None else ConfigWatch(config_file, settings, os.environ, upstreams.reconfigure)

        background = _Background(stack)
        background.run(keys.run())
        background.run(ledger.run())
        background.run(requests.run())
        background.run(requests.sweep_always())
        background.run(learner.run(control))
        background.run(learned_rules.run())
        background.run(controls.run())
        if watch is not None:
            background.run(watch.run())
            background.run(book.run())

        def limits_for(account: Account, request: Generate) -> tuple[Limit, ...]:
            return plans.limits_for(account.id, account.plan, request.card.target, asked=request.model)

        stored = stored_response_book(settings, database, secret, clock)
        if stored is not None:
            background.run(stored.run())
        models = ModelService(catalog, upstreams.looked)
        media = MediaStep.open(settings.media, without_secrets(os.environ), upstreams.profile)
        stack.push_async_callback(media.aclose)
        generator = Generator(
            catalog=catalog,
            router=router,
            limiter=limiter,
            limits_for=limits_for,
            requests=requests,
            continuity=continuity(secret, clock),
            media=media,
            clock=clock,
            recorder=recorder,
        )
        started_at = clock.now()

        def obstacle() -> RixinError | None:
            return None if book.served else _obstacle(settings, control)

        def problems() -> list[str]:
            return [*(watch.problems if watch is not None else ()), *upstreams.problems]

        def admin() -> Asgi:
            # FastAPI takes a third of a second, which a server whose admin API nobody asks for is spared.
            from rixin.web.admin.app import make_app  # noqa: PLC0415 - as above
            from rixin.web.admin.services import AdminServices  # noqa: PLC0415 - as above

            return make_app(
                AdminServices(
                    keys=keys,
                    ledger=ledger,
                    requests=requests,
                    plans=plans,
                    models=catalog.cards,
                    engines=control,
                    providers=book,
                    documented=known.cards,
                    problems=problems,
                    learned=learned_rules,
                    examiner=Examiner(book, upstreams.gate_of, known.cards, error_rules, clock),
                    obstacle=obstacle,
                    settings=settings.server,
                    clock=clock,
                    started_at=started_at,
                )
            )

        app = App(
            RouteTable(endpoints(settings, generator, models, ResponseService(stored), clock, obstacle)),
            spoken=spoken,
            keys=keys if settings.server.auth == "keys" else None,
            settings=settings.server,
            clock=clock,
            mounts={"/admin/v1": Mount(admin)},
        )
        yield Worker(app, database, keys, book)


def provider_table(database: Database, secret: RootSecret) -> ProviderTable:
    """The stored providers of a database, with what decrypts their keys."""
    return ProviderTable(database, SealedBox(secret, SEALED_KEYS))


def continuity(secret: RootSecret, clock: Clock) -> Continuity:
    """What conversations go on by, with the envelopes of a server's secret."""
    return Continuity(Envelopes(SealedBox(secret, envelope.PURPOSE), clock), CallMemory(clock))


def stored_response_book(
    settings: Settings, database: Database, secret: RootSecret, clock: Clock
) -> StoredResponses | None:
    """The stored responses of a server; None where it keeps none."""
    if not settings.server.store_responses:
        return None
    return StoredResponses(ResponseTable(database), SealedBox(secret, stored_responses.PURPOSE), clock)


def _recorder(settings: Settings, redactor: Redactor, clock: Clock) -> Recorder | None:
    directory = settings.server.record_dir
    return None if directory is None else Recorder(directory, _UPSTREAM.build_body, redactor, clock)


def _connect(provider: Provider, profile_for: Callable[[str], Profile]) -> Remote | Replay:
    if provider.replay_dir is not None:
        return Replay.open(provider.name, provider.replay_dir, DIALECTS, _UPSTREAM.build_body, also=(LOCAL,))
    return Remote.connect(provider, DIALECTS[provider.dialect], os.environ, profile_for)


def _local_engines(settings: Settings, control: ControlClient) -> dict[str, Engine]:
    names = [model.name for model in settings.models] or [LOCAL]
    return {f"{LOCAL}/{name}": LlamaCpp(name, control, _UPSTREAM, settings.engine) for name in names}


def _obstacle(settings: Settings, control: ControlClient) -> RixinError | None:
    """Why requests cannot be served: only a server with nothing but its embedded model waits for that."""
    if settings.models:
        return None
    status = control.models.get(LOCAL)
    if status is None or status.state in (State.READY, State.STOPPED):
        return None
    progress = "" if status.progress is None else f" ({status.progress:.0%})"
    doing = _DOING.get(status.state, status.state)
    return RixinError(Kind.STARTING, f"The model is {doing}{progress}.", retry_after=status.retry_after or 5)


class _Background:
    """Tasks that live as long as the worker."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    def run(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Starts a task, and ends it before what was built earlier is closed."""
        task = asyncio.create_task(work)

        async def end() -> None:
            task.cancel()
            await asyncio.wait([task])

        self._stack.push_async_callback(end)
        return task


class _LocalLearner:
    """Brings the local models' cards up to date once a model is loaded and its true limits are known."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._cards = {card.name: card for card in local_cards(settings)}
        self._catalog = catalog
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        catalog.set_local_models(self._cards.values())

    def hear(self, notice: Notice) -> None:
        """Takes news of a model."""
        if isinstance(notice, ModelChanged) and notice.status.state == State.READY:
            self._ready.put_nowait(notice.status.model)

    async def run(self, control: ControlClient) -> None:
        """Asks for the limits of every model that became ready."""
        while True:
            name = await self._ready.get()
            try:
                ensured = await control.ensure(name)
            except RixinError:
                continue  # it has gone again; the next news tell more
            self._cards[name] = learned(self._cards[name], ensured)
            self._catalog.set_local_models(self._cards.values())


async def make_first_key(worker: Worker, settings: Settings, *, shown: bool) -> str | None:
    """The first key of a new server, to be shown to a person or else written to its file; None where there are keys."""
    if settings.server.auth != "keys":
        return None
    file = None if shown else settings.first_key_file
    created = await first_key.ensure(worker.keys, file)
    return created.key if created is not None and shown else None
