"""The way into a provider: what its limits admit, and who stands in its line."""

import asyncio

import msgspec
import pytest

from rixin.dialects.openai_chat import DIALECT
from rixin.engines.remote import Remote
from rixin.errors import Kind
from rixin.limits.base import Cost
from rixin.limits.process import ProcessLimiter
from rixin.routing.gate import Ask, Gate
from rixin.routing.lease import Lease
from rixin.routing.queue import UnavailableError
from rixin.settings import PlanLimit, Provider
from tests.engines.chat import chat, streaming
from tests.limits.manual_clock import MICROSECONDS, ManualClock
from tests.routing.replies import BEGUN, GOLDEN
from tests.routing.upstreams import Asked, network
from tests.support.hang import HANG
from tests.upstreams.scripted import Reply, Request, Stall, stream


@pytest.mark.parametrize("begun", [True, False])
async def test_the_upstream_sees_its_client_leave(begun: bool) -> None:
    """Closing the answer closes the connection, whether it had begun or not, and gives the lease back."""
    reply = stream(BEGUN, end=Stall()) if begun else [Stall()]
    limits = [{"unit": "concurrency", "amount": 1}]
    async with network([reply], limits=limits, first_byte_timeout=60.0, idle_timeout=60.0) as net:
        task = asyncio.create_task(net.ask(streaming(net.resolution.card)))
        await asyncio.wait_for(net["a"].asked.wait(), HANG)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(net["a"].left.wait(), HANG)
        assert (await net.router.gates["a"].enter(Ask(model="m", cost=Cost(), asker=""))).standings[0].remaining == 0


async def in_line(gate: Gate, count: int) -> None:
    """Waits until so many requests stand in a gate's line."""
    async with asyncio.timeout(HANG):
        while gate.waiting < count:  # noqa: ASYNC110 - a line tells nobody that it grows
            await asyncio.sleep(0)


async def test_who_waits_can_leave() -> None:
    """A client that leaves the line keeps nobody from being served."""
    async with network([GOLDEN], limits=[{"unit": "concurrency", "amount": 1}]) as net:
        gate = net.router.gates["a"]
        lease = await gate.enter(Ask(model="m", cost=Cost(), asker=""))
        leaving = [asyncio.create_task(net.ask()) for _ in range(3)]
        staying = asyncio.create_task(net.ask())
        await in_line(gate, 4)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        await lease.complete(Cost(tokens=1))
        assert (await staying).text == "Paris 巴黎"
        assert gate.waiting == 0


async def test_what_a_provider_admits_is_not_exceeded() -> None:
    """Calls beyond its limits wait until they fit; those that answer tell what remains."""
    limits = [{"unit": "requests", "amount": 2, "window": 1.0}]
    arrivals: list[float] = []

    def reply(_request: Request) -> Reply:
        arrivals.append(asyncio.get_running_loop().time())
        return GOLDEN

    async with network([reply], limits=limits) as net:
        answers = await asyncio.gather(*(net.ask() for _ in range(5)))
    assert all(asked.text == "Paris 巴黎" for asked in answers)
    # What counts is when they left; on a busy machine the first ones may take a while to arrive.
    assert all(later - earlier >= 0.7 for earlier, later in zip(arrivals, arrivals[2:], strict=False))
    assert {asked.attempt.standings[0].remaining for asked in answers} == {0, 1}


