"""A server that stores in a PostgreSQL server of its own, which a test may kill, and start again."""

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from rixin.store.database import Database
from tests.support import postgresql
from tests.support.databases import environment_of
from tests.support.hang import HANG
from tests.support.postgresql import PostgresServer
from tests.support.server import Server, start
from tests.upstreams.scripted import (
    DONE,
    Request,
    ScriptedUpstream,
    Step,
    Wait,
    answer,
    completion,
    completion_events,
    stream,
)


class House:
    """A server, the PostgreSQL that it stores in, and a client."""

    def __init__(
        self, server: Server, store: PostgresServer, client: aiohttp.ClientSession, go_on: asyncio.Event
    ) -> None:
        self.server, self.store, self.client = server, store, client
        self.go_on = go_on
        """Lets streams end that have begun."""

    async def ask(self, key: str | None = None) -> tuple[int, str | None, Any]:
        """Asks for a chat completion: the status, when to come back, and the body."""
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        headers = {"authorization": f"Bearer {key or self.server.key}"}
        url = f"{self.server.url}/v1/chat/completions"
        async with asyncio.timeout(HANG), self.client.post(url, json=body, headers=headers) as response:
            return response.status, response.headers.get("retry-after"), await response.json()

    async def until_answered(self) -> None:
        """Waits until the server answers again."""
        async with asyncio.timeout(HANG):
            while (await self.ask())[0] != 200:  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0.1)

    async def status(self, path: str) -> int:
        """The status of an answer of the admin API."""
        headers = {"authorization": f"Bearer {self.server.key}"}
        async with self.client.get(self.server.url + path, headers=headers) as response:
            return response.status

    async def key(self, plan: str) -> str:
        """A new key with a plan."""
        config = str(self.server.data_dir / "test.toml")
        command = self.server.cli("keys", "create", plan, "--plan", plan, "--json", "--config", config)
        done = await asyncio.to_thread(
            subprocess.run, command, check=True, capture_output=True, text=True, env=self.server.environ, timeout=HANG
        )
        return json.loads(done.stdout)["key"]

    async def readiness(self) -> tuple[int, Any]:
        """What `/readyz` says."""
        async with asyncio.timeout(HANG), self.client.get(f"{self.server.url}/readyz") as response:
            return response.status, await response.json()

    async def until_readiness(self, status: int) -> str:
        """Waits until `/readyz` has a status. Returns what it says."""
        async with asyncio.timeout(HANG):
            while (said := await self.readiness())[0] != status:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)
        return said[1].get("message", "")

    async def requests(self) -> int:
        """How many requests the log of the server shows."""
        headers = {"authorization": f"Bearer {self.server.key}"}
        async with self.client.get(f"{self.server.url}/admin/v1/requests", headers=headers) as response:
            return len((await response.json())["data"])


@asynccontextmanager
async def open_house(folder: Path, settings: str = "") -> AsyncGenerator[House]:
    """With a PostgreSQL server of its own.

    Args:
        folder: Of the test.
        settings: More of them, in TOML.
    """
    async with AsyncExitStack() as stack:
        store = postgresql.PostgresServer(postgresql.server().programs)
        stack.callback(store.remove)
        store.start()
        place = store.create()
        go_on = asyncio.Event()

        def reply(request: Request) -> list[Step]:
            if request.method == "POST" and request.json.get("stream"):
                first, *others = completion_events()
                return stream([first, Wait(go_on), *others, DONE])
            return answer(completion())

        upstream = await stack.enter_async_context(ScriptedUpstream(reply))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        database = Database(place)
        await database.migrate()
        await database.aclose()
        config, env = settings + upstream.provider, environment_of(place)
        server, stop = await asyncio.to_thread(start, folder / "data", config=config, env=env)
        stack.push_async_callback(asyncio.to_thread, stop)
        yield House(server, store, client, go_on)
