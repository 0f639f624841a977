"""What the loop waits for, and which waits it tells the client of instead."""

import asyncio

import msgspec
import pytest

from rixin.clock import SystemClock
from rixin.core.observer import QUEUE
from rixin.engines.trace import Trace
from tests.engines.chat import chat
from tests.routing.replies import GOLDEN, QUOTA, error
from tests.routing.upstreams import network
from tests.upstreams.scripted import Reply, Request


async def test_a_short_wait_is_waited_out() -> None:
    """A single key that may come back soon is waited for, with signs of life, and not sent before that."""
    arrivals: list[float] = []

    def reply(_request: Request) -> Reply:
        arrivals.append(asyncio.get_running_loop().time())
        return error(429, "slow down", retry_after=0.4) if len(arrivals) == 1 else GOLDEN

    async with network([reply]) as net:
        asked = await net.ask()
    assert asked.text == "Paris 巴黎"
    assert asked.batches[0].events == []
    assert arrivals[1] - arrivals[0] >= 0.4


async def test_a_wait_is_told_to_who_watches() -> None:
    """Once, from when it began to the call after it; what did not wait has none."""
    replies = [error(429, "slow down", retry_after=0.2), GOLDEN, GOLDEN]
    clock = SystemClock()
    async with network([lambda _request: replies.pop(0)]) as net:
        waited, at_once = Trace(clock, clock.monotonic()), Trace(clock, clock.monotonic())
        for trace in (waited, at_once):
            await net.ask(msgspec.structs.replace(chat(net.resolution.card), observer=trace))
    [phase] = waited.phases
    first, second = waited.attempts
    assert phase.name == QUEUE
    assert first.ended is not None
    assert first.ended <= phase.began < phase.ended <= second.began
    assert phase.ended - phase.began >= 190
    assert at_once.phases == []


LONG_WAITS = [
    (error(429, "slow down", retry_after=100), 100.0),
    (QUOTA, 300.0),
    (error(401, "no such key"), 60.0),
]


@pytest.mark.parametrize(("reply", "wait"), LONG_WAITS, ids=["a rate", "a quota", "a dead key"])
async def test_a_long_wait_is_told(reply: Reply, wait: float) -> None:
    """The client is told at once when to come back; until then nobody is sent to that key."""
    async with network([reply]) as net:
        asked = await net.ask()
        assert asked.error is not None
        assert wait - 1 <= (asked.error.retry_after or 0) <= wait * 1.3
        again = await net.ask()
        assert again.error is not None
        assert again.error.kind is asked.error.kind
        assert wait - 2 <= (again.error.retry_after or 0) <= wait * 1.3
        assert net.calls("a") == 1
