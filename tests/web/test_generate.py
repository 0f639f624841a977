"""Generation over HTTP: what a client sees of answers, errors, silence and shutdown."""

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import brotli
import pytest
import zstandard

from rixin.core.events import Event, Finish, Start, Text
from rixin.core.requests import Change
from rixin.core.usage import Usage
from rixin.engines.base import Sign
from rixin.errors import Kind, RixinError
from rixin.limits.base import Limit
from rixin.settings import Server, Settings
from tests.support.engines import Step
from tests.support.web import Site, site

START: Event = Start(id="up-1", created=1, model="m")
USAGE: Event = Usage(prompt=7, completion=2, cached=3)
SMALL = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
ANSWER: list[Step] = [[START], [Text(text="Hel")], [Text(text="lo")], [Finish(reason="stop"), USAGE]]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application whose engine plays `ANSWER`."""
    settings = Settings(
        server=Server(data_dir=tmp_path, keep_alive=0.1, max_body_bytes=10_000, body_timeout=0.5, write_timeout=0.3)
    )
    async with site(tmp_path, settings) as running:
        running.engine.script = ANSWER
        yield running


def payloads(text: str) -> list[Any]:
    """The data of a stream's events."""
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


async def usage_rows(served: Site) -> list[tuple[int, str | None, int, bool]]:
    """Status, error, completion tokens and whether they are estimated, of each recorded request."""
    rows = await served.ledger.recent()
    return [(row.status, row.error, row.completion_tokens, row.estimated) for row in rows]


async def test_the_wait_for_a_slot_is_recorded(served: Site) -> None:
    """What the engine told last of how long the request waited is in its row; of others nothing is known."""
    served.engine.script = [Sign(), Sign(queued=1.5), Sign(queued=2.25, read=0.5), *ANSWER]
    await (await served.post()).read()
    served.engine.script = ANSWER
    await (await served.post()).read()
    latest, first = await served.ledger.recent()
    assert first.queue_ms == 2250
    assert latest.queue_ms is None


async def test_a_whole_answer(served: Site) -> None:
    """One JSON object, whose id is the request id, with who answered in a header."""
    async with served.post() as response:
        body = await response.json()
    assert response.status == 200
    assert body["choices"][0]["message"]["content"] == "Hello"
    assert body["id"] == body["request_id"] == response.headers["x-request-id"]
    assert body["usage"]["prompt_tokens_details"]["cached_tokens"] == 3
    assert response.headers["x-rixin-model"] == "scripted/m"
    assert response.headers["x-rixin-attempts"] == "1"
    assert await usage_rows(served) == [(200, None, 2, False)]


async def test_a_stream(served: Site) -> None:
    """Events, the end mark, and headers that keep proxies from buffering."""
    async with served.post(stream=True) as response:
        events = payloads(await response.text())
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in events[:-1]) == "Hello"
    assert events[-1] == "[DONE]"
    assert {event["id"] for event in events[:-1]} == {response.headers["x-request-id"]}


async def test_o6_a_safe_request_id_is_kept(served: Site) -> None:
    """A client's own id is echoed; one with odd characters is replaced."""
    async with served.post(headers={"x-request-id": "mine-1"}) as response:
        assert response.headers["x-request-id"] == "mine-1"
    async with served.post(headers={"x-request-id": "a b<script>"}) as response:
        assert len(response.headers["x-request-id"]) == 36


@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_before_the_first_event_is_a_status(served: Site, stream: bool) -> None:
    """Nothing has gone out, so the status tells the truth, and nothing is billed."""
    served.engine.script = [RixinError(Kind.UPSTREAM_TIMEOUT, "too slow", retry_after=3)]
    async with served.post(stream=stream) as response:
        body = await response.json()
    assert response.status == 504
    assert response.headers["retry-after"] == "3"
    assert (response.headers["x-rixin-model"], response.headers["x-rixin-attempts"]) == ("scripted/m", "1")
    assert body["error"]["message"] == "too slow"
    assert await usage_rows(served) == [(504, "upstream_timeout", 0, False)]


