"""What the server does not take for a request, told as the client's dialect tells errors."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from rixin.settings import Server, Settings
from tests.server.raw import Answer, Client
from tests.support.web import Site, site

CHAT, MESSAGES, NATIVE = "/v1/chat/completions", "/v1/messages", "/v1/llm/chat-completions"


async def sent(served: Site, path: str, rest: str, method: str = "POST") -> Answer:
    """The answer to a request with whatever follows its first line."""
    client = Client(*await asyncio.open_connection("127.0.0.1", int(served.url.rpartition(":")[2])))
    client.send(f"{method} {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {served.key}\r\n{rest}".encode())
    answer = await client.answer()
    if answer.headers.get("connection") == "close":
        assert await client.rest() == b""
    client.leave()
    return answer


def message(path: str, told: Any) -> str:
    """The sentence of an error, where its dialect has it."""
    if path == MESSAGES:
        assert told["type"] == "error"
    return told["error"]["message"]


LONG = f"x: {'y' * 2**17}\r\n\r\n"
MANY = "x: y\r\n" * 1000 + "\r\n"
BOTH = "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}"
BROKEN = "transfer-encoding: chunked\r\n\r\n2\r\n{}\r\nx\r\n"
CODED = "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"


@pytest.mark.parametrize("path", [CHAT, MESSAGES, NATIVE, "/nowhere"])
@pytest.mark.parametrize(
    ("status", "rest", "says"),
    [(431, LONG, "head"), (431, MANY, "headers"), (400, BOTH, "head"), (400, BROKEN, "body"), (501, CODED, "coding")],
)
async def test_q5_a_refusal_is_an_error_of_its_dialect(
    tmp_path: Path, path: str, status: int, rest: str, says: str
) -> None:
    """It says what is wrong, has an id, and is the last answer on its connection."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as served:
        answer = await sent(served, path, rest)
        if path == "/nowhere" and rest is BROKEN:
            assert answer.status == 404  # nobody reads the body
            return
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-request-id"]
        assert says in message(path, json.loads(answer.body))


async def test_a_request_behind_a_refused_one_is_nobodys(tmp_path: Path) -> None:
    """What two servers may understand in two ways reaches no route (request smuggling)."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as served:
        body = json.dumps(served.body())
        inner = f"POST {CHAT} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {served.key}\r\ncontent-length: {len(body)}"
        answer = await sent(served, CHAT, f"{BOTH}{inner}\r\n\r\n{body}")
        assert answer.status == 400
        assert served.engine.requests == []
