"""The loop against real upstreams that fail in every way."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec
import pytest
import structlog

from rixin.clock import SystemClock
from rixin.core.cards import ModelCard
from rixin.core.events import Finish, Text
from rixin.core.observer import QUEUE
from rixin.core.requests import Change, Generate
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.base import Batch, Prepared
from rixin.engines.remote import Remote
from rixin.engines.trace import Trace
from rixin.errors import Kind, RixinError
from rixin.limits.base import Cost
from rixin.limits.process import ProcessLimiter
from rixin.routing.catalog import Candidate, Resolution
from rixin.routing.classify import VERDICTS, Then
from rixin.routing.gate import Ask, Gate
from rixin.routing.lease import Lease
from rixin.routing.queue import UnavailableError
from rixin.settings import PlanLimit, Provider
from tests.engines.chat import chat, streaming
from tests.limits.manual_clock import MICROSECONDS, ManualClock
from tests.routing.upstreams import HANG, Answers, Asked, make_router, network
from tests.support.engines import ScriptedEngine
from tests.upstreams.scripted import (
    DONE,
    Cut,
    Delay,
    Reply,
    Request,
    Reset,
    Send,
    Stall,
    answer,
    completion,
    completion_events,
    event,
    head,
    stream,
    until_close,
)

GOLDEN = stream([*completion_events(), DONE])
WHOLE = answer(completion())
BEGUN = completion_events()[:2]
PAGE = "<html><head><title>502 Bad Gateway</title></head><body>" + "x" * 5000 + "</body></html>"


def error(status: int, message: str, **fields: Any) -> Reply:
    """An error of the SenseNova token platform's form; `retry_after` is a header."""
    wait = fields.pop("retry_after", None)
    headers = {} if wait is None else {"retry_after": str(wait)}
    return answer(json.dumps({"error": {"message": message, **fields}}), status=status, **headers)


RATE = error(429, "rpm exhausted", type="quota_exceeded_error", code="8")
QUOTA = error(429, "token plan entitlement exhausted", type="quota_exceeded_error", code="8")
FAULTS: dict[str, tuple[Reply, Kind]] = {
    "latency": ([Delay(3.0), *WHOLE], Kind.UPSTREAM_TIMEOUT),
    "a reset": ([Reset()], Kind.UPSTREAM_INTERRUPTED),
    "a reset within the head": ([Send(head()[:20]), Reset()], Kind.UPSTREAM_INTERRUPTED),
    "half-open": ([Stall()], Kind.UPSTREAM_TIMEOUT),
    "half-open after the head": ([Send(head(content_length="9")), Stall()], Kind.UPSTREAM_TIMEOUT),
    "429": (RATE, Kind.RATE_LIMITED),
    "429 with a header": (error(429, "slow down", retry_after=100), Kind.RATE_LIMITED),
    "a quota": (QUOTA, Kind.QUOTA_EXHAUSTED),
    "a dead key": (error(401, "no such key"), Kind.UPSTREAM_CREDENTIAL),
    "a dead key told as 429": (error(429, "invalid api key", code="8"), Kind.UPSTREAM_CREDENTIAL),
    "no balance": (error(402, "Insufficient Balance"), Kind.QUOTA_EXHAUSTED),
    "not in the plan": (
        error(403, "model is not available in the current token plan", code="7"),
        Kind.PERMISSION_DENIED,
    ),
    "no such model": (error(404, "model is not found", type="not_found_error", code="5"), Kind.MODEL_NOT_FOUND),
    "500": (error(500, "oops"), Kind.UPSTREAM_INVALID),
    "503": (error(503, "Server is busy, please try again later"), Kind.OVERLOADED),
    "529": (error(529, "overloaded"), Kind.OVERLOADED),
    "garbage": ([Send(b"\x00\xff\x16\x03garbage\r\n\r\n"), Cut()], Kind.UPSTREAM_INVALID),
    "garbage as an answer": (answer(b"\x00\xff\xfe\x01"), Kind.UPSTREAM_INTERRUPTED),
    "HTML": (answer(PAGE, content_type="text/html"), Kind.UPSTREAM_INVALID),
    "HTML with 502": (answer(PAGE, status=502, content_type="text/html"), Kind.UPSTREAM_UNREACHABLE),
    "an early end": (answer(b""), Kind.UPSTREAM_INTERRUPTED),
    "an error for an answer": (answer('{"error":{"message":"boom","type":"server_error"}}'), Kind.UPSTREAM_INVALID),
}


