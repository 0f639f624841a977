"""Responses and Messages over HTTP: where they live, and what their answers carry besides the body."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from rixin.core.events import Event, Finish, Start, Text
from rixin.core.usage import Usage
from rixin.errors import Kind, RixinError
from rixin.settings import Server, Settings
from tests.support.engines import Step
from tests.support.web import Site, site

START: Event = Start(id="up-1", created=1, model="m")
END: list[Event] = [Finish(reason="stop"), Usage(prompt=7, completion=2)]
ANSWER: list[Step] = [[START], [Text(text="Hel")], [Text(text="lo")], END]

MESSAGES = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
RESPONSES = {"model": "m", "input": "Hi"}
BODIES = {
    "/v1/responses": RESPONSES,
    "/compatible-mode/v1/responses": RESPONSES,
    "/v1/messages": MESSAGES,
    "/anthropic/v1/messages": MESSAGES,
}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application whose engine plays `ANSWER`."""
    settings = Settings(server=Server(data_dir=tmp_path, keep_alive=0.1))
    async with site(tmp_path, settings) as running:
        running.engine.script = ANSWER
        yield running


def post(served: Site, path: str, **fields: Any) -> Any:
    """Sends a small request of the dialect that lives at a path."""
    headers = {"x-api-key": served.key, "anthropic-version": "2023-06-01"}
    return served.client.post(served.url + path, json={**BODIES[path.partition("?")[0]], **fields}, headers=headers)


def events_of(text: str) -> list[tuple[str, Any]]:
    """Type and data of a stream's events."""
    events: list[tuple[str, Any]] = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        events.append(
            (lines.get("event", ""), lines["data"] if lines["data"] == "[DONE]" else json.loads(lines["data"]))
        )
    return events


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("stream", [False, True])
async def test_both_dialects_are_served(served: Site, path: str, stream: bool) -> None:
    """Whole and streamed, wherever their clients look for them."""
    async with post(served, path, stream=stream) as response:
        text = await response.text()
    assert response.status == 200
    assert "Hel" in text
    [row] = await served.ledger.recent()
    assert (row.dialect, row.prompt_tokens, row.completion_tokens) == (
        "openai_responses" if "input" in BODIES[path] else "anthropic",
        7,
        2,
    )


async def test_t12_a_beta_query_and_a_slash_lead_where_they_were_meant_to(served: Site) -> None:
    """As Claude Code and base URLs with slips in them ask."""
    for path in ("/v1/messages?beta=true", "/v1/responses"):
        for slip in ("", "/"):
            plain, mark, query = path.partition("?")
            headers = {"x-api-key": served.key}
            url = f"{served.url}{plain}{slip}{mark}{query}"
            async with served.client.post(url, json=BODIES[plain], headers=headers) as response:
                assert response.status == 200, url


@pytest.mark.parametrize("stream", [False, True])
async def test_a13_messages_carry_their_request_id(served: Site, stream: bool) -> None:
    """Anthropic's SDKs look for it in a header of their own; an error has it once, in its body too."""
    async with post(served, "/v1/messages", stream=stream) as response:
        assert response.headers.getall("request-id") == [response.headers["x-request-id"]]
    served.engine.script = [RixinError(Kind.OVERLOADED, "Busy.", retry_after=3)]
    async with post(served, "/v1/messages", stream=stream) as response:
        body = await response.json()
    assert response.headers.getall("request-id") == [response.headers["x-request-id"]] == [body["request_id"]]
    assert (response.status, body["error"]["type"]) == (529, "overloaded_error")
    assert response.headers["retry-after"] == "3"


async def test_responses_carry_no_header_of_messages(served: Site) -> None:
    """Each dialect has its own headers."""
    async with post(served, "/v1/responses") as response:
        assert "request-id" not in response.headers


async def test_ids_are_made_from_the_request_id(served: Site) -> None:
    """Whoever holds an answer can ask for its record."""
    for path, prefix in (("/v1/responses", "resp_"), ("/v1/messages", "msg_")):
        async with post(served, path) as response:
            made = response.headers["x-request-id"].replace("-", "")
            assert (await response.json())["id"] == prefix + made


@pytest.mark.parametrize(
    ("path", "opening", "sign", "end"),
    [
        ("/v1/responses", ["response.created", "response.in_progress"], "response.in_progress", "response.completed"),
        ("/v1/messages", ["ping", "ping"], "ping", "message_stop"),
    ],
)
async def test_t3_silence_is_bridged_by_events_that_clients_ignore(
    served: Site, path: str, opening: list[str], sign: str, end: str
) -> None:
    """From before the engine's first word, data that counts for an idle timer; the answer still comes, and once."""
    gate = asyncio.Event()
    served.engine.script = [gate, *ANSWER]
    async with post(served, path, stream=True) as response:
        seen = b""
        while seen.count(b"event: " + sign.encode()) < 2:
            seen += await response.content.readuntil(b"\n\n")
        gate.set()
        events = events_of((seen + await response.read()).decode())
    kinds = [kind for kind, _ in events]
    assert kinds[: len(opening)] == opening
    assert end in kinds
    assert kinds.count("response.created") + kinds.count("message_start") == 1