async def test_limits_of_minutes_hours_and_days_hold_together() -> None:
    """Calls and tokens a minute, calls in five hours and in seven days, and calls at once: the one that is reached
    says when it is over."""
    clock = ManualClock()
    week, hours = 7 * 86400.0, 5 * 3600.0
    limits = (
        PlanLimit(unit="concurrency", amount=2),
        PlanLimit(unit="requests", amount=3, window=60),
        PlanLimit(unit="tokens", amount=1000, window=60),
        PlanLimit(unit="requests", amount=5, window=hours),
        PlanLimit(unit="requests", amount=6, window=week),
    )
    provider = Provider(name="up", base_url="http://127.0.0.1:9/v1", limits=limits)
    engine = Remote.connect(provider, DIALECT, {})
    gate = Gate(engine, provider, limiter=ProcessLimiter(clock), clock=clock)

    async def call(tokens: int = 10) -> Lease:
        return await gate.enter(Ask(model="m", cost=Cost(tokens=tokens), asker=""))

    async def refused(tokens: int = 10) -> float:
        with pytest.raises(UnavailableError) as caught:
            await call(tokens)
        return caught.value.at - clock.monotonic()

    first, second = await call(), await call()
    await refused()  # two at once
    for lease in (first, second):
        await lease.complete(Cost(tokens=300))
    assert 59 < await refused(500) <= 61  # 600 tokens of the minute are gone
    await (await call()).complete(Cost(tokens=10))
    assert 59 < await refused() <= 61  # three calls of the minute
    clock.advance(62 * MICROSECONDS)
    for _ in range(2):
        await (await call()).complete(Cost(tokens=10))
    assert 0.95 * hours < await refused() < 1.05 * hours  # five of five hours
    clock.advance(int(1.05 * hours) * MICROSECONDS)
    await (await call()).complete(Cost(tokens=10))
    clock.advance(int(1.05 * hours) * MICROSECONDS)
    assert 0.9 * week < await refused() < week  # six of seven days
    await engine.aclose()


async def test_a_provider_at_its_limit_is_passed_over() -> None:
    """Another one answers at once instead of a wait for the first."""
    async with network([GOLDEN, GOLDEN], limits=[{"unit": "requests", "amount": 1, "window": 3600}]) as net:
        assert [(await net.ask()).served_by for _ in range(2)] == ["a", "b"]
        third = await net.ask()
        assert third.error is not None
        assert third.error.kind is Kind.QUOTA_EXHAUSTED
        assert 3000 < (third.error.retry_after or 0) <= 3700


async def test_tokens_count_against_a_providers_limit() -> None:
    """What an answer cost is counted, and what the client's leaving leaves unknown is taken as presumed."""
    limits = [{"unit": "tokens", "amount": 100, "window": 3600}]
    async with network([GOLDEN], limits=limits) as net:
        await net.ask(tokens=50)
        second = await net.ask(tokens=90)
        assert second.attempt.standings[0].remaining == 100 - 7 - 90
        too_large = await net.ask(tokens=101)
        assert too_large.error is not None
        assert too_large.error.kind is Kind.TOO_LARGE


async def test_too_many_that_wait_are_told_when_to_come_back() -> None:
    """The line has a length; whoever finds it full is refused at once."""
    limits = [{"unit": "requests", "amount": 1, "window": 2.0}]
    async with network([GOLDEN], limits=limits, queue=2) as net:
        answers = await asyncio.gather(*(net.ask() for _ in range(5)))
    refused = [asked.error for asked in answers if asked.error is not None]
    assert [failure.kind for failure in refused] == [Kind.QUEUE_FULL] * 2
    assert all(1.0 <= (failure.retry_after or 0) <= 2.1 for failure in refused)


async def test_those_who_ask_take_turns() -> None:
    """One who asks a lot does not keep another one waiting for all of it."""
    order: list[str] = []

    def reply(request: Request) -> Reply:
        order.append(request.json["user"])
        return GOLDEN

    async with network([reply], limits=[{"unit": "concurrency", "amount": 1}]) as net:
        lease = await net.router.gates["a"].enter(Ask(model="m", cost=Cost(), asker=""))
        card = net.resolution.card
        tasks: list[asyncio.Task[Asked]] = []
        for asker in ("many", "many", "many", "many", "one"):
            request = msgspec.structs.replace(chat(card, user=asker), fairness_key=asker)
            tasks.append(asyncio.create_task(net.ask(request)))
            await in_line(net.router.gates["a"], len(tasks))
        await lease.complete(Cost(tokens=1))
        await asyncio.gather(*tasks)
    assert order == ["many", "one", "many", "many", "many"]


async def test_who_comes_later_does_not_overtake() -> None:
    """What is free again goes to those who wait, although they have not heard of it yet."""
    async with network([GOLDEN], limits=[{"unit": "concurrency", "amount": 1}]) as net:
        gate = net.router.gates["a"]
        lease = await gate.enter(Ask(model="m", cost=Cost(), asker=""))
        waiting = asyncio.create_task(net.ask())
        await in_line(gate, 1)
        await lease.complete(Cost(tokens=1))
        with pytest.raises(UnavailableError):
            await gate.enter(Ask(model="m", cost=Cost(), asker=""))
        assert (await waiting).text == "Paris 巴黎"
