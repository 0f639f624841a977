"""The web application with its admin API over real stores and a real fleet, served by the real HTTP server."""

import asyncio
import io
import json
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

import rixin.profiles
from rixin.accounts.file_links import FileLinks
from rixin.accounts.file_register import FileRegister
from rixin.accounts.keys import KeyRing
from rixin.accounts.ledger import Ledger
from rixin.accounts.logins import Logins
from rixin.accounts.people import People
from rixin.accounts.request_log import RequestLog
from rixin.accounts.root_secret import RootSecret
from rixin.cli.endpoints import spoken
from rixin.cli.people import counted_by, open_oidc
from rixin.cli.provider_book import provider_table
from rixin.cli.provider_rules import DIALECTS, provider_rules
from rixin.cli.stores import file_book
from rixin.cli.worker import http_server
from rixin.clock import SystemClock
from rixin.core.cards import ModelCard
from rixin.core.redaction import Redactor
from rixin.core.requests import TextKind
from rixin.engines.base import Load
from rixin.engines.control import ControlClient, ControlServer
from rixin.errors import Kind, RixinError
from rixin.knowledge.search import Searcher
from rixin.limits.plans import Plans
from rixin.limits.process import ProcessLimiter
from rixin.profiles.cards import load_models
from rixin.profiles.error_rules import load_error_rules
from rixin.profiles.plans import load_plans
from rixin.profiles.sampling_presets import load_sampling_presets
from rixin.routing.catalog import Candidate, Resolution
from rixin.routing.gate import Gate
from rixin.routing.learned import LearnedRules
from rixin.routing.providers import ProviderBook
from rixin.service.configuration import Configuration
from rixin.service.doctor.examiner import Examiner
from rixin.service.installation import Installation
from rixin.service.knowledge import KnowledgeService
from rixin.service.knowledge_register import KnowledgeRegister
from rixin.settings import Files, Oidc, Plan, PlanLimit, Provider, RouteTarget, Server, Settings
from rixin.store.database import Database
from rixin.store.knowledge import KnowledgeTable
from rixin.store.owned_bases import OwnedBases
from rixin.store.owned_files import OwnedFiles
from rixin.store.passages import PassageTable
from rixin.web.admin.app import AdminApp, make_app
from rixin.web.admin.services import AdminServices
from rixin.web.app import App
from rixin.web.authenticator import Authenticator
from rixin.web.lazy import Lazy
from rixin.web.routes import RouteTable
from tests.engines.yard import Yard
from tests.support.databases import Place, served_place

PROFILES = Path(rixin.profiles.__file__).parent
ERROR_RULES = load_error_rules((PROFILES / "error_rules.toml").read_bytes())
PUBLISHED = (PROFILES / "plans.toml").read_bytes()
CONFIGURED = {"small": Plan(limits=(PlanLimit(unit="requests", amount=60, window=60.0),))}


