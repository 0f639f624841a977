"""The composition root of a web worker: builds every room's part and wires them. Nothing else knows how they fit."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from rixin.accounts import first_key, root_secret, setup_token
from rixin.accounts.account import Account
from rixin.accounts.account_files import AccountFiles
from rixin.accounts.file_links import FileLinks
from rixin.accounts.files import FileBook
from rixin.accounts.keys import KeyRing
from rixin.accounts.ledger import Ledger
from rixin.accounts.logins import Logins
from rixin.accounts.request_log import RequestLog, RequestWatch
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.accounts.unlock import unlock
from rixin.cli.config_watch import ConfigWatch
from rixin.cli.drawings import draw_engine
from rixin.cli.endpoints import endpoints, spoken
from rixin.cli.knowledge import Knowledge, document_decoders, open_knowledge
from rixin.cli.lifetime import Lifetime
from rixin.cli.limits import limits_of
from rixin.cli.local_engines import LocalLearner, local_engines, obstacle
from rixin.cli.provider_rules import DIALECTS, provider_rules
from rixin.cli.reference import reference
from rixin.cli.telemetry import Observed, open_telemetry, stores_of
from rixin.cli.upstreams import Upstreams
from rixin.clock import Clock
from rixin.conversations import envelope, sessions, stored_responses
from rixin.conversations.call_memory import CallMemory
from rixin.conversations.envelope import Envelopes
from rixin.conversations.sessions import Sessions
from rixin.conversations.stored_responses import StoredResponses
from rixin.core.prices import PriceList
from rixin.core.redaction import Redactor
from rixin.dialects.openai_chat import DIALECT as OPENAI_CHAT
from rixin.engines.control import ControlClient
from rixin.engines.process_pipes import without_secrets
from rixin.engines.recorder import Recorder
from rixin.engines.remote import Remote
from rixin.engines.replay import Replay
from rixin.errors import Kind, RixinError
from rixin.limits.base import Limiter
from rixin.limits.opening import open_limiter
from rixin.limits.plans import Plans
from rixin.media.worker import Decoders
from rixin.moderation.moderator import Moderator
from rixin.profiles.cards import KnownModels, load_models
from rixin.profiles.error_rules import ErrorRules, load_error_rules
from rixin.profiles.plans import load_plans
from rixin.profiles.profile import Profile
from rixin.routing.catalog import Catalog
from rixin.routing.controls import Controls
from rixin.routing.healing import SelfHealing
from rixin.routing.learned import LearnedRules
from rixin.routing.providers import ProviderBook
from rixin.routing.router import Router
from rixin.routing.shared_rests import SharedRests
from rixin.routing.suspicions import Suspicions
from rixin.service.continuity import Continuity
from rixin.service.costs import Costs
from rixin.service.doctor.examiner import Examiner
from rixin.service.embed import TextEmbedder
from rixin.service.generate import Generator
from rixin.service.media import MediaStep
from rixin.service.models import ModelService
from rixin.service.responses import ResponseService
from rixin.service.sessions import SessionService
from rixin.settings import DRAWER, EMBEDDER, LOCAL, Provider, Settings
from rixin.store.database import Database
from rixin.store.file_bytes import FileBytes
from rixin.store.files import FileTable
from rixin.store.meta import MetaTable
from rixin.store.providers import ProviderTable
from rixin.store.responses import ResponseTable
from rixin.store.rests import RestTable
from rixin.store.sessions import SessionTable
from rixin.web.app import App
from rixin.web.authenticator import Authenticator
from rixin.web.lazy import Lazy
from rixin.web.routes import RouteTable

if TYPE_CHECKING:
    from rixin.web.admin.app import AdminApp

assert OPENAI_CHAT.upstream is not None  # noqa: S101 - a constant of ours
_UPSTREAM = OPENAI_CHAT.upstream
SEALED_KEYS = "provider keys"
"""The purpose of the key that providers' keys are encrypted with."""
_PROFILES = files("rixin.profiles")


class Worker(Struct, frozen=True):
    """What a web worker serves."""

    app: App
    database: Database
    secret: RootSecret
    keys: KeyRing
    providers: ProviderBook
    read_configuration: Callable[[], None]
    """Has the configuration file read at once, where there is one."""


