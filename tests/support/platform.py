"""The whole of a web worker as `rixin serve` composes it, in the test's own process: wire routes, admin API, people."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from rixin.accounts import root_secret
from rixin.accounts.key_rules import KeyWish
from rixin.accounts.logins import Logins
from rixin.accounts.people import People
from rixin.accounts.roles import ROLES, Role
from rixin.accounts.user_rules import UserWish
from rixin.cli.compose import Worker, compose
from rixin.cli.people import counted_by
from rixin.cli.worker import http_server
from rixin.clock import SystemClock
from rixin.engines.control import ControlServer
from rixin.limits.process import ProcessLimiter
from rixin.settings import Plan, Provider, Server, Settings
from tests.engines.yard import Yard
from tests.support.databases import Place, url_of
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer, completion

COOKIE = "rixin"
PASSWORD = "a password of nine words, or so"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


@dataclass
class Platform:
    """A running worker with a user of every role."""

    port: int
    worker: Worker
    people: People
    client: aiohttp.ClientSession
    users: dict[Role, str] = field(default_factory=dict[Role, str])

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def person(self, name: str, role: Role = "member") -> str:
        """Makes a user. Gives their id."""
        wish = UserWish(email=f"{name}@example.com", name=name, role=role, password=PASSWORD)
        return (await self.people.users.create(wish)).id

    async def login(self, user_id: str) -> dict[str, str]:
        """Logs a user in. Gives the headers of a program that goes on as them."""
        async with self.worker.database.begin() as connection:
            login = await self.people.logins.begin(connection, user_id, "password")
        return {"cookie": f"{COOKIE}={login.token}", "x-rixin-csrf": "1"}

    async def key(self, **wish: Any) -> dict[str, str]:
        """Makes a key. Gives the headers of who uses it."""
        made = await self.worker.keys.create_api_key(msgspec.convert({"name": "k", **wish}, KeyWish))
        return {"authorization": f"Bearer {made.key}"}

    async def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, json: object = None, data: Any = None
    ) -> Answer:
        """A request as a client sends it."""
        async with self.client.request(
            method, self.url + path, headers=headers, json=json, data=data, allow_redirects=False
        ) as response:
            lower = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, lower, await response.read())

    async def send(self, method: str, target: str, headers: dict[str, str], body: str = "") -> Answer:
        """A request whose target and headers are sent as they are written here."""
        lines = [f"{name}: {value}" for name, value in {"host": "127.0.0.1", **headers}.items()]
        lines += [f"content-length: {len(body)}", "connection: close"]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write("\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", body]).encode("latin-1"))
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        top, _, text = answer.partition(b"\r\n\r\n")
        first, *rest = top.decode("latin-1").split("\r\n")
        named = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
        return Answer(int(first.split()[1]), named, text)


def _reply(request: Request) -> Reply:
    if request.path.endswith("/models"):
        return answer('{"object": "list", "data": [{"id": "m", "object": "model"}]}')
    return answer(completion(model="m"))


@asynccontextmanager
async def platform(
    folder: Path, place: Place | None = None, *, plans: dict[str, Plan] | None = None, **changes: Any
) -> AsyncGenerator[Platform]:
    """Serves a worker over a scripted upstream on a port of the system's choice.

    Args:
        folder: Of the test; the server's data directory.
        place: Of its database, where that is not in the folder.
        plans: What keys, users and teams may be limited by.
        changes: More settings of `[server]`.
    """
    yard = Yard(folder)
    fleet = yard.fleet(yard.model("a"))
    control = ControlServer(folder / "c", fleet.handlers(), greet=fleet.greeting, on_leave=fleet.leave)
    await control.start()
    clock = SystemClock()
    async with ScriptedUpstream(_reply) as upstream:
        server = Server(data_dir=folder, database_url=None if place is None else url_of(place), **changes)
        provider = Provider(name="up", base_url=upstream.url, api_keys=("sk-of-the-upstream",), models=("m",))
        settings = Settings(server=server, providers=(provider,), plans=plans or {})
        async with compose(settings, folder / "c", clock) as worker, aiohttp.ClientSession() as client:
            listener = socket.create_server(("127.0.0.1", 0))
            http = http_server(worker.app, server)
            await http.start([listener])
            secret = root_secret.load(settings)
            logins = Logins(worker.database, secret, clock)
            people = People.open(worker.database, secret, logins, counted_by(ProcessLimiter(clock)), clock)
            running = Platform(listener.getsockname()[1], worker, people, client)
            for role in ROLES:
                running.users[role] = await running.person(role, role)
            try:
                yield running
            finally:
                await http.aclose(5)
    await control.aclose()
    await fleet.aclose()