class NoEmbedder:
    """An embedding model that is not there; what is asked for by words needs none."""

    model = "none"

    async def __call__(self, texts: Sequence[str], kind: TextKind) -> Sequence[bytes]:
        """Has no vectors."""
        raise RixinError(Kind.OVERLOADED, f"There is no model for {len(texts)} texts of the kind {kind}.")


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class AdminSite:
    """A running server and keys for it."""

    port: int
    admin: AdminApp
    services: AdminServices
    secret: RootSecret
    control: ControlClient
    admin_key: str
    client: aiohttp.ClientSession
    cards: list[ModelCard]
    obstacles: list[RixinError]
    problems: list[str]
    gates: dict[str, Gate]

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """A request with the admin's key, or with the `authorization` that is given; an empty one sends none."""
        sent = {"authorization": f"Bearer {self.admin_key}"} | {
            name.replace("_", "-"): v for name, v in headers.items()
        }
        sent = {name: value for name, value in sent.items() if value}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("content-type", "application/json")
        url = f"http://127.0.0.1:{self.port}/admin/v1{path}"
        content = None if data is None else io.BytesIO(data)
        async with self.client.request(method, url, data=content, headers=sent, allow_redirects=False) as response:
            text = await response.read()
            # Of several headers of one name the first counts.
            lower = {name.lower(): value for name, value in reversed(list(response.headers.items()))}
            return Answer(
                response.status, lower, json.loads(text) if text and "json" in lower["content-type"] else text or None
            )

    async def send(self, head: str, body: str = "") -> Answer:
        """A request as it is written here, for what no HTTP client would send."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(head.replace("\n", "\r\n").encode("latin-1") + b"connection: close\r\n\r\n" + body.encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        top, _, text = answer.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        return Answer(int(lines[0].split()[1]), headers, text)


@asynccontextmanager
async def admin_site(
    folder: Path, settings: Server, oidc: Oidc | None = None, place: Place | None = None
) -> AsyncGenerator[AdminSite, None]:
    """Serves the admin API on a port of the system's choice.

    Args:
        folder: Of the test.
        settings: Of the server.
        oidc: A provider of identities.
        place: Of a migrated database; one is made in the folder unless it is given.
    """
    clock = SystemClock()
    database = Database(place or served_place(folder))
    await database.migrate()
    secret = RootSecret(bytes(range(32)))
    keys, ledger = KeyRing(database, secret, clock), Ledger(database)
    requests = RequestLog(database, ledger, secret, Redactor(), settings, clock)
    made = await keys.create("admin", scopes=("admin", "inference", "metrics"))
    yard = Yard(folder)
    fleet = yard.fleet(yard.model("a"), yard.model("b"))
    control_server = ControlServer(folder / "c", fleet.handlers(), greet=fleet.greeting, on_leave=fleet.leave)
    await control_server.start()
    control = ControlClient(folder / "c")
    cards: list[ModelCard] = [ModelCard(name="m", target="m"), ModelCard(name="alias", target="m")]
    obstacles: list[RixinError] = []
    problems: list[str] = []
    gates: dict[str, Gate] = {}
    book = ProviderBook(
        (Provider(name="filed", base_url="https://filed.example.com/v1", api_keys=("sk-of-the-file-9999",)),),
        provider_table(database, secret),
        provider_rules({"SENSENOVA_API_KEY": "sk-in-the-environment-7777"}),
        clock,
    )

    async def load_of(model: str) -> Load:
        return Load(running=2, waiting=len(model), slots=4, reading=[0.25])

    logins = Logins(database, secret, clock)
    limiter = ProcessLimiter(clock)
    people = People.open(database, secret, logins, counted_by(limiter), clock)
    whole = Settings(server=settings, oidc=oidc or Oidc())
    files, links = file_book(whole, database, clock), FileLinks(secret, None, clock)
    tables = KnowledgeTable(database)
    bases = KnowledgeService(tables, files, lambda: None, clock)

    async def no_file() -> str | None:
        raise RixinError(Kind.CONFLICT, "There is no file.")

    services = AdminServices(
        keys=keys,
        people=people,
        authenticator=Authenticator(keys, logins, settings),
        oidc=open_oidc(whole, people, database, secret, clock),
        dialects=frozenset(DIALECTS),
        ledger=ledger,
        requests=requests,
        plans=Plans(CONFIGURED, load_plans(PUBLISHED)),
        presets=load_sampling_presets((PROFILES / "sampling_presets.toml").read_bytes()),
        resolutions=lambda: [Resolution(card=card, candidates=(Candidate(engine="up", model="m"),)) for card in cards],
        aliases=lambda: {"claude-*": "m"},
        routes=lambda: {"best": (RouteTarget(model="up/m", priority=1), RouteTarget(model="filed/m"))},
        limiter=limiter,
        engines=control,
        load_of=load_of,
        providers=book,
        gate_of=gates.get,
        documented=load_models((PROFILES / "models.toml").read_bytes()).cards,
        problems=lambda: list(problems),
        learned=LearnedRules(database, lambda _provider: "https://p/v1", clock),
        examiner=Examiner(book, gates.get, {}, ERROR_RULES, clock),
        files=FileRegister(OwnedFiles(database), files, links, Files(), clock),
        knowledge=KnowledgeRegister(
            OwnedBases(database), bases, Searcher(tables, PassageTable(database), NoEmbedder())
        ),
        configuration=Configuration(whole, lambda: whole, None, {}, no_file),
        installation=Installation.of(whole, database, None),
        environ={"HOME": str(folder / "home")},
        obstacle=lambda: obstacles[0] if obstacles else None,
        settings=settings,
        clock=clock,
        started_at=clock.now(),
    )
    admin = make_app(services)

    async def made_admin() -> AdminApp:
        return admin

    table = RouteTable([])
    app = App(
        table,
        spoken=spoken,
        keys=keys,
        logins=logins,
        settings=settings,
        clock=clock,
        mounts={"/admin/v1": Lazy(made_admin)},
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = http_server(app, settings)
    await server.start([listener])
    try:
        async with aiohttp.ClientSession() as client:
            yield AdminSite(
                listener.getsockname()[1],
                admin,
                services,
                secret,
                control,
                made.key,
                client,
                cards,
                obstacles,
                problems,
                gates,
            )
    finally:
        await server.aclose(5)
        await control.aclose()
        await control_server.aclose()
        await fleet.aclose()
        await requests.aclose()
        await ledger.aclose()
        await keys.aclose()
        await database.aclose()