class _Stores(Struct, frozen=True):
    """What is kept, and counted."""

    database: Database
    secret: RootSecret
    known: KnownModels
    prices: PriceList
    keys: KeyRing
    logins: Logins
    ledger: Ledger
    requests: RequestLog
    files: FileBook
    links: FileLinks
    redactor: Redactor
    plans: Plans
    limiter: Limiter


class _Engines(Struct, frozen=True):
    """What answers, and how requests find it."""

    known: KnownModels
    error_rules: ErrorRules
    catalog: Catalog
    control: ControlClient
    book: ProviderBook
    learned: LearnedRules
    upstreams: Upstreams
    router: Router
    watch: ConfigWatch | None


@asynccontextmanager
async def compose(
    settings: Settings, control_socket: Path, clock: Clock, config_file: Path | None = None, *, index: int = 0
) -> AsyncGenerator[Worker, None]:
    """Builds a worker; closes what it built, in turn, at the end.

    Args:
        settings: Of the server.
        control_socket: Where the supervisor listens.
        clock: Time.
        config_file: Where the settings come from; it is looked at for changes, and so are stored providers. None where
            there shall be no providers but those of the settings.
        index: Which one of the server's workers it is.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong.
    """
    async with Lifetime() as life:
        redactor = Redactor()
        telemeter = open_telemetry(settings, (control_socket.parent, index), redactor, os.environ, clock, life)
        stores = await _open_stores(settings, redactor, telemeter.watch, clock, life)
        engines = await _open_engines(settings, control_socket, config_file, stores, clock, life)
        documents = life.hold(document_decoders(settings.media, without_secrets(os.environ)))
        embedder = TextEmbedder(engines.catalog, engines.router, EMBEDDER)
        knowledge = open_knowledge(stores.database, stores.files, embedder, documents, clock, life)
        generator = _generator(settings, stores, engines, knowledge, documents, clock, life)
        stored = stored_response_book(settings, stores.database, stores.secret, clock)
        if stored is not None:
            life.run(stored.run())
        kept = session_book(settings, stores.database, stores.secret, clock)
        if kept is not None:
            life.run(kept.run())

        def obstructed() -> RixinError | None:
            return None if engines.book.served else obstacle(settings, engines.control)

        observed = Observed(
            exchanges=lambda: app.under_way,
            router=engines.router,
            models=engines.control.models,
            load_of=engines.upstreams.load_of,
            ledger=stores.ledger,
            requests=stores.requests,
            stores=stores_of(settings, stores.database, stores.limiter),
        )
        models = ModelService(engines.catalog, engines.upstreams.looked)
        admin = Lazy(partial(asyncio.to_thread, _admin(settings, stores, engines, obstructed, clock)))
        wire = endpoints(
            settings,
            generator,
            models,
            ResponseService(stored),
            None if kept is None else SessionService(kept, clock),
            stores.files,
            stores.links,
            clock,
            obstructed,
            knowledge.service,
        )
        app = App(
            RouteTable([*wire, *telemeter.endpoints(observed), *reference(lambda: app.endpoints, admin)]),
            spoken=spoken,
            keys=stores.keys if settings.server.auth == "keys" else None,
            logins=stores.logins,
            settings=settings.server,
            clock=clock,
            mounts={"/admin/v1": admin},
            metrics=telemeter.metrics,
        )
        if settings.server.workers > 1:
            life.run(telemeter.look_always(observed))
        watch = engines.watch
        yield Worker(
            app,
            stores.database,
            stores.secret,
            stores.keys,
            engines.book,
            (lambda: None) if watch is None else watch.read_now,
        )


async def _open_stores(
    settings: Settings, redactor: Redactor, watch: RequestWatch | None, clock: Clock, life: Lifetime
) -> _Stores:
    database = life.hold(Database.open(settings))
    await database.prepare()
    secret = await unlock(root_secret.load(settings), MetaTable(database))
    keys = life.hold(KeyRing(database, secret, clock))
    logins = Logins(database, secret, clock)
    known = load_models(_PROFILES.joinpath("models.toml").read_bytes())
    prices = PriceList(settings.prices, known.cards, settings.usage.currency)
    ledger = life.hold(Ledger(database, prices, settings.journals_dir))
    requests = life.hold(RequestLog(database, ledger, secret, redactor, settings.server, clock, watch))
    files = file_book(settings, database, clock)
    links = FileLinks(secret, settings.server.public_url, clock)
    plans = Plans(settings.plans, load_plans(_PROFILES.joinpath("plans.toml").read_bytes()), settings.limits)
    limiter = life.hold(open_limiter(settings, database, clock))
    for work in (keys.run(), logins.run(), ledger.run(), requests.run(), requests.sweep_always(), files.run()):
        life.run(work)
    life.run(ledger.recover_always())
    life.run(ledger.sweep_always(settings.usage, clock))
    return _Stores(
        database, secret, known, prices, keys, logins, ledger, requests, files, links, redactor, plans, limiter
    )


