"""The application behind another server, by ASGI."""

import asyncio
import json
from pathlib import Path

import pytest

from rixin.core.events import Finish, Start, Text
from rixin.core.usage import Usage
from rixin.server.asgi import Message, Scope
from rixin.settings import Server, Settings
from tests.support.hang import HANG
from tests.support.web import Site, site

CHAT = "/v1/chat/completions"


async def asked(served: Site, body: bytes, *, stays: bool = True) -> list[Message]:
    """What the application sends to a client that asks for a chat completion, and stays for the answer or leaves."""
    sent: list[Message] = []
    waiting: list[Message] = [{"type": "http.request", "body": body}]

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        if stays:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"a"), (b"authorization", f"Bearer {served.key}".encode())]
    scope: Scope = {"type": "http", "method": "POST", "path": CHAT, "query_string": b"", "headers": headers}
    async with asyncio.timeout(HANG):
        await served.app(scope, receive, send)
    return sent


@pytest.mark.parametrize("streamed", [False, True])
async def test_another_server_may_stand_before_the_application(tmp_path: Path, *, streamed: bool) -> None:
    """What it sends is the same."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as served:
        served.engine.script = [
            [Start(id="up", created=1, model="m"), Text(text="Hello")],
            [Finish(reason="stop"), Usage(prompt=1, completion=1)],
        ]
        start, *rest = await asked(served, json.dumps(served.body(stream=streamed)).encode())
        body = b"".join(message["body"] for message in rest)
        async with served.post(stream=streamed) as answer:
            assert start["status"] == answer.status == 200
            told = await answer.read()
    assert b"Hello" in body
    assert body.count(b"data: ") == told.count(b"data: ")


async def test_p4_a_client_that_leaves_another_server_ends_what_it_asked_for(tmp_path: Path) -> None:
    """At once."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as served:
        served.engine.script = [[Start(id="up", created=1, model="m")], asyncio.Event()]
        sent = await asked(served, json.dumps(served.body()).encode(), stays=False)
        await asyncio.wait_for(served.engine.left.wait(), HANG)
    assert sent == []


async def test_websockets_are_closed(tmp_path: Path) -> None:
    """Nothing here speaks that."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as served:
        await served.app({"type": "websocket", "path": CHAT}, receive, send)
        await served.app({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1003}]