async def test_an_error_in_mid_stream_is_told_and_is_no_end(served: Site) -> None:
    """The stream holds the dialect's error, and no end mark; what was relayed is counted and marked as estimated."""
    served.engine.script = [[START, Text(text="Hello there")], RixinError(Kind.UPSTREAM_INTERRUPTED, "it broke")]
    async with served.post(stream=True) as response:
        events = payloads(await response.text())
    assert response.status == 200
    assert events[-1]["error"]["message"] == "it broke"
    assert "[DONE]" not in events
    [(status, error, tokens, estimated)] = await usage_rows(served)
    assert (status, error, estimated) == (502, "upstream_interrupted", True)
    assert tokens > 0


async def test_an_answer_that_breaks_is_no_answer(served: Site) -> None:
    """Without a finish, a whole answer is an error too."""
    served.engine.script = [[START, Text(text="half")]]
    async with served.post() as response:
        assert response.status == 502


async def test_a_whole_answer_that_breaks_off_is_not_billed(served: Site) -> None:
    """What the engine had said of it reached nobody: neither the row nor a limit counts it."""
    served.limits.append(Limit("key:test", "tokens", 1_040, 60.0))  # the presumed cost of one request at a time
    served.engine.script = [[START, Text(text="half " * 50)], RixinError(Kind.UPSTREAM_INTERRUPTED, "it broke")]
    for _ in range(2):
        async with served.post() as response:
            assert response.status == 502
    assert await usage_rows(served) == [(502, "upstream_interrupted", 0, False)] * 2


async def test_a_bug_is_a_plain_error(served: Site) -> None:
    """What nobody expected tells the client nothing of the inside."""
    served.engine.script = [ValueError("/secret/path")]
    async with served.post() as response:
        text = await response.text()
    assert response.status == 500
    assert "secret" not in text


async def test_a_bug_in_mid_stream_cuts_the_connection(served: Site) -> None:
    """A stream that cannot go on is aborted, never ended."""
    served.engine.script = [[START, Text(text="Hello")], ValueError("bug")]
    with pytest.raises(aiohttp.ClientPayloadError):
        async with served.post(stream=True) as response:
            await response.text()


async def test_c2_missing_usage_is_estimated(served: Site) -> None:
    """A client that asked for usage gets some, and the ledger knows that it is an estimate."""
    served.engine.script = [[START, Text(text="Hello there, you"), Finish(reason="stop")]]
    async with served.post(stream=True, stream_options={"include_usage": True}) as response:
        events = payloads(await response.text())
    assert events[-2]["choices"] == []
    assert events[-2]["usage"]["completion_tokens"] == 4
    assert await usage_rows(served) == [(200, None, 4, True)]


@pytest.mark.parametrize("stream", [False, True])
async def test_t10_a_client_that_leaves_ends_the_work(served: Site, stream: bool) -> None:
    """The engine's stream is closed, and the row says that the client went."""
    begun, never = asyncio.Event(), asyncio.Event()

    def script(_request: object) -> list[Step]:
        begun.set()
        return [[START, Text(text="Hello")], never]

    served.engine.script = script
    asking = asyncio.create_task(served.post(stream=stream)._coro)
    await begun.wait()
    if stream:
        (await asking).close()
    else:
        asking.cancel()
    await served.app.drain(10)
    assert served.engine.left.is_set()
    [row] = await usage_rows(served)
    assert row[:2] == (499, "cancelled")


async def test_t3_c1_silence_is_bridged(served: Site) -> None:
    """While the engine thinks, comments keep the connection alive, and the answer still comes whole."""
    gate = asyncio.Event()
    served.engine.script = [gate, *ANSWER]
    async with served.post(stream=True) as response:
        first = await response.content.readuntil(b"\n\n")
        assert first.startswith(b":")
        gate.set()
        events = payloads(await response.text())
    assert events[-1] == "[DONE]"


async def test_a_client_that_stops_reading_is_given_up(served: Site) -> None:
    """What nobody takes is not held for ever: the engine's work ends."""
    served.engine.script = [[START], *[[Text(text="x" * 100_000)] for _ in range(200)], [Finish(reason="stop")]]
    reader, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rpartition(":")[2]), limit=1024)
    body = json.dumps(served.body(stream=True)).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {served.key}\r\ncontent-length: {len(body)}\r\n"
    )
    writer.write(head.encode() + b"\r\n" + body)
    await reader.readexactly(100)
    async with asyncio.timeout(30):
        await served.engine.left.wait()
    await served.app.drain(10)
    [row] = await usage_rows(served)
    assert row[:2] == (499, "cancelled")
    writer.close()