async def _open_engines(
    settings: Settings, control_socket: Path, config_file: Path | None, stores: _Stores, clock: Clock, life: Lifetime
) -> _Engines:
    known = stores.known
    error_rules = load_error_rules(_PROFILES.joinpath("error_rules.toml").read_bytes())
    catalog = Catalog(known, settings.aliases, routes=settings.routes, prices=stores.prices)
    learner = LocalLearner(settings, catalog)
    control = life.hold(ControlClient(control_socket, on_notice=learner.hear))
    await control.connect()
    local = local_engines(settings, control, _UPSTREAM)
    local[f"{LOCAL}/{DRAWER}"] = draw_engine(catalog, lambda: router, os.environ)
    for engine in local.values():
        life.hold(engine)
    table = provider_table(stores.database, stores.secret)
    book = ProviderBook(settings.providers, table, provider_rules(os.environ), clock)
    if config_file is not None:
        await book.poll()
    learned = LearnedRules(stores.database, book.address_of, clock)
    await learned.poll()
    upstreams = life.hold(
        Upstreams(
            book,
            connect=_connect,
            cards=known.cards,
            catalog=catalog,
            local=local,
            learned=learned,
            keep_secret=stores.redactor.learn,
        )
    )
    upstreams.configure(settings.aliases, settings.routes)
    upstreams.follow()
    for provider in settings.providers:
        if provider.name in upstreams.failures:
            raise RixinError(Kind.CONFIGURATION, upstreams.failures[provider.name])
    suspicions = Suspicions(learned)
    controls = Controls(upstreams.gate_of, suspicions, learned, upstreams.profile, limiter=stores.limiter, clock=clock)
    router = Router(
        upstreams.engines,
        providers=upstreams.providers,
        limiter=stores.limiter,
        clock=clock,
        heal=SelfHealing(error_rules, suspicions, controls, upstreams.preset_of),
    )
    upstreams.attach(router)
    if settings.server.workers > 1 or settings.server.shares_database:
        life.run(SharedRests(RestTable(stores.database), lambda: router.gates, clock).run())
    book.subscribe(upstreams.follow)
    for work in (learner.run(control), learned.run(), controls.run()):
        life.run(work)
    watch = None
    if config_file is not None:
        watch = ConfigWatch(config_file, settings, os.environ, upstreams.reconfigure)
        life.run(watch.run())
        life.run(book.run())
    return _Engines(known, error_rules, catalog, control, book, learned, upstreams, router, watch)


def _generator(
    settings: Settings,
    stores: _Stores,
    engines: _Engines,
    knowledge: Knowledge,
    documents: Decoders,
    clock: Clock,
    life: Lifetime,
) -> Generator:
    def files_of(account: Account) -> AccountFiles:
        return AccountFiles(stores.files, stores.links, account)

    directory = settings.server.record_dir
    moderator = Moderator.open(settings.moderation)
    if moderator is not None:
        life.hold(moderator)
    build_body = _UPSTREAM.build_body
    return Generator(
        catalog=engines.catalog,
        router=engines.router,
        limiter=stores.limiter,
        limits_for=limits_of(stores.plans),
        costs=Costs(settings.credits, stores.prices.of),
        requests=stores.requests,
        continuity=continuity(stores.secret, clock),
        media=life.hold(
            MediaStep.open(settings.media, without_secrets(os.environ), documents, engines.upstreams.profile, files_of)
        ),
        clock=clock,
        recorder=None if directory is None else life.hold(Recorder(directory, build_body, stores.redactor, clock)),
        moderator=moderator,
        retriever=knowledge.retriever,
    )


