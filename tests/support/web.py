"""The whole web application over a scripted engine and a real store, served by the real HTTP server."""

import os
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from rixin.accounts.account import Account
from rixin.accounts.account_files import AccountFiles
from rixin.accounts.file_links import FileLinks
from rixin.accounts.files import FileBook
from rixin.accounts.keys import KeyRing
from rixin.accounts.ledger import Ledger
from rixin.accounts.request_log import RequestLog
from rixin.accounts.root_secret import RootSecret
from rixin.cli.conversations import continuity, session_book, stored_response_book
from rixin.cli.endpoints import WireServices, endpoints, spoken
from rixin.cli.knowledge import document_decoders
from rixin.cli.stores import file_book
from rixin.cli.worker import http_server
from rixin.clock import SystemClock
from rixin.core.redaction import Redactor
from rixin.engines.base import ListedModel
from rixin.engines.process_pipes import without_secrets
from rixin.errors import RixinError
from rixin.limits.base import Limit
from rixin.limits.process import ProcessLimiter
from rixin.moderation.moderator import Moderator
from rixin.profiles.cards import KnownModels
from rixin.profiles.profile import NOTHING
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.service.costs import Costs
from rixin.service.generate import Generator
from rixin.service.media import MediaStep
from rixin.service.models import ModelService
from rixin.service.responses import ResponseService
from rixin.service.serving import Serving
from rixin.service.sessions import SessionService
from rixin.service.store_watch import StoreWatch
from rixin.settings import Settings
from rixin.store.database import Database
from rixin.web.app import App
from rixin.web.routes import RouteTable
from tests.support.databases import served_place
from tests.support.engines import ScriptedEngine

_SMALL = ListedModel(name="small-m", context_length=8192)
"""A model with a small window."""


@dataclass
class Site:
    """A running application."""

    url: str
    app: App
    engine: ScriptedEngine
    keys: KeyRing
    ledger: Ledger
    requests: RequestLog
    files: FileBook
    links: FileLinks
    folder: Path
    key: str
    client: aiohttp.ClientSession
    limits: list[Limit]
    obstacle: list[RixinError]

    def body(self, **fields: Any) -> dict[str, Any]:
        """A small request."""
        return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields}

    def post(self, *, key: str | None = None, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        """Sends a small request with a key."""
        sent = {"authorization": f"Bearer {key or self.key}", **(headers or {})}
        return self.client.post(f"{self.url}/v1/chat/completions", json=self.body(**fields), headers=sent)


@asynccontextmanager
async def site(
    folder: Path, settings: Settings, wire: Callable[[Database, Catalog], Router] | None = None
) -> AsyncGenerator[Site, None]:
    """Serves an application on a port of the system's choice.

    Args:
        folder: Where its database is.
        settings: Of the server.
        wire: Makes the router to other engines than the scripted one, and tells the catalog of their models.
    """
    clock = SystemClock()
    database = Database(served_place(folder))
    await database.migrate()
    secret = RootSecret(bytes(32))
    keys, ledger = KeyRing(database, secret, clock), Ledger(database)
    requests = RequestLog(database, ledger, secret, Redactor(), settings.server, clock)
    created = await keys.create("test", scopes=("inference",), models=(), plan=None, expires_at=None)
    engine = ScriptedEngine("scripted")
    catalog = Catalog(KnownModels(cards={}, aliases=()), {}, ["scripted"])
    catalog.set_provider_models("scripted", [ListedModel(name="m"), ListedModel(name="secret-m"), _SMALL])
    limits: list[Limit] = []
    obstacle: list[RixinError] = []

    def limits_for(_account: object, _request: object) -> tuple[Limit, ...]:
        return tuple(limits)

    files, links = file_book(settings, database, clock), FileLinks(secret, settings.server.public_url, clock)

    def files_of(account: Account) -> AccountFiles:
        return AccountFiles(files, links, account)

    documents = document_decoders(settings.media, without_secrets(os.environ))
    media = MediaStep.open(
        settings.media, without_secrets(os.environ), documents, lambda _provider, _model: NOTHING, files_of
    )
    moderator = Moderator.open(settings.moderation)
    serving = Serving(
        catalog=catalog,
        router=wire(database, catalog)
        if wire
        else Router({"scripted": engine}, limiter=ProcessLimiter(clock), clock=clock),
        limiter=ProcessLimiter(clock),
        limits_for=limits_for,
        costs=Costs(),
        requests=requests,
        clock=clock,
        moderator=moderator,
    )
    generator = Generator(serving, continuity=continuity(secret, clock), media=media)
    kept = session_book(settings, database, secret, clock)
    responses = ResponseService(stored_response_book(settings, database, secret, clock))

    async def settled() -> None:
        """The catalog knows all models."""

    table = RouteTable(
        endpoints(
            WireServices(
                generator=generator,
                models=ModelService(catalog, settled),
                responses=responses,
                sessions=None if kept is None else SessionService(kept, clock),
                files=files,
                links=links,
                obstacle=lambda: obstacle[0] if obstacle else None,
                stores=StoreWatch({"database": database.revision}, clock),
                settings=settings,
                clock=clock,
            )
        )
    )
    app = App(
        table,
        spoken=spoken,
        keys=keys if settings.server.auth == "keys" else None,
        settings=settings.server,
        clock=clock,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = http_server(app, settings.server)
    await server.start([listener])
    try:
        async with aiohttp.ClientSession() as client:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield Site(
                url, app, engine, keys, ledger, requests, files, links, folder, created.key, client, limits, obstacle
            )
    finally:
        await server.aclose(5)
        await media.aclose()
        await documents.aclose()
        if moderator is not None:
            await moderator.aclose()
        await requests.aclose()
        await ledger.aclose()
        await keys.aclose()
        await database.aclose()
