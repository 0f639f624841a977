"""The page about quotas on real servers: its plan, its command, and a Redis that is killed and started again."""

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rixin.settings import load
from tests.support.hang import HANG
from tests.support.pages import DOCS, blocks, run
from tests.support.redis import RedisServer
from tests.support.server import Server, start
from tests.upstreams.scripted import Request, ScriptedUpstream, Step, answer, completion

pytestmark = pytest.mark.timeout(300)

PAGE = DOCS / "quotas.md"
PLANS, SHARED = blocks(PAGE, "toml")
PROVIDER = """
[[providers]]
name = "up"
base_url = "{url}"
api_keys = ["sk-up"]
models = ["dear-1", "m"]
"""


def reply(_request: Request) -> list[Step]:
    """The provider's answer: a prompt of 5 tokens, and an answer of 2."""
    return answer(completion())


class House:
    """A server with the plans of the page, and a client."""

    def __init__(self, server: Server, client: aiohttp.ClientSession) -> None:
        self.server = server
        self._client = client

    async def key(self, plan: str) -> str:
        """A new key with a plan."""
        config = str(self.server.data_dir / "test.toml")
        command = self.server.cli("keys", "create", "team", "--plan", plan, "--json", "--config", config)
        done = await asyncio.to_thread(
            subprocess.run, command, check=True, capture_output=True, text=True, env=self.server.environ, timeout=HANG
        )
        return json.loads(done.stdout)["key"]

    async def ask(self, key: str, model: str = "m", **fields: Any) -> aiohttp.ClientResponse:
        """The answer to a small request."""
        body = {"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}], **fields}
        url, headers = f"{self.server.url}/v1/chat/completions", {"authorization": f"Bearer {key}"}
        async with asyncio.timeout(HANG), self._client.post(url, json=body, headers=headers) as response:
            await response.read()
            return response


@asynccontextmanager
async def open_house(folder: Path, settings: str, *flags: str) -> AsyncGenerator[House]:
    """A server before a scripted provider."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(ScriptedUpstream(reply))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        config = settings + PROVIDER.format(url=upstream.url)
        server, stop = await asyncio.to_thread(start, folder / "data", *flags, config=config)
        stack.push_async_callback(asyncio.to_thread, stop)
        yield House(server, client)


async def test_the_plan_and_the_command(tmp_path: Path) -> None:
    """Every limit of the page counts as it says, and is told in headers."""
    async with open_house(tmp_path, PLANS) as house:
        key = await house.key("team")
        [console] = blocks(PAGE, "console")
        command, _, shown = console.partition('-[rl]"\n')
        command = command.removeprefix("$ ") + '-[rl]"'
        environ = house.server.shell | {"TEAM_KEY": key}
        printed = (await asyncio.to_thread(run, command, house.server.url, environ)).stdout.replace("\r", "")
        for line in shown.splitlines():
            assert line in printed
        first = await house.ask(key)
        assert first.status == 200
        assert first.headers["x-ratelimit-remaining-credits-5h"] == str(1500 - 10 - 1)
        assert first.headers["x-ratelimit-remaining-requests-1h"] == str(100_000 - 2)
        spent = 5 * 3 + 2 * 15
        money = int(first.headers["x-ratelimit-remaining-money-30d"])
        assert money == 25_000_000 - spent
        left = 128_000 - int(first.headers["x-ratelimit-remaining-tokens"])
        assert 7 < left < 100
        assert (await house.ask(key, "dear-1")).status == 200
        refused = await house.ask(key, "dear-1")
        assert refused.status == 429
        assert 17_900 < int(refused.headers["retry-after"]) <= 18_300
        assert refused.headers["x-ratelimit-remaining-requests-5h"] == "0"
        assert (await house.ask(key)).headers["x-ratelimit-remaining-credits-5h"] == str(1500 - 20 - 2)


async def test_money_reserves_the_worst_case(tmp_path: Path) -> None:
    """A request that may cost more than the budget is refused, however little it would have cost."""
    async with open_house(tmp_path, PLANS.replace("25_000_000", "1_000")) as house:
        key = await house.key("team")
        refused = await house.ask(key, "dear-1", max_tokens=100)
        assert (refused.status, refused.headers.get("retry-after")) == (413, None)
        assert (await house.ask(key, "dear-1", max_tokens=50)).status == 200


async def test_a_redis_that_is_down_closes_the_door_and_opens_it_again(tmp_path: Path, redis: RedisServer) -> None:
    """Limited requests are refused at once, others go on; nothing is forgotten, and no restart is needed."""
    settings = f'[server]\nredis_url = "{redis.url}"\n{PLANS}'
    async with open_house(tmp_path, settings, "--workers", "2") as house:
        key = await house.key("team")
        assert (await house.ask(key)).headers["x-ratelimit-remaining-credits-5h"] == "1499"
        redis.stop()
        async with asyncio.timeout(HANG):
            while (refused := await house.ask(key)).status == 200:
                pass
        assert (refused.status, int(refused.headers["retry-after"])) == (503, 1)
        redis.start()
        async with asyncio.timeout(HANG):
            while (answered := await house.ask(key)).status != 200:
                pass
        assert int(answered.headers["x-ratelimit-remaining-credits-5h"]) < 1499


def test_the_settings(tmp_path: Path) -> None:
    """Each block changes what is set."""
    path = tmp_path / "rixin.toml"
    for text in (PLANS, SHARED):
        path.write_text(text, encoding="utf-8")
        assert load(path, environ={}) != load(environ={})
