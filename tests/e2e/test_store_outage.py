"""A server whose PostgreSQL is killed, and started again: what it still does meanwhile, and that it mends itself."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import URL

from rixin.store.database import Database
from tests.support import postgresql
from tests.support.databases import environment_of
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

pytestmark = pytest.mark.timeout(300)
HANG = 60.0
KNOWN_FOR = 5.0
"""Seconds for which keys count that the store cannot be asked about."""
CONFIG = """
[[providers]]
name = "up"
base_url = "{url}"
api_keys = ["sk-up"]
models = ["m"]
"""


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

    async def requests(self) -> int:
        """How many requests the log of the server shows."""
        headers = {"authorization": f"Bearer {self.server.key}"}
        async with self.client.get(f"{self.server.url}/admin/v1/requests", headers=headers) as response:
            return len((await response.json())["data"])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    """With a PostgreSQL server of its own."""
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
        await _migrate(place)
        config, env = CONFIG.format(url=upstream.url), environment_of(place)
        server, stop = await asyncio.to_thread(start, tmp_path / "data", config=config, env=env)
        stack.push_async_callback(asyncio.to_thread, stop)
        yield House(server, store, client, go_on)


async def test_r2_a_killed_store_closes_the_door_and_opens_it_again(house: House) -> None:
    """Known keys are let in for 5 seconds, then nobody; refusals are 503, say when to come back, and come at once.

    No restart is needed when the store is back, and what was used meanwhile is on record.
    """
    assert (await house.ask())[0] == 200
    await asyncio.to_thread(house.store.kill)
    killed = time.monotonic()
    answered = 1
    while (asked := await house.ask())[0] == 200:
        answered += 1
        assert time.monotonic() - killed < KNOWN_FOR * 3
        await asyncio.sleep(0.2)
    assert answered > 1
    status, retry_after, body = asked
    assert status == 503
    assert retry_after is not None
    assert 1 <= int(retry_after) <= 5
    assert body["error"]["message"]
    for text in ("psycopg", "sqlalchemy", "connection"):
        assert text not in str(body).lower()
    unknown, retry_after, _ = await house.ask("sk-rx-" + "0" * 40)
    assert (unknown, retry_after is not None) == (503, True)
    await asyncio.to_thread(house.store.start)
    await house.until_answered()
    assert (await house.ask("sk-rx-" + "0" * 40))[0] == 401
    async with asyncio.timeout(HANG):
        while await house.requests() <= answered:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)
    assert house.server.process.poll() is None


async def test_r2_an_answer_that_has_begun_goes_on(house: House) -> None:
    """To its end, though nobody new is let in; and it is on record when the store is back."""
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    headers = {"authorization": f"Bearer {house.server.key}", "x-request-id": "req-begun-before"}
    url = f"{house.server.url}/v1/chat/completions"
    async with asyncio.timeout(HANG), house.client.post(url, json=body, headers=headers) as response:
        await response.content.readuntil(b"\n\n")
        await asyncio.to_thread(house.store.kill)
        while (await house.ask())[0] == 200:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.2)
        house.go_on.set()
        assert (await response.read()).endswith(b"data: [DONE]\n\n")
    await asyncio.to_thread(house.store.start)
    await house.until_answered()
    async with asyncio.timeout(HANG):
        while await house.status(f"/admin/v1/requests/{headers['x-request-id']}") != 200:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)


async def test_r2_a_restart_of_the_store_costs_no_request(house: House) -> None:
    """A store that is away for a moment is noticed by nobody who is known, however often."""
    for _ in range(3):
        assert (await house.ask())[0] == 200
        await asyncio.to_thread(house.store.kill)
        await asyncio.to_thread(house.store.start)
        assert (await house.ask())[0] == 200


async def test_r2_a_silent_store_is_as_good_as_a_dead_one(house: House) -> None:
    """Requests are refused after a while instead of hanging, and served again when it speaks."""
    assert (await house.ask())[0] == 200
    await asyncio.to_thread(house.store.pause)
    async with asyncio.timeout(HANG):
        while (await house.ask())[0] != 503:  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.2)
    await asyncio.to_thread(house.store.resume)
    await house.until_answered()


async def _migrate(place: URL) -> None:
    database = Database(place)
    await database.migrate()
    await database.aclose()