async def test_a_field_name_cannot_break_the_answer(served: Site) -> None:
    """Whatever a client calls its fields, the answer comes, and the header that tells of them stays one."""
    change = Change("ignored", "x\r\nx-evil: 1\r\n(,)")
    served.engine.changes = (change,)
    async with served.post() as response:
        assert response.status == 200
        assert response.headers["x-rixin-changes"] == "ignored(x??x-evil??1?????)"
        assert "x-evil" not in response.headers


async def test_leaving_early_is_no_way_around_a_limit(served: Site) -> None:
    """A client that leaves before the first event is billed nothing, and has used up its request all the same."""
    served.limits.append(Limit("key:test", "requests", 1, 60.0))
    begun = asyncio.Event()

    def script(_request: object) -> list[Step]:
        begun.set()
        return [asyncio.Event()]

    served.engine.script = script
    asking = asyncio.create_task(served.post()._coro)
    await begun.wait()
    asking.cancel()
    async with asyncio.timeout(10):
        await served.engine.left.wait()
    await served.app.drain(10)
    assert (await usage_rows(served))[0] == (499, "cancelled", 0, True)
    async with served.post() as response:
        assert response.status == 429


async def test_running_streams_finish_in_a_shutdown(served: Site) -> None:
    """Draining waits for a stream that ends in time."""
    gate = asyncio.Event()
    served.engine.script = [[START, Text(text="Hel")], gate, [Text(text="lo"), Finish(reason="stop")]]
    async with served.post(stream=True) as response:
        draining = asyncio.create_task(served.app.drain(30))
        gate.set()
        assert payloads(await response.text())[-1] == "[DONE]"
        async with asyncio.timeout(10):
            await draining


async def test_streams_that_do_not_finish_are_told(served: Site) -> None:
    """After the deadline a stream ends in an error, not in an end mark; its row says that it was not the client."""
    served.engine.script = [[START, Text(text="Hel")], asyncio.Event()]
    async with served.post(stream=True) as response:
        await response.content.readuntil(b"\n\n")
        await served.app.drain(0)
        events = payloads(await response.text())
    assert "shutting down" in events[-1]["error"]["message"]
    assert (await usage_rows(served))[0][:2] == (503, "shutting_down")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "3"),
        (b"[]", "3"),
        (b"", "3"),
        (b'{"model":"m"}', "messages"),
        (b'{"model":"m","messages":[]}', "messages"),
        (b'{"model":"m","messages":[{"role":"king","content":"x"}]}', "role"),
        (b'{"model":5,"messages":[{"role":"user","content":"x"}]}', "model"),
        (b'{"model":"m","messages":[{"role":"user","content":"x"}],"n":0}', "n"),
        (b'{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":"x"}', "max_tokens"),
    ],
)
async def test_a_bad_body_is_refused_by_name(served: Site, body: bytes, says: str) -> None:
    """Malformed JSON and wrong fields are 400 in the platform's envelope, naming what is wrong."""
    headers = {"authorization": f"Bearer {served.key}"}
    async with served.client.post(f"{served.url}/v1/chat/completions", data=body, headers=headers) as response:
        error = (await response.json())["error"]
    assert (response.status, error["type"], error["code"]) == (400, "invalid_request_error", "3")
    assert says in str(error)
    assert served.engine.requests == []


async def test_a_body_over_the_limit_is_read_and_refused(served: Site) -> None:
    """The client gets its 413 instead of a reset."""
    async with served.post(user="x" * 20_000) as response:
        assert response.status == 413
        assert "10000" in (await response.json())["error"]["message"]


async def test_a_body_that_does_not_come_is_not_waited_for(served: Site) -> None:
    """A slow sender is told after the deadline."""

    async def never() -> AsyncGenerator[bytes, None]:
        yield b'{"model":'
        await asyncio.Event().wait()

    headers = {"authorization": f"Bearer {served.key}"}
    async with served.client.post(f"{served.url}/v1/chat/completions", data=never(), headers=headers) as response:
        assert response.status == 408