@pytest.mark.parametrize("request_stream", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_told_as_what_it_is(fault: str, request_stream: bool) -> None:
    """Without another upstream the client gets the error of the fault's class, soon, and nothing that looks whole."""
    reply, kind = FAULTS[fault]
    async with network([reply], queue_deadline=0.0) as net:
        asked = await net.ask(stream=request_stream)
    assert asked.error is not None
    assert asked.error.kind is kind
    assert not any(batch.events for batch in asked.batches)


@pytest.mark.parametrize("request_stream", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
async def test_k10_another_upstream_takes_over(fault: str, request_stream: bool) -> None:
    """Whatever the first upstream does before its answer begins, the second one answers, and the client sees one."""
    async with network([FAULTS[fault][0], GOLDEN]) as net:
        asked = await net.ask(stream=request_stream)
        assert asked.error is None
        assert asked.text == "Paris 巴黎"
        assert asked.served_by == "b"
        assert asked.attempt.count == 2
        assert (net.calls("a"), net.calls("b")) == (1, 1)


MID_STREAM: dict[str, Reply] = {
    "a reset": stream(BEGUN, end=Reset()),
    "a cut": stream(BEGUN, end=Cut()),
    "a proper end without a finish": stream(BEGUN),
    "silence": stream(BEGUN, end=Stall()),
    "an error event": stream([*BEGUN, event({"error": {"message": "overloaded", "code": 503}})]),
    "a rate limit": stream([*BEGUN, event({"error": {"message": "tpm exhausted", "code": "8"}})]),
    "garbage": stream([*BEGUN, b"data: {nonsense\n\n"]),
}


@pytest.mark.parametrize("fault", MID_STREAM)
async def test_e4_nothing_is_tried_again_once_the_answer_has_begun(fault: str) -> None:
    """What came stays, the error follows, and neither this upstream nor another one is asked again."""
    async with network([MID_STREAM[fault], GOLDEN], api_keys=["k1", "k2"]) as net:
        asked = await net.ask(streaming(net.resolution.card))
        assert asked.error is not None
        events = [event for batch in asked.batches for event in batch.events]
        assert [event.text for event in events if isinstance(event, Text) and event.text] == ["Paris"]
        assert not any(isinstance(event, Finish) for event in events)
        assert asked.attempt.count == 1
        assert (net.calls("a"), net.calls("b")) == (1, 0)


async def test_an_early_end_at_any_byte_is_never_an_end() -> None:
    """Before the first event the second upstream answers; after it the stream is an error, unless it had finished."""
    golden = b"".join(completion_events()) + DONE
    lengths = iter(range(len(golden)))
    async with network([lambda _: until_close(golden[: next(lengths)]), GOLDEN]) as net:
        for length in range(len(golden)):
            net.forget()
            before = net.calls("b")
            asked = await net.ask(streaming(net.resolution.card))
            finished = any(isinstance(event, Finish) for batch in asked.batches for event in batch.events)
            if asked.error is None:
                assert finished, f"{length} bytes seemed whole"
                assert asked.text == "Paris 巴黎"
                assert asked.attempt.count == 1 + net.calls("b") - before
            else:
                assert asked.error.retryable
                assert any(batch.events for batch in asked.batches), f"{length} bytes showed nothing and failed"
                assert net.calls("b") == before


async def test_e4_a_single_upstream_is_asked_again_after_a_pause() -> None:
    """A passing failure is not the client's to see; the batches in between are signs of life."""
    replies = iter([error(500, "oops"), [Reset()], GOLDEN])
    async with network([lambda _: next(replies)]) as net:
        asked = await net.ask()
        assert asked.text == "Paris 巴黎"
        assert asked.attempt.count == 3
        assert asked.batches[0].events == []


async def test_an_upstream_is_not_asked_again_more_often_than_its_settings_say() -> None:
    """Then the client is told what it said."""
    async with network([error(500, "oops")], retries=1) as net:
        asked = await net.ask()
        assert asked.error is not None
        assert asked.error.message == "oops"
        assert net.calls("a") == 2


async def test_a_provider_without_a_budget_is_not_asked_again() -> None:
    """The share of tries again binds whatever one request may have."""
    async with network([error(500, "oops")], retries=3, retry_share=0.0) as net:
        asked = await net.ask()
        assert asked.error is not None
        assert asked.error.message == "oops"
        assert net.calls("a") == 1


async def test_e5_a_long_prompt_is_not_sent_again_after_silence() -> None:
    """An upstream that did not answer in time may be at work still."""
    async with network([[Stall()]], retries=5, first_byte_timeout=0.2) as net:
        asked = await net.ask()
        assert asked.error is not None
        assert asked.error.kind is Kind.UPSTREAM_TIMEOUT
        assert net.calls("a") == 1


OPERATORS: dict[str, tuple[Reply, Kind]] = {
    "a dead key": FAULTS["a dead key"],
    "no balance": FAULTS["no balance"],
    "not in the plan": FAULTS["not in the plan"],
    "no such model": FAULTS["no such model"],
    "another region": (error(403, "Your region is not supported"), Kind.PERMISSION_DENIED),
}


@pytest.mark.parametrize("fault", OPERATORS)
async def test_e3_what_only_the_operator_can_mend_is_never_tried_again(fault: str) -> None:
    """One call and no more, however many tries are left; the log says at which address, and of a key which one."""
    reply, kind = OPERATORS[fault]
    with structlog.testing.capture_logs() as logs:
        async with network([reply], retries=5, api_keys=["sk-of-the-operator-4711"]) as net:
            asked = await net.ask()
            address = net.router.gates["a"].settings.base_url
            assert net.calls("a") == 1
    assert asked.error is not None
    assert asked.error.kind is kind
    aside = [entry for entry in logs if entry["event"] == "a key is set aside"]
    if kind in (Kind.UPSTREAM_CREDENTIAL, Kind.QUOTA_EXHAUSTED):
        [entry] = aside
        assert (entry["provider"], entry["base_url"], entry["ends"]) == ("a", address, "...4711")
    assert "of-the-operator" not in str(logs)


@pytest.mark.parametrize("status", [400, 422])
async def test_a_request_that_is_refused_is_not_tried_elsewhere(status: int) -> None:
    """The client is told at once what is wrong with it."""
    async with network([error(status, "temperature is too high"), GOLDEN]) as net:
        asked = await net.ask()
        assert asked.error is not None
        assert asked.error.kind is Kind.INVALID_REQUEST
        assert net.calls("b") == 0


async def test_a_substitute_that_refuses_the_request_is_no_news() -> None:
    """The failure of the preferred upstream is the reason, and is told."""
    async with network([error(500, "oops"), error(400, "no such field")], retries=0) as net:
        asked = await net.ask()
        assert asked.error is not None
        assert asked.error.message == "oops"


async def test_e8_refused_content_is_shown_to_nobody_else() -> None:
    """No upstream is looked for that is less strict."""
    refusal = error(400, "content filter: unsafe", code="content_filter")
    async with network([error(500, "oops"), refusal, GOLDEN], retries=0) as net:
        asked = await net.ask()
        assert asked.error is not None
        assert asked.error.kind is Kind.CONTENT_POLICY
        assert net.calls("c") == 0


async def test_a_substitute_is_asked_for_its_own_model() -> None:
    """Each upstream is sent the name that it knows; the client sees one model whoever answers."""
    async with network([error(503, "busy"), GOLDEN], models=["m", "big-m"]) as net:
        asked = await net.ask()
        assert net["b"].requests[0].json["model"] == "big-m"
        assert asked.attempt.served_by == Candidate(engine="b", model="big-m", priority=1)


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


async def test_another_key_takes_over() -> None:
    """A key that is used up, dead or too fast is left out, for the requests after it too."""
    for refusal in (RATE, QUOTA, error(401, "no such key"), error(429, "invalid api key")):

        def reply(request: Request, refusal: Reply = refusal) -> Reply:
            return refusal if request.headers["authorization"] == "Bearer k1" else GOLDEN

        async with network([reply], api_keys=["k1", "k2"]) as net:
            for _ in range(4):
                asked = await net.ask(messages=[{"role": "user", "content": f"{net.calls('a')}"}])
                assert asked.text == "Paris 巴黎"
            used = [request.headers["authorization"] for request in net["a"].requests]
            assert used.count("Bearer k1") == 1


async def test_a_key_that_may_not_use_a_model_is_not_forbidden_to_others() -> None:
    """Another key is asked first from then on; the first one still is where no other is left."""

    def reply(request: Request) -> Reply:
        denied = request.headers["authorization"] == "Bearer k1" or request.json.get("user") == "nobody"
        return error(403, "model is not available in the current token plan", code="7") if denied else GOLDEN

    async with network([reply], api_keys=["k1", "k2"]) as net:
        assert (await net.ask()).text == "Paris 巴黎"
        assert (await net.ask(messages=[{"role": "user", "content": "another"}])).text == "Paris 巴黎"
        used = [request.headers["authorization"] for request in net["a"].requests]
        assert used == ["Bearer k1", "Bearer k2", "Bearer k2"]
        denied = await net.ask(user="nobody")
        assert denied.error is not None
        assert denied.error.kind is Kind.PERMISSION_DENIED
        assert net.calls("a") == 5
        assert (await net.ask()).text == "Paris 巴黎"


async def test_a_conversation_stays_with_its_key() -> None:
    """Its later turns go where its first one was answered; other conversations go to the key that is used least."""
    async with network([GOLDEN], api_keys=["k1", "k2", "k3"]) as net:
        first = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one"}]
        later = [*first, {"role": "assistant", "content": "1"}, {"role": "user", "content": "go on"}]
        await net.ask(messages=first)
        await net.ask(messages=[{"role": "user", "content": "two"}])
        await net.ask(messages=[{"role": "user", "content": "three"}])
        await net.ask(messages=later)
        await net.ask(messages=later)
        used = [request.headers["authorization"] for request in net["a"].requests]
    assert len(set(used[:3])) == 3
    assert used[3] == used[4] == used[0]


async def test_a_conversation_stays_with_its_upstream() -> None:
    """Among equals the one that answered before is asked again; a session's name tells it apart too."""
    async with network([GOLDEN, GOLDEN], priorities=[0, 0]) as net:
        for turn in range(12):
            await net.ask(prompt_cache_key="s1", messages=[{"role": "user", "content": f"{turn}"}])
        assert {net.calls("a"), net.calls("b")} == {0, 12}


async def test_equals_share_the_requests() -> None:
    """Neither of two upstreams of one priority gets all conversations."""
    async with network([GOLDEN, GOLDEN], priorities=[0, 0]) as net:
        for turn in range(60):
            await net.ask(messages=[{"role": "user", "content": f"{turn}"}])
        assert min(net.calls("a"), net.calls("b")) >= 5


async def test_k10_an_outage_is_left_alone_and_found_to_be_over() -> None:
    """After some failures in a row nothing is sent, until one request finds out that the upstream works again."""
    broken = True
    async with network([lambda _: error(500, "oops") if broken else GOLDEN], retries=0, queue_deadline=10.0) as net:
        for _ in range(5):
            assert (await net.ask()).error is not None
        assert net.calls("a") == 5
        broken = False
        answers = await asyncio.gather(*(net.ask() for _ in range(4)))
        assert [asked.text for asked in answers] == ["Paris 巴黎"] * 4
        assert net.calls("a") == 9


async def test_a_long_outage_is_told_at_once() -> None:
    """Once an upstream is found broken again and again, nobody waits for it, and the client reads when to come back."""
    async with network([error(503, "busy", retry_after=30)], retries=0) as net:
        for _ in range(5):
            await net.ask()
        asked = await net.ask()
        assert asked.error is not None
        assert asked.error.kind is Kind.OVERLOADED
        assert 20 <= (asked.error.retry_after or 0) <= 30 * 1.3
        assert asked.attempt.count == 0
        assert net.calls("a") == 5


async def test_an_outage_makes_no_storm() -> None:
    """Many requests at once to a broken upstream cost few calls more than there are requests."""
    async with network([error(500, "oops")], retries=3, queue_deadline=1.5) as net:
        await asyncio.gather(*(net.ask() for _ in range(50)))
        assert net.calls("a") <= 50 + 10 + 50 * 0.2


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


class Removal:
    """A healer's care that leaves out one field after the other; keeps what it was told."""

    held: Sequence[Batch] = ()

    def __init__(self, prepared: Prepared, fields: list[str]) -> None:
        self.prepared = prepared
        self.fields = fields
        self.log: list[str] = []

    def refused(self, error: RixinError) -> Prepared | RixinError:
        """The next field goes; at the end the first words of the upstream are told with a hint."""
        self.log.append(error.message)
        if not self.fields:
            return RixinError(error.kind, f"{self.log[0]} (nothing helped)")
        field = self.fields.pop(0)
        body = {name: value for name, value in self.prepared.body.items() if name != field}
        changes = (*self.prepared.changes, Change("dropped", field))
        self.prepared = msgspec.structs.replace(self.prepared, body=body, changes=changes)
        return self.prepared

    def hindered(self, obstacle: RixinError) -> RixinError:
        """The upstream's words, and what is in the way."""
        return RixinError(Kind.INVALID_REQUEST, f"{self.log[-1]} ({obstacle.kind.value})")

    def checked(self, answer: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
        """As it comes."""
        return answer

    def answered(self) -> None:
        """It helped."""
        self.log.append("answered")

    def close(self) -> None:
        """It is over."""
        self.log.append("closed")


def picky(*refused: str) -> Answers:
    """An upstream that refuses some fields, one at a time."""

    def reply(request: Request) -> Reply:
        field = next((field for field in refused if field in request.json), None)
        return GOLDEN if field is None else error(400, f"no {field} here")

    return reply


@pytest.mark.parametrize("fields", [["seed", "top_p"], ["top_p", "seed"]])
async def test_a_healer_says_what_is_sent_instead(fields: list[str]) -> None:
    """Each version costs one call; what was changed in the one that passed is told, and nothing of it is a failure."""
    cares: list[Removal] = []

    def heal(_candidate: Candidate, _request: Generate, prepared: Prepared) -> Removal:
        cares.append(Removal(prepared, list(fields)))
        return cares[0]

    async with network([picky("seed", "top_p"), GOLDEN], heal=heal, api_keys=["k1", "k2"]) as net:
        asked = await net.ask(seed=1, top_p=0.5)
        assert asked.text == "Paris 巴黎"
        assert asked.attempt.count == net.calls("a") == 3
        assert asked.attempt.changes == tuple(Change("dropped", field) for field in fields)
        assert (net.calls("b"), len(cares)) == (0, 1)
    assert cares[0].log == [
        "no seed here",
        f"no {'top_p' if fields[0] == 'seed' else 'seed'} here",
        "answered",
        "closed",
    ]


async def test_a_healer_that_gives_up_says_what_is_told() -> None:
    """The client reads its words, and no other upstream is asked."""
    async with network([picky("seed"), GOLDEN], heal=lambda _c, _r, prepared: Removal(prepared, ["user"])) as net:
        asked = await net.ask(seed=1)
        assert asked.error is not None
        assert asked.error.message == "no seed here (nothing helped)"
        assert (net.calls("a"), net.calls("b")) == (2, 0)


async def test_a_repair_that_cannot_be_sent_in_time_is_told() -> None:
    """Where its call is not admitted before the deadline, the client reads the refusal, and what is in the way."""
    limits = [{"unit": "requests", "amount": 1, "window": 3600}]
    async with network(
        [picky("seed"), GOLDEN], heal=lambda _c, _r, prepared: Removal(prepared, ["seed"]), limits=limits
    ) as net:
        asked = await net.ask(seed=1)
        assert asked.error is not None
        assert (asked.error.kind, asked.error.message) == (Kind.INVALID_REQUEST, "no seed here (quota_exhausted)")
        assert (net.calls("a"), net.calls("b")) == (1, 0)


async def test_a_repair_waits_for_its_turn() -> None:
    """Like any other call it is sent when the provider's limits let it through, if that is in time."""
    limits = [{"unit": "requests", "amount": 1, "window": 1}]
    async with network(
        [picky("seed")], heal=lambda _c, _r, prepared: Removal(prepared, ["seed"]), limits=limits
    ) as net:
        asked = await net.ask(seed=1)
        assert asked.text == "Paris 巴黎"
        assert net.calls("a") == 2
        assert Batch([]) in asked.batches


async def test_our_own_engines_have_neither_keys_nor_breakers() -> None:
    """However often one fails, it is asked again for the next request: its queue and its supervisor are its own."""
    engine = ScriptedEngine("local/m", [RixinError(Kind.UPSTREAM_INTERRUPTED, "it died")])
    router = make_router({"local/m": engine}, [], None)
    card = ModelCard(name="m", target="m", provider="local")
    resolution = Resolution(card=card, candidates=(Candidate(engine="local/m", model="m"),))
    for _ in range(10):
        with pytest.raises(RixinError, match="it died"):
            async for _batch in router.attempt(chat(card), resolution).batches():
                pass
    assert len(engine.requests) == 10
    assert engine.running == 0


@pytest.mark.parametrize("kind", [kind for kind, verdict in VERDICTS.items() if verdict.then is Then.ANOTHER_KEY])
async def test_our_own_engines_are_asked_once_whatever_upstreams_say_of_keys(kind: Kind) -> None:
    """There is no other key to try and none that cools: the client is told at once what the engine said."""
    engine = ScriptedEngine("local/m", [RixinError(kind, "not with this key")])
    other = ScriptedEngine("local/n", [[Text(text="hi"), Finish(reason="stop")]])
    router = make_router({"local/m": engine, "local/n": other}, [], None)
    card = ModelCard(name="m", target="m", provider="local")
    alone = (Candidate(engine="local/m", model="m"),)
    attempt = router.attempt(chat(card), Resolution(card=card, candidates=alone))
    with pytest.raises(RixinError, match="not with this key") as caught:
        async for _batch in attempt.batches():
            pass
    assert caught.value.kind is kind
    assert (attempt.count, len(engine.requests)) == (1, 1)
    both = (*alone, Candidate(engine="local/n", model="n", priority=1))
    attempt = router.attempt(chat(card), Resolution(card=card, candidates=both))
    assert [event async for batch in attempt.batches() for event in batch.events]
    assert (len(engine.requests), len(other.requests)) == (2, 1)


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


async def test_the_key_that_is_free_first_is_waited_for() -> None:
    """One that cools for a moment, rather than one whose limit is used up for long."""
    refused: list[Request] = []

    def reply(request: Request) -> Reply:
        if request.headers["authorization"] == "Bearer k1" and not refused:
            refused.append(request)
            return error(429, "slow down", retry_after=0.3)
        return GOLDEN

    limits = [{"unit": "tokens", "amount": 100, "window": 3600}]
    async with network([reply], api_keys=["k1", "k2"], key_limits=limits) as net:
        assert (await net.ask()).attempt.count == 2
        asked = await net.ask(tokens=95)
        assert asked.text == "Paris 巴黎"
        assert asked.batches[0].events == []
        assert net["a"].requests[-1].headers["authorization"] == "Bearer k1"


async def test_a_request_beyond_every_limit_waits_for_no_key() -> None:
    """A key that cools would not let it through either."""

    def reply(request: Request) -> Reply:
        return error(429, "slow down", retry_after=5) if request.headers["authorization"] == "Bearer k1" else GOLDEN

    limits = [{"unit": "tokens", "amount": 100, "window": 60}]
    async with network([reply], api_keys=["k1", "k2"], key_limits=limits) as net:
        assert (await net.ask()).attempt.count == 2
        asked = await net.ask(tokens=101)
        assert asked.error is not None
        assert asked.error.kind is Kind.TOO_LARGE
        assert asked.error.retry_after is None
        assert asked.batches == []


async def test_new_settings_keep_what_was_learned() -> None:
    """A dead key stays out when the providers are read anew; an engine that is gone is not asked."""

    def reply(request: Request) -> Reply:
        return error(401, "no such key") if request.headers["authorization"] == "Bearer k1" else GOLDEN

    async with network([reply, GOLDEN], api_keys=["k1", "k2"]) as net:
        await net.ask()
        engines = {name: gate.engine for name, gate in net.router.gates.items()}
        renewed = [msgspec.structs.replace(gate.settings, queue=3) for gate in net.router.gates.values()]
        net.router.serve(engines, renewed)
        assert net.router.gates["a"].settings.queue == 3
        await net.ask(messages=[{"role": "user", "content": "again"}])
        used = [request.headers["authorization"] for request in net["a"].requests]
        assert used == ["Bearer k1", "Bearer k2", "Bearer k2"]
        net.router.serve({"b": engines["b"]}, renewed)
        assert (await net.ask()).served_by == "b"
        net.router.serve({})
        gone = await net.ask()
        assert gone.error is not None
        assert gone.error.kind is Kind.OVERLOADED