def _admin(
    settings: Settings, stores: _Stores, engines: _Engines, obstructed: Callable[[], RixinError | None], clock: Clock
) -> "Callable[[], AdminApp]":
    started_at = clock.now()

    def problems() -> list[str]:
        watched = engines.watch.problems if engines.watch is not None else ()
        return [*watched, *engines.upstreams.problems]

    def admin() -> "AdminApp":
        # FastAPI takes a third of a second, which a server whose admin API nobody asks for is spared.
        from rixin.accounts.people import People  # noqa: PLC0415 - as above
        from rixin.cli.people import counted_by, open_oidc  # noqa: PLC0415 - as above
        from rixin.web.admin.app import make_app  # noqa: PLC0415 - as above
        from rixin.web.admin.services import AdminServices  # noqa: PLC0415 - as above

        examiner = Examiner(engines.book, engines.upstreams.gate_of, engines.known.cards, engines.error_rules, clock)
        people = People.open(stores.database, stores.secret, stores.logins, counted_by(stores.limiter), clock)
        return make_app(
            AdminServices(
                keys=stores.keys,
                people=people,
                authenticator=Authenticator(stores.keys, stores.logins, settings.server),
                oidc=open_oidc(settings, people, stores.database, stores.secret, clock),
                dialects=frozenset(DIALECTS),
                ledger=stores.ledger,
                requests=stores.requests,
                plans=stores.plans,
                models=engines.catalog.cards,
                engines=engines.control,
                load_of=engines.upstreams.load_of,
                providers=engines.book,
                documented=engines.known.cards,
                problems=problems,
                learned=engines.learned,
                examiner=examiner,
                obstacle=obstructed,
                settings=settings.server,
                clock=clock,
                started_at=started_at,
            )
        )

    return admin


def provider_table(database: Database, secret: RootSecret) -> ProviderTable:
    """The stored providers of a database, with what decrypts their keys."""
    return ProviderTable(database, SealedBox(secret, SEALED_KEYS))


def continuity(secret: RootSecret, clock: Clock) -> Continuity:
    """What conversations go on by, with the envelopes of a server's secret."""
    return Continuity(Envelopes(SealedBox(secret, envelope.PURPOSE), clock), CallMemory(clock))


def file_book(settings: Settings, database: Database, clock: Clock) -> FileBook:
    """The files of a server. Raises as `FileBytes.open`."""
    store = FileBytes.open(settings.files.url, settings.files.options, settings.files_dir)
    return FileBook(FileTable(database), store, settings.files, clock)


def stored_response_book(
    settings: Settings, database: Database, secret: RootSecret, clock: Clock
) -> StoredResponses | None:
    """The stored responses of a server; None where it keeps none."""
    if not settings.server.store_responses:
        return None
    return StoredResponses(ResponseTable(database), SealedBox(secret, stored_responses.PURPOSE), clock)


def session_book(settings: Settings, database: Database, secret: RootSecret, clock: Clock) -> Sessions | None:
    """The sessions of a server; None where it keeps none."""
    if not settings.server.store_sessions:
        return None
    return Sessions(SessionTable(database), SealedBox(secret, sessions.PURPOSE), clock)


def _connect(provider: Provider, profile_for: Callable[[str], Profile]) -> Remote | Replay:
    if provider.replay_dir is not None:
        return Replay.open(provider.name, provider.replay_dir, DIALECTS, _UPSTREAM.build_body, also=(LOCAL,))
    return Remote.connect(provider, DIALECTS[provider.dialect], os.environ, profile_for)


async def make_first_key(worker: Worker, settings: Settings, *, shown: bool) -> str | None:
    """The first key of a new server, to be shown to a person or else written to its file; None where there are keys."""
    if settings.server.auth != "keys":
        return None
    file = None if shown else settings.first_key_file
    created = await first_key.ensure(worker.keys, file)
    return created.key if created is not None and shown else None


async def make_setup_token(worker: Worker, settings: Settings, *, shown: bool) -> str | None:
    """What the first owner proves themselves with, as `make_first_key`; None where there are users."""
    if settings.server.auth != "keys":
        return None
    file = None if shown else settings.server.setup_token_file
    token = await setup_token.ensure(worker.database, worker.secret, file)
    return token if shown else None
