"""Limits, and the stores that count them: a PostgreSQL or a Redis that is away lets nobody pass who must be counted."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.hang import HANG
from tests.support.outages import House, open_house
from tests.support.redis import RedisServer

pytestmark = pytest.mark.timeout(400)

AMOUNT = 30
PLAN = f"""
[plans.few]
limits = [{{ unit = "requests", amount = {AMOUNT}, window = 18000 }}]
"""
OPEN = f"""
[server]
auth = "off"

[[limits]]
unit = "requests"
amount = {AMOUNT}
window = 18000
"""


async def until_refused(house: House, key: str | None = None) -> tuple[int, str | None]:
    """Asks until a request is refused. Tells how many were answered, and when to come back."""
    answered = 0
    async with asyncio.timeout(HANG):
        while (asked := await house.ask(key))[0] == 200:
            answered += 1
    status, retry_after, body = asked
    assert status == 503, body
    assert "cannot use its database" in body["error"]["message"]
    return answered, retry_after


async def test_r2_a_plan_is_kept_while_its_store_comes_and_goes(tmp_path: Path) -> None:
    """Requests are refused with 503 and `retry-after` while it is away, and no restart is needed when it is back.

    All that were answered, before, between and after, are what the plan allows: not one more, and not one less.
    """
    async with open_house(tmp_path, PLAN) as house:
        key, answered = await house.key("few"), 0
        for _ in range(2):
            for _ in range(3):
                assert (await house.ask(key))[0] == 200
                answered += 1
            await asyncio.to_thread(house.store.kill)
            more, retry_after = await until_refused(house, key)
            answered += more
            assert retry_after == "1"
            await asyncio.to_thread(house.store.start)
            async with asyncio.timeout(HANG):
                while (asked := await house.ask(key))[0] == 503:
                    pass
            assert asked[0] == 200
            answered += 1
        while (asked := await house.ask(key))[0] == 200:
            answered += 1
        assert asked[0] == 429
        assert answered == AMOUNT
        assert house.server.process.poll() is None


async def test_r2_limits_close_the_door_by_themselves(tmp_path: Path) -> None:
    """Where nobody needs a key, and nothing but the count of requests asks the store."""
    async with open_house(tmp_path, OPEN) as house:
        assert (await house.ask())[0] == 200
        await asyncio.to_thread(house.store.kill)
        answered, retry_after = await until_refused(house)
        assert 1 + answered < AMOUNT
        assert retry_after == "1"
        await asyncio.to_thread(house.store.start)
        await house.until_answered()


@pytest.fixture
async def counted_by_redis(tmp_path: Path, redis: RedisServer) -> AsyncGenerator[House]:
    """Stores in a PostgreSQL, and counts in a Redis."""
    redis.forget()
    async with open_house(tmp_path, f'[server]\nredis_url = "{redis.url}"\n{PLAN}') as house:
        yield house


async def test_readiness_names_the_store_that_is_away(counted_by_redis: House, redis: RedisServer) -> None:
    """503 while either is, 200 as soon as both are back; the process is alive all the time."""
    house = counted_by_redis
    assert (await house.readiness())[0] == 200
    redis.stop()
    assert "its redis at" in await house.until_readiness(503)
    await asyncio.to_thread(house.store.kill)
    async with asyncio.timeout(HANG):
        while "its database and its redis at" not in await house.until_readiness(503):
            pass
    assert await house.status("/health") == 200
    redis.start()
    async with asyncio.timeout(HANG):
        while "its database at" not in await house.until_readiness(503):
            pass
    await asyncio.to_thread(house.store.start)
    await house.until_readiness(200)
    assert house.server.process.poll() is None


async def test_r2_a_silent_redis_is_as_good_as_a_dead_one(counted_by_redis: House, redis: RedisServer) -> None:
    """Who is limited is refused after a while instead of hanging, and served again when it speaks; others go on."""
    house = counted_by_redis
    key = await house.key("few")
    assert (await house.ask(key))[0] == 200
    redis.pause()
    try:
        async with asyncio.timeout(HANG):
            while (asked := await house.ask(key))[0] == 200:
                pass
        assert asked[:2] == (503, "1")
        assert (await house.ask())[0] == 200
    finally:
        redis.resume()
    async with asyncio.timeout(HANG):
        while (asked := await house.ask(key))[0] == 503:
            pass
    assert asked[0] == 200
