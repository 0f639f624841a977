"""The loop against real upstreams that fail in every way, and over engines of our own."""

import asyncio

import msgspec
import pytest
import structlog

from rixin.core.cards import ModelCard
from rixin.core.events import Finish, Text
from rixin.errors import Kind, RixinError
from rixin.routing.catalog import Candidate, Resolution
from rixin.routing.classify import VERDICTS, Then
from tests.engines.chat import chat, streaming
from tests.routing.replies import BEGUN, GOLDEN, QUOTA, RATE, error
from tests.routing.upstreams import make_router, network
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

WHOLE = answer(completion())
PAGE = "<html><head><title>502 Bad Gateway</title></head><body>" + "x" * 5000 + "</body></html>"
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
