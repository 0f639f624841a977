"""The remote engine against a real HTTP server that behaves well, and badly."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import msgspec
import pytest

from rixin.core.cards import StreamConventions
from rixin.core.events import Finish, Text
from rixin.core.requests import Change, Generate
from rixin.core.responses import Response, collect
from rixin.core.usage import Usage
from rixin.dialects.anthropic import DIALECT as MESSAGES
from rixin.dialects.base import Call, Dialect
from rixin.dialects.openai_chat import DIALECT
from rixin.dialects.openai_responses import DIALECT as RESPONSES
from rixin.engines.base import Batch, Counts, Engine, ListedModel, Lists, Sends
from rixin.engines.remote import Remote, may_relay
from rixin.errors import Kind, RixinError
from rixin.settings import Provider
from rixin.settings.fast_path import FAST_PATH
from tests.engines.chat import CARD, chat, streaming
from tests.support.hang import HANG
from tests.upstreams.scripted import (
    DONE,
    Cut,
    Delay,
    Reply,
    Request,
    Reset,
    ScriptedUpstream,
    Send,
    Stall,
    answer,
    completion,
    completion_events,
    event,
    stream,
    until_close,
)

GOLDEN = b"".join(completion_events()) + DONE
FINISHED = len(b"".join(completion_events()[:-1]))
"""Bytes of the golden stream up to its finish reason."""


def engine_at(url: str, **settings: object) -> Remote:
    """The engine of an impatient provider."""
    limits = {"connect_timeout": 1.0, "first_byte_timeout": 1.0, "idle_timeout": 1.0, "total_timeout": 5.0}
    provider = msgspec.convert({"name": "up", "base_url": url, **limits, **settings}, Provider)
    return Remote.connect(provider, DIALECT, {})


async def batches_of(engine: Engine, request: Generate) -> list[Batch]:
    """All batches of an answer."""
    async with asyncio.timeout(HANG), aclosing(engine.stream(request)) as batches:
        return [batch async for batch in batches]


async def attempt(
    reply: Reply | Callable[[Request], Reply], request: Generate
) -> tuple[list[Batch], RixinError | None]:
    """The batches of the answer to `request` from an upstream that gives `reply`, and how it broke."""
    batches: list[Batch] = []
    async with ScriptedUpstream(reply) as upstream, asyncio.timeout(HANG):
        engine = engine_at(upstream.url)
        try:
            async with aclosing(engine.stream(request)) as answer:
                async for batch in answer:
                    batches.append(batch)  # noqa: PERF401 - what came before a break is kept
        except RixinError as error:
            return batches, error
        finally:
            await engine.aclose()
    return batches, None


async def ask(reply: Reply | Callable[[Request], Reply], request: Generate) -> list[Batch]:
    """The batches of a whole answer."""
    batches, error = await attempt(reply, request)
    if error is not None:
        raise error
    return batches


def answer_of(batches: list[Batch]) -> Response:
    """The answer that batches amount to."""
    return collect(event for batch in batches for event in batch.events)


RELAYED = GOLDEN.removesuffix(DONE) if FAST_PATH else b""
"""The bytes of a stream, but for the mark of its end, which is the writer's; without the fast path nothing is."""


def raw_of(batches: list[Batch]) -> bytes:
    """What a client of the same dialect is given."""
    return b"".join(batch.raw or b"" for batch in batches)


async def test_a_stream_is_read():
    """Text, finish and usage come as events, and the bytes without the mark of the end."""
    batches = await ask(stream([*completion_events(), DONE]), streaming())
    response = answer_of(batches)
    assert response.choices[0].text == "Paris 巴黎"
    assert response.usage == Usage(prompt=5, completion=2)
    assert raw_of(batches) == RELAYED


