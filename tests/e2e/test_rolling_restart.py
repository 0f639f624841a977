"""Two servers on one database behind nginx are restarted one after the other, and nobody notices."""

import asyncio
import json
import secrets
import socket
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.support.databases import new_place, url_of
from tests.support.load import Load
from tests.support.nginx import nginx
from tests.support.server import Server, start
from tests.upstreams.scripted import (
    DONE,
    Delay,
    Reply,
    Request,
    ScriptedUpstream,
    Step,
    answer,
    completion,
    completion_events,
    stream,
)

WORDS = [f"word {number} " for number in range(20)]
TEXT = "".join(WORDS)
STREAMS, PLAIN = 12, 6
"""How many of each are under way at any time."""
AROUND = 60
"""Answers that must come before, between and after the restarts."""

pytestmark = pytest.mark.timeout(400)


def reply(request: Request) -> Reply:
    """A stream of a second, or an answer that takes a while."""
    if request.method == "GET":
        return answer(json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}))
    if not request.json.get("stream"):
        return [Delay(0.2), *answer(completion(TEXT))]
    pieces: list[bytes | Step] = []
    for piece in completion_events(WORDS):
        pieces += [piece, Delay(0.05)]
    return stream([*pieces, DONE])


async def _ask(client: aiohttp.ClientSession, url: str, key: str, *, streamed: bool) -> str | None:
    """Asks once. Returns an answer that is not whole."""
    body = {"model": "m", "stream": streamed, "messages": [{"role": "user", "content": "Hi"}]}
    headers = {"authorization": f"Bearer {key}"}
    async with client.post(f"{url}/v1/chat/completions", json=body, headers=headers) as response:
        told = await response.text()
        whole = response.status == 200 and (_streamed(told) if streamed else _whole(told)) == TEXT
        return None if whole else f"{response.status} {told[-300:]}"


def _whole(told: str) -> str:
    return json.loads(told)["choices"][0]["message"]["content"]


def _streamed(told: str) -> str:
    *events, end, rest = told.split("\n\n")
    if (end, rest) != ("data: [DONE]", ""):
        return "cut"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events if event.startswith("data: ")]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """What both servers share."""
    with new_place("postgresql", tmp_path) as place:
        yield url_of(place)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports


async def test_a_rolling_restart_loses_no_request(database: str, tmp_path: Path, program: Callable[[str], str]) -> None:
    """None is refused and none is cut, streamed or not."""
    environ = {"RIXIN_DATABASE_URL": database, "RIXIN_SECRET_KEY": secrets.token_hex(32)}
    first_port, second_port, front = free_ports(3)
    running: dict[int, tuple[Server, Callable[[], int]]] = {}
    async with ScriptedUpstream(reply) as upstream:

        def begin(port: int) -> None:
            running[port] = start(tmp_path / str(port), "--port", str(port), config=upstream.provider, env=environ)

        def end(port: int) -> None:
            server, stop = running[port]
            assert stop() == 0, "".join(server.output)

        try:
            for port in (first_port, second_port):
                await asyncio.to_thread(begin, port)
            server, _ = running[first_port]
            made = subprocess.run(
                server.cli("keys", "create", "load", "--json"),
                check=True,
                capture_output=True,
                text=True,
                env=server.environ,
            )
            key = json.loads(made.stdout)["key"]
            addresses = [server.url for server, _ in running.values()]
            with nginx(program("nginx"), addresses, front, tmp_path) as url:
                async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
                    streamed, plain = (partial(_ask, client, url, key, streamed=streamed) for streamed in (True, False))
                    load = Load([streamed] * STREAMS + [plain] * PLAIN)
                    asking = asyncio.create_task(load.run())
                    await load.more(AROUND)
                    for port in (first_port, second_port):
                        await asyncio.to_thread(end, port)
                        await load.more(AROUND)
                        await asyncio.to_thread(begin, port)
                        await load.more(AROUND)
                    load.stop()
                    await asking
        finally:
            for _, stop in running.values():
                stop()
    assert load.lost == []
    assert load.answered >= 5 * AROUND
