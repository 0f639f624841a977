"""The composition root of a web worker: has every part built, and wires them. Nothing else knows how they fit."""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from rixin.accounts.keys import KeyRing
from rixin.accounts.root_secret import RootSecret
from rixin.cli.admin import lazy_admin
from rixin.cli.conversations import open_conversations
from rixin.cli.endpoints import WireServices, endpoints, spoken
from rixin.cli.engines import Engines, open_engines
from rixin.cli.generation import open_generator
from rixin.cli.knowledge import document_decoders, open_knowledge
from rixin.cli.lifetime import Lifetime
from rixin.cli.reference import reference
from rixin.cli.stores import Stores, open_stores
from rixin.cli.telemetry import Observed, open_telemetry
from rixin.clock import Clock
from rixin.core.redaction import Redactor
from rixin.engines.process_pipes import without_secrets
from rixin.routing.providers import ProviderBook
from rixin.service.embed import TextEmbedder
from rixin.service.models import ModelService
from rixin.settings import EMBEDDER, Settings
from rixin.store.database import Database
from rixin.web.app import App
from rixin.web.routes import RouteTable


class Worker(Struct, frozen=True):
    """What a web worker serves."""

    app: App
    database: Database
    secret: RootSecret
    keys: KeyRing
    providers: ProviderBook
    read_configuration: Callable[[], None]
    """Has the configuration file read at once, where there is one."""


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
        stores = await open_stores(settings, redactor, telemeter.watch, clock, life)
        engines = await open_engines(settings, control_socket, config_file, stores, clock, life)
        documents = life.hold(document_decoders(settings.media, without_secrets(os.environ)))
        embedder = TextEmbedder(engines.catalog, engines.router, EMBEDDER)
        knowledge = open_knowledge(stores.database, stores.files, embedder, documents, clock, life)
        generator = open_generator(settings, stores, engines, knowledge.retriever, documents, clock, life)
        conversations = open_conversations(settings, stores, clock, life)
        admin = lazy_admin(settings, stores, engines, knowledge, clock)
        observed = _observed(stores, engines, lambda: app)
        wire = endpoints(
            WireServices(
                generator=generator,
                models=ModelService(engines.catalog, engines.upstreams.looked),
                responses=conversations.responses,
                sessions=conversations.sessions,
                files=stores.files,
                links=stores.links,
                knowledge=knowledge.service,
                obstacle=engines.obstacle,
                stores=stores.watch,
                settings=settings,
                clock=clock,
            )
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
        yield Worker(app, stores.database, stores.secret, stores.keys, engines.book, engines.read_configuration)


def _observed(stores: Stores, engines: Engines, app: Callable[[], App]) -> Observed:
    """What metrics look at; `app` is asked for when they do."""
    return Observed(
        exchanges=lambda: app().under_way,
        router=engines.router,
        models=engines.control.models,
        load_of=engines.upstreams.load_of,
        ledger=stores.ledger,
        requests=stores.requests,
        stores=stores.watch,
    )