@pytest.mark.parametrize("request_stream", [True, False])
@pytest.mark.parametrize(
    "reply",
    [
        stream([*completion_events(), DONE]),
        stream([*completion_events(), DONE], content_type="application/json"),
        until_close(GOLDEN),
        stream(completion_events()),
        answer(completion()),
        answer(completion(), content_type="text/event-stream"),
        answer(b"\n\n" + completion(), content_type="text/html"),
        stream([b"\n", b"\n", completion()], content_type="application/json"),
    ],
    ids=["sse", "sse-as-json", "sse-until-close", "no-done", "json", "json-as-sse", "json-as-html", "padded-json"],
)
async def test_an_answer_is_what_it_is_whatever_was_asked(reply: Reply, request_stream: bool):
    """A stream is read where a whole answer was asked for and the other way round, and `[DONE]` may be missing."""
    response = answer_of(await ask(reply, chat(stream=request_stream)))
    assert response.choices[0].text == "Paris 巴黎"
    assert response.usage is not None


async def test_silence_on_the_way_is_told_by_empty_batches():
    """Blank lines and comments before the answer are signs of life."""
    pieces = [b"\n", Delay(0.02), b": queued\n\n", Delay(0.02), *completion_events(), DONE]
    batches = await ask(stream(pieces), streaming())
    assert [batch.events for batch in batches[:2]] == [[], []]
    assert answer_of(batches).choices[0].text == "Paris 巴黎"


@pytest.mark.parametrize("whole", [True, False], ids=["relayed", "rendered"])
async def test_an_end_at_any_byte_is_an_error_until_the_finish(whole: bool):
    """An upstream that ends too early, at whichever byte, never seems to have finished; what came is shown."""
    request = streaming() if whole else chat(stream=True)
    for length in range(1, len(GOLDEN)):
        batches, error = await attempt(until_close(GOLDEN[:length]), request)
        finished = any(isinstance(event, Finish) for batch in batches for event in batch.events)
        if error is None:
            assert finished, f"{length} bytes seemed whole"
            assert length >= FINISHED - len("\n\n")
        else:
            assert error.kind in {Kind.UPSTREAM_INTERRUPTED, Kind.UPSTREAM_INVALID}
            assert length < FINISHED or not GOLDEN[:length].endswith(b"\n"), f"{length} bytes: {error.message}"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_bytes_may_be_cut_anywhere(size: int):
    """Pieces of any size give the same answer and the same relayed bytes."""
    pieces = [GOLDEN[i : i + size] for i in range(0, len(GOLDEN), size)]
    batches = await ask(stream(pieces), streaming())
    assert answer_of(batches).choices[0].text == "Paris 巴黎"
    assert raw_of(batches) == RELAYED


BEGUN = completion_events()[:2]
PAGE = "<html><head><title>502 Bad Gateway</title></head><body>" + "x" * 5000 + "</body></html>"
RATE = '{"error":{"message":"slow down","type":"rate_limit_error"}}'
FAULTS: list[tuple[str, Reply, Kind]] = [
    ("a reset before the answer", [Reset()], Kind.UPSTREAM_INTERRUPTED),
    ("a reset in mid-stream", stream(BEGUN, end=Reset()), Kind.UPSTREAM_INTERRUPTED),
    ("a cut in mid-stream", stream(BEGUN, end=Cut()), Kind.UPSTREAM_INTERRUPTED),
    ("a proper end without a finish", stream(BEGUN), Kind.UPSTREAM_INTERRUPTED),
    ("[DONE] without a finish", stream([*BEGUN, DONE]), Kind.UPSTREAM_INTERRUPTED),
    ("silence before the answer", [Stall()], Kind.UPSTREAM_TIMEOUT),
    ("silence in mid-stream", stream(BEGUN, end=Stall()), Kind.UPSTREAM_TIMEOUT),
    ("an empty answer", answer(b""), Kind.UPSTREAM_INTERRUPTED),
    ("a blank answer", answer(b"\n\n"), Kind.UPSTREAM_INTERRUPTED),
    ("an empty stream", stream([]), Kind.UPSTREAM_INTERRUPTED),
    ("half a whole answer", answer(completion()[:60]), Kind.UPSTREAM_INVALID),
    ("another JSON", answer(b'{"hello":"world"}'), Kind.UPSTREAM_INTERRUPTED),
    ("plain words", answer(b"Service unavailable", content_type="text/plain"), Kind.UPSTREAM_INTERRUPTED),
    ("a web page", answer(PAGE, content_type="text/html"), Kind.UPSTREAM_INVALID),
    ("a redirect", answer(b"", status=307, location="https://elsewhere.example/v1"), Kind.UPSTREAM_INVALID),
    ("400", answer('{"error":{"message":"temperature is too high"}}', status=400), Kind.INVALID_REQUEST),
    ("401", answer('{"error":{"message":"no such key"}}', status=401), Kind.UPSTREAM_CREDENTIAL),
    ("429", answer(RATE, status=429), Kind.RATE_LIMITED),
    ("500", answer('{"error":{"message":"oops"}}', status=500), Kind.UPSTREAM_INVALID),
    ("503", answer('{"error":{"message":"busy"}}', status=503), Kind.OVERLOADED),
]


