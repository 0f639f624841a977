"""A server that is killed when its store has let a request in, and it has not heard of that yet."""

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.support.hang import HANG
from tests.support.kills import kill_all, restarted
from tests.support.redis import RedisServer
from tests.support.server import Server
from tests.upstreams.scripted import ScriptedUpstream, answer

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes by /proc, which is Linux's"),
]

# Too little of each for a lease, which a killed process keeps.
CONFIG = """
[server]
redis_url = "{redis}"

{provider}

[prices.m]
prompt = 1
completion = 2

[plans.few]
limits = [
  {{ unit = "requests", amount = 5, window = 18000 }},
  {{ unit = "tokens", amount = 9000, window = 18000 }},
  {{ unit = "money", amount = 900000, window = 18000 }},
  {{ unit = "concurrency", amount = 3 }},
]
"""


class Relay:
    """What stands between a server and its Redis: it passes on what they say to each other, until it is told not to.

    Args:
        redis: The Redis.
    """

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self._port = 0
        self.kill: Callable[[], None] | None = None
        """Called when the Redis has let a request in; the server does not hear of that, or of anything after."""
        self.killed = asyncio.Event()

    @property
    def url(self) -> str:
        """Where the server finds it."""
        return f"redis://127.0.0.1:{self._port}/0"

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Serves, as long as the body runs."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._redis.socket)
        said = bytearray()

        async def ask() -> None:
            while data := await reader.read(2**16):
                said.extend(data)
                back.write(data)
            back.close()

        asking = asyncio.create_task(ask())
        while data := await there.read(2**16):
            if self.kill is not None and b'"admitted":' in said and data == b":1\r\n":
                self.kill()
                self.kill = None
                self.killed.set()
                break
            said.clear()
            writer.write(data)
        writer.close()
        await asyncio.gather(asking, return_exceptions=True)


async def test_nothing_is_reserved_for_what_no_journal_knows(launch: Callable[..., Server], redis: RedisServer) -> None:
    """Whoever takes up its journal gives back what the store says of a request that the journal does not tell of."""
    relay = Relay(redis)
    async with ScriptedUpstream(answer("{}")) as upstream, relay.listening(), aiohttp.ClientSession() as session:
        server = launch(config=CONFIG.format(redis=relay.url, provider=upstream.provider))
        config = str(server.data_dir / "test.toml")
        made = await asyncio.to_thread(
            subprocess.run,
            [*server.cli("keys", "create", "few", "--plan", "few", "--json"), "--config", config],
            env=server.environ, capture_output=True, text=True, check=True, timeout=HANG,
        )  # fmt: skip
        key = json.loads(made.stdout)["key"]
        relay.kill = lambda: kill_all(server)
        body = {"model": "m", "messages": [{"role": "user", "content": "Hello?"}]}
        with pytest.raises(aiohttp.ClientError):
            await session.post(
                f"{server.url}/v1/chat/completions",
                json=body,
                headers={"authorization": f"Bearer {key}", "x-request-id": "nobody-knows"},
            )
        async with asyncio.timeout(HANG):
            await relay.killed.wait()
        assert not upstream.posted
        journal = b"".join(path.read_bytes() for path in (server.data_dir / "journal").rglob("*") if path.is_file())
        assert b"nobody-knows" not in journal

        again = await asyncio.to_thread(restarted, server, launch)
        used: dict[str, int] = {}
        try:
            async with asyncio.timeout(HANG):
                while True:
                    async with session.get(f"{again.url}/admin/v1/quotas", headers=again.headers) as response:
                        quotas = (await response.json())["data"]
                    used = {view["unit"]: view["used"] for view in quotas if view["kind"] == "key"}
                    if used == {"requests": 0, "tokens": 0, "money": 0, "concurrency": 0}:
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{used} is counted at rest")