async def test_s10_an_open_stream_fails_in_its_own_words(served: Site) -> None:
    """`response.failed` and `event: error`, with a code to act upon, and no end that looks whole."""
    for path, last in (("/v1/responses", "response.failed"), ("/v1/messages", "error")):
        served.engine.script = [[START, Text(text="Hel")], RixinError(Kind.OVERLOADED, "Busy.")]
        async with post(served, path, stream=True) as response:
            events = events_of(await response.text())
        kind, data = events[-1]
        assert kind == last
        error = data["response"]["error"] if path == "/v1/responses" else data["error"]
        assert error.get("code", error.get("type")) in {"server_is_overloaded", "overloaded_error"}
        assert not {"response.completed", "message_stop"} & {kind for kind, _ in events}


async def test_t4_streams_are_kept_from_proxies(served: Site) -> None:
    """Nothing on the way may hold them back or compress them, whatever the client would take."""
    for path in ("/v1/responses", "/v1/messages"):
        headers = {"x-api-key": served.key, "accept-encoding": "gzip, deflate, br, zstd"}
        async with served.client.post(
            served.url + path, json={**BODIES[path], "stream": True}, headers=headers
        ) as response:
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert response.headers["cache-control"] == "no-cache, no-transform"
            assert response.headers["x-accel-buffering"] == "no"
            assert "content-encoding" not in response.headers


@pytest.mark.parametrize("path", ["/v1/responses", "/compatible-mode/v1/responses"])
async def test_t11_a_websocket_is_declined_at_once(served: Site, path: str) -> None:
    """With the status that makes Codex go on over HTTP, and a reason; any other GET is told the method."""
    upgrade = {
        "x-api-key": served.key,
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    async with served.client.get(served.url + path, headers=upgrade) as response:
        body = await response.json()
    assert (response.status, "no WebSocket" in body["error"]["message"]) == (426, True)
    assert response.headers["upgrade"] == "HTTP/1.1"
    async with served.client.get(served.url + path, headers={"x-api-key": served.key}) as response:
        assert response.status == 405


@pytest.mark.parametrize("fields", [{"input": ""}, {"input": []}, {"input": None}])
@pytest.mark.parametrize("stream", [False, True])
async def test_t12_a_probe_without_input_is_answered_by_nobody(
    served: Site, fields: dict[str, Any], stream: bool
) -> None:
    """A whole, empty response; no model is asked. What is wrong with key or model is told as ever."""
    async with post(served, "/v1/responses", stream=stream, **fields) as response:
        text = await response.text()
    body = events_of(text)[-2][1]["response"] if stream else json.loads(text)
    assert (response.status, body["status"]) == (200, "completed")
    assert [part["text"] for item in body["output"] for part in item["content"]] == [""]
    assert body["usage"]["total_tokens"] == 0
    assert served.engine.requests == []
    async with post(served, "/v1/responses", model="n", **fields) as response:
        assert response.status == 404


async def test_a_compaction_of_nothing_is_refused(served: Site) -> None:
    """There is nothing to make shorter."""
    headers = {"x-api-key": served.key}
    url = f"{served.url}/v1/responses/compact"
    async with served.client.post(url, json={"model": "m", "input": []}, headers=headers) as response:
        assert (response.status, (await response.json())["error"]["param"]) == (400, "input")


@pytest.mark.parametrize(
    ("path", "last", "word"),
    [("/v1/responses", "response.failed", "server_error"), ("/v1/messages", "error", "overloaded_error")],
)
async def test_o8_streams_that_outlast_a_shutdown_are_told(served: Site, path: str, last: str, word: str) -> None:
    """With an error that makes agents ask again, of a server that may be up by then; never with an end."""
    served.engine.script = [[START, Text(text="Hel")], asyncio.Event()]
    async with post(served, path, stream=True) as response:
        seen = await response.content.readuntil(b"Hel")
        await served.app.drain(0)
        events = events_of((seen + await response.read()).decode())
    kind, data = events[-1]
    error = data["response"]["error"] if "response" in data else data["error"]
    assert (kind, error.get("code", error.get("type"))) == (last, word)
    assert "shutting down" in error["message"]


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
async def test_t10_an_agent_that_is_interrupted_ends_the_work(served: Site, path: str) -> None:
    """The engine is left, the row says who went, and the stream is not carried to an end that nobody reads."""
    served.engine.script = [[START, Text(text="Hel")], asyncio.Event()]
    async with post(served, path, stream=True) as response:
        await response.content.readuntil(b"Hel")
        response.close()
    async with asyncio.timeout(10):
        await served.engine.left.wait()
    await served.app.drain(10)
    [row] = await served.ledger.recent()
    assert (row.status, row.error, row.stream) == (499, "cancelled", True)