@pytest.mark.parametrize("request_stream", [True, False])
@pytest.mark.parametrize(("reply", "kind"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
async def test_a_fault_is_an_error_of_its_kind(reply: Reply, kind: Kind, request_stream: bool):
    """No fault hangs, none passes for an end, and each says what it is."""
    with pytest.raises(RixinError) as caught:
        await ask(reply, chat(stream=request_stream))
    assert caught.value.kind is kind


@pytest.mark.parametrize(("headers", "retry_after"), [({}, None), ({"retry_after": "7"}, 7.0)])
async def test_a_rate_limit_says_when_to_come_back(headers: dict[str, str], retry_after: float | None):
    """`retry-after` is carried where the upstream set it, and not invented where it did not."""
    with pytest.raises(RixinError) as caught:
        await ask(answer(RATE, status=429, **headers), chat())
    assert caught.value.retry_after == retry_after


@pytest.mark.parametrize("status", [200, 502])
async def test_a_web_page_is_told_in_a_few_words(status: int):
    """An error page is told as one, and its title is kept for the log."""
    with pytest.raises(RixinError, match="web page") as caught:
        await ask(answer(PAGE, status=status, content_type="text/html"), chat())
    assert caught.value.status == 502
    assert "502 Bad Gateway" in (caught.value.detail or "")
    assert len(caught.value.detail or "") < 600


async def test_an_error_in_the_stream_ends_it():
    """An error object in place of an event is raised after what came before it."""
    pieces = [*BEGUN, Delay(0.02), event({"error": {"message": "the model is gone", "type": "server_error"}}), DONE]
    batches, error = await attempt(stream(pieces), streaming())
    assert error is not None
    assert "the model is gone" in error.message
    assert [event.text for batch in batches for event in batch.events if isinstance(event, Text) and event.text] == [
        "Paris"
    ]


async def test_the_upstream_sees_its_client_leave():
    """Closing the stream closes the connection."""
    async with ScriptedUpstream(stream(BEGUN, end=Stall())) as upstream:
        engine = engine_at(upstream.url, idle_timeout=60.0)
        async with aclosing(engine.stream(streaming())) as batches:
            async for batch in batches:
                if batch.events:
                    break
        await asyncio.wait_for(upstream.left.wait(), HANG)
        await engine.aclose()


async def test_cancelling_a_waiting_request_reaches_the_upstream():
    """A client that leaves before the first byte leaves no work behind."""
    async with ScriptedUpstream([Stall()]) as upstream:
        engine = engine_at(upstream.url, first_byte_timeout=60.0)
        task = asyncio.create_task(batches_of(engine, chat()))
        await asyncio.wait_for(upstream.asked.wait(), HANG)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(upstream.left.wait(), HANG)
        await engine.aclose()


async def test_the_upstream_gets_the_clients_request_with_our_key():
    """The client's own body goes out, the model by the upstream's name, with the provider's key and headers."""
    async with ScriptedUpstream(answer(completion())) as upstream:
        engine = engine_at(upstream.url, api_keys=["k1", "k2"], headers={"X-Team": "a"})
        alias = msgspec.structs.replace(CARD, name="alias")
        await batches_of(engine, chat(alias, temperature=0.5, metadata={"unknown": True}))
        await engine.aclose()
    request = upstream.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer k1"
    assert request.headers["x-team"] == "a"
    assert request.json["model"] == "scripted"
    assert request.json["temperature"] == 0.5
    assert request.json["metadata"] == {"unknown": True}


async def test_what_is_sent_can_be_seen_changed_and_sent_with_another_key():
    """`prepare` sends nothing; `send` sends the body that it is given, with the key that it is given."""
    async with ScriptedUpstream(answer(completion())) as upstream:
        engine = engine_at(upstream.url, api_keys=["k1", "k2"])
        assert isinstance(engine, Sends)
        request = chat(temperature=0.5, metadata={"unknown": True})
        prepared = engine.prepare(request)
        assert prepared.body["temperature"] == 0.5
        assert upstream.requests == []
        body = {name: value for name, value in prepared.body.items() if name != "metadata"}
        changed = msgspec.structs.replace(prepared, body=body)
        for key in ("k2", None):
            batches = [batch async for batch in engine.send(request, changed, key)]
            assert answer_of(batches).choices[0].text == "Paris 巴黎"
        await engine.aclose()
    first, second = upstream.requests
    assert first.headers["authorization"] == "Bearer k2"
    assert "authorization" not in second.headers
    assert first.json == second.json == body


@pytest.mark.parametrize(
    ("front", "fields", "told"),
    [
        (DIALECT, {"metadata": {"a": 1}, "prompt_cache_key": "k"}, ()),
        (RESPONSES, {"input": "Hi", "store": False, "metadata": {"a": "b"}, "prompt_cache_key": "k"}, ()),
        (RESPONSES, {"input": "Hi", "background": False, "truncation": "disabled", "service_tier": "auto"}, ()),
        (RESPONSES, {"input": "Hi", "prompt": {"id": "p"}, "background": True, "max_tool_calls": 2},
         ("prompt", "background", "max_tool_calls")),
        (RESPONSES, {"input": "Hi", "text": {"format": {"type": "text"}, "verbosity": "low"}}, ("text.verbosity",)),
        (MESSAGES, {"metadata": {"user_id": "u"}, "tools": [{"type": "web_search_20250305", "name": "search"}]}, ()),
        (MESSAGES, {"container": "c", "mcp_servers": []}, ("container", "mcp_servers")),
    ],
)  # fmt: skip
async def test_what_an_upstream_of_another_dialect_is_not_told_is_named(
    front: Dialect, fields: dict[str, object], told: tuple[str, ...]
):
    """What the client's own dialect alone has a word for is lost, and said to be; what this server sees to is not."""
    body = {"model": "m", **({} if "input" in fields else {"messages": [{"role": "user", "content": "Hi"}]}), **fields}
    request = front.routes[0].parse(Call(body=msgspec.json.encode(body)), lambda _: CARD)
    assert isinstance(request, Generate)
    engine = engine_at("http://127.0.0.1:9/v1")
    assert [change.field for change in engine.prepare(request).changes if change.name == "ignored"] == [*told]
    await engine.aclose()


async def test_what_anthropics_wire_has_no_words_for_is_named():
    """Sampling beyond its three numbers, log probabilities and JSON without a schema cannot be asked for there."""
    provider = Provider(name="claude", base_url="http://127.0.0.1:9/v1")
    engine = Remote.connect(provider, MESSAGES, {})
    request = chat(temperature=0.5, seed=7, logprobs=True, response_format={"type": "json_object"})
    prepared = engine.prepare(request)
    assert prepared.body["temperature"] == 0.5
    assert prepared.changes == tuple(Change("ignored", name) for name in ("seed", "logprobs", "response_format"))
    await engine.aclose()


async def test_a_key_in_the_providers_headers_wins():
    """An upstream with another header for its key is served by `headers`."""
    async with ScriptedUpstream(answer(completion())) as upstream:
        engine = engine_at(upstream.url, headers={"Authorization": "Token t"})
        await batches_of(engine, chat())
        await engine.aclose()
    assert upstream.requests[0].headers["authorization"] == "Token t"


async def test_models_are_listed():
    """`GET /models` is asked for, with the key."""
    listed = b'{"data":[{"id":"a","context_length":10},{"id":"b"}]}'
    async with ScriptedUpstream(answer(listed)) as upstream:
        engine = engine_at(upstream.url, api_keys=["k1"])
        assert await engine.models() == [ListedModel(name="a", context_length=10), ListedModel(name="b")]
        await engine.aclose()
    assert (upstream.requests[0].method, upstream.requests[0].path) == ("GET", "/v1/models")
    assert upstream.requests[0].headers["authorization"] == "Bearer k1"


async def test_an_upstream_that_refuses_to_list_says_why():
    """A refused key is told as such."""
    async with ScriptedUpstream(answer('{"error":{"message":"no such key"}}', status=401)) as upstream:
        engine = engine_at(upstream.url)
        with pytest.raises(RixinError) as caught:
            await engine.models()
        await engine.aclose()
    assert caught.value.kind is Kind.UPSTREAM_CREDENTIAL


@pytest.mark.parametrize(
    ("request_", "relayed"),
    [
        (streaming(), True),
        (chat(stream_options={"include_usage": True}), False),
        (chat(stream=True), False),
        (chat(stream=True, stream_options={"include_usage": False}), False),
        (streaming(msgspec.structs.replace(CARD, name="alias")), False),
        (streaming(msgspec.structs.replace(CARD, provider="other")), False),
        (chat(msgspec.structs.replace(CARD, stream=StreamConventions(usage_by_default=True)), stream=True), True),
        (streaming().edit(max_tokens=5), False),
        (msgspec.structs.replace(streaming(), origin=None), False),
        (msgspec.structs.replace(streaming(), prompt="Once"), False),
    ],
    ids=["plain", "whole", "no-usage", "usage-off", "alias", "other", "default-usage", "edited", "no-origin", "prompt"],
)
def test_bytes_are_relayed_only_where_they_are_what_we_would_write(request_: Generate, relayed: bool):
    """Same dialect, same name, the provider's own card, nothing edited, and usage wanted."""
    assert may_relay(request_, "openai_chat", "up") is relayed
    assert not may_relay(request_, "anthropic_messages", "up")


async def test_the_models_true_name_is_not_shown_to_who_asked_for_another():
    """A stream that names a dated model is rendered, not relayed."""
    batches = await ask(stream([*completion_events(model="scripted-2026"), DONE]), streaming())
    assert all(batch.raw is None for batch in batches)
    assert answer_of(batches).model == "scripted-2026"


async def test_a_last_event_without_its_blank_line_is_relayed_whole():
    """The end of the stream ends its last event."""
    batches = await ask(until_close(b"".join(completion_events()).rstrip()), streaming())
    assert raw_of(batches) == RELAYED
    assert answer_of(batches).usage is not None


def test_what_it_can_do_is_told_by_its_protocols():
    """It lists models, and does not count prompts."""
    engine = engine_at("https://api.example.com")
    assert isinstance(engine, Lists)
    assert not isinstance(engine, Counts)
    assert engine.name == "up"


def test_a_provider_that_cannot_be_is_named():
    """Errors of the configuration name the provider."""
    with pytest.raises(RixinError, match="provider up: base_url") as caught:
        engine_at("api.example.com")
    assert caught.value.kind is Kind.CONFIGURATION
    mute = msgspec.structs.replace(DIALECT, upstream=None)
    with pytest.raises(RixinError, match="provider up"):
        Remote.connect(Provider(name="up", base_url="https://a.example"), mute, {})


def test_a_models_card_is_not_needed_to_be_ready():
    """Making ready asks nothing of an upstream that is not there."""
    asyncio.run(engine_at("http://127.0.0.1:9").ready())


async def test_a_huge_event_is_read_in_linear_time():
    """An event of megabytes, which arrives in small pieces, comes whole."""
    words = "字" * 700_000
    data = b"".join(completion_events([words])) + DONE
    pieces = [Send(data[i : i + 4096]) for i in range(0, len(data), 4096)]
    steps = until_close(b"")
    batches = await ask([steps[0], *pieces, steps[1]], streaming())
    assert answer_of(batches).choices[0].text == words
