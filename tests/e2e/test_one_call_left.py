"""Four processes of a real server, one call of a plan, and a crowd that wants it."""

import asyncio
from collections import Counter
from collections.abc import Callable

import aiohttp
import pytest

from tests.support.hang import HANG
from tests.support.server import Server, await_workers
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer, completion

pytestmark = pytest.mark.timeout(400)

PLAN = """
[plans.one]
limits = [{ unit = "requests", amount = 1, window = 18000 }]
"""
CROWD = 500
PROCESSES = 4
BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def reply(request: Request) -> Reply:
    """An answer to whoever asks for one."""
    return answer(completion("Hello.")) if request.method == "POST" else answer('{"object": "list", "data": []}')


@pytest.fixture(params=["database", "redis"])
def counted_in(request: pytest.FixtureRequest) -> dict[str, str]:
    """What tells a server to count in each of the stores that its processes can share."""
    if request.param == "database":
        return {}
    redis = request.getfixturevalue("redis")
    redis.forget()
    return {"RIXIN_REDIS_URL": redis.url}


async def test_q1_one_call_is_left_and_five_hundred_want_it(
    launch: Callable[..., Server], counted_in: dict[str, str]
) -> None:
    """Exactly one is answered, and the upstream asked once; all others are told when to come back."""
    async with ScriptedUpstream(reply) as upstream:
        arguments = ("--workers", str(PROCESSES))
        server = await asyncio.to_thread(lambda: launch(*arguments, config=upstream.provider + PLAN, env=counted_in))
        await asyncio.to_thread(await_workers, server, PROCESSES)
        connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=3 * HANG)
        async with aiohttp.ClientSession(server.url, connector=connector, timeout=timeout) as client:
            wish, owner = {"name": "crowd", "plan": "one"}, {"authorization": f"Bearer {server.key}"}
            async with client.post("/admin/v1/keys", json=wish, headers=owner) as response:
                assert response.status == 201, await response.text()
                key = (await response.json())["key"]

            async def ask() -> tuple[int, bool]:
                headers = {"authorization": f"Bearer {key}"}
                async with client.post("/v1/chat/completions", json=BODY, headers=headers) as response:
                    await response.read()
                    return response.status, "retry-after" in response.headers

            outcomes = Counter(await asyncio.gather(*(ask() for _ in range(CROWD))))
        assert outcomes == {(200, False): 1, (429, True): CROWD - 1}
        assert len(upstream.posted) == 1
