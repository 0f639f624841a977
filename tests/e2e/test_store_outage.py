"""A server whose PostgreSQL is killed, and started again: what it still does meanwhile, and that it mends itself."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.hang import HANG
from tests.support.outages import House, open_house

pytestmark = pytest.mark.timeout(300)
KNOWN_FOR = 5.0
"""Seconds for which keys count that the store cannot be asked about."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    """With a PostgreSQL server of its own."""
    async with open_house(tmp_path) as house:
        yield house


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