@pytest.mark.parametrize(
    ("header", "sent", "status", "says"),
    [
        ("zstd", zstandard.ZstdCompressor().compress(SMALL), 200, "Hello"),
        ("gzip, br", brotli.compress(gzip.compress(SMALL, mtime=0)), 200, "Hello"),
        ("zstd", zstandard.ZstdCompressor().compress(SMALL)[:-3], 400, "zstd"),
        ("gzip", SMALL, 400, "gzip"),
        ("zstd", zstandard.ZstdCompressor().compress(bytes(2**30)), 413, "10000"),
        ("br", b"x" * 20_000, 413, "10000"),
        ("compress", SMALL, 415, "gzip, x-gzip, deflate, zstd, br"),
    ],
)
async def test_t1_compressed_bodies_are_read(served: Site, header: str, sent: bytes, status: int, says: str) -> None:
    """As if they had come plain; what is wrong with one is told in the dialect's envelope."""
    headers = {"authorization": f"Bearer {served.key}", "content-encoding": header}
    async with served.client.post(f"{served.url}/v1/chat/completions", data=sent, headers=headers) as response:
        body = await response.json()
    assert response.status == status
    assert says in (body["choices"][0]["message"]["content"] if status == 200 else body["error"]["message"])


async def test_t2_a_body_of_megabytes_is_read_to_its_end_before_it_is_refused(served: Site) -> None:
    """Its sender, who reads only then, finds the 413 and no broken connection; the connection goes on."""
    connector = aiohttp.TCPConnector(limit=1)
    headers = {"authorization": f"Bearer {served.key}"}
    url = f"{served.url}/v1/chat/completions"
    async with aiohttp.ClientSession(connector=connector) as client:
        async with client.post(url, data=b"x" * 39_000, headers=headers) as response:
            assert response.status == 413
        async with client.post(url, json=served.body(), headers=headers) as response:
            assert response.status == 200


async def test_limits_are_told_and_kept(served: Site) -> None:
    """What remains is in the headers; the request over the limit is 429 with the wait."""
    served.limits.append(Limit("key:test", "requests", 1, 60.0))
    async with served.post() as response:
        assert response.headers["x-ratelimit-limit-requests"] == "1"
        assert response.headers["x-ratelimit-remaining-requests"] == "0"
    async with served.post() as response:
        error = (await response.json())["error"]
    assert (response.status, error["type"], error["code"]) == (429, "quota_exceeded_error", "8")
    assert 0 < int(response.headers["retry-after"]) <= 61
    assert response.headers["x-ratelimit-remaining-requests"] == "0"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/llm/chat-completions"])
@pytest.mark.parametrize("kind", [Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED, Kind.QUEUE_FULL])
async def test_who_is_told_too_many_requests_is_told_when_to_come_back(served: Site, kind: Kind, path: str) -> None:
    """In every dialect, even where an upstream did not say when."""
    served.engine.script = [RixinError(kind, "too many")]
    body = served.body() | {"input": "Hi", "max_tokens": 5}
    headers = {"authorization": f"Bearer {served.key}"}
    async with served.client.post(served.url + path, json=body, headers=headers) as response:
        assert response.status == 429
        assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failed_request_gives_its_limit_back(served: Site, stream: bool) -> None:
    """What was not served does not count, and that is told: what remains is what it was before."""
    served.limits.append(Limit("key:test", "requests", 1, 60.0))
    served.limits.append(Limit("key:test", "tokens", 5000, 18000.0))
    served.engine.script = [RixinError(Kind.UPSTREAM_INVALID, "bad")]
    async with served.post(stream=stream) as response:
        assert response.status == 502
        for name, amount in (("requests", "1"), ("tokens-5h", "5000")):
            assert response.headers.getall(f"x-ratelimit-remaining-{name}") == [amount]
            assert response.headers[f"x-ratelimit-reset-{name}"] == "0s"
    served.engine.script = ANSWER
    async with served.post() as response:
        assert response.status == 200
