"""A server in this process, its clients beside it, and what they ask it."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import httptools
import uvloop

from bench.agent import agent_body
from bench.asks import CHAT, QUESTION, Ask
from bench.build import build
from bench.targets import provider_configuration, upstream
from rixin.accounts.key_rules import KeyWish
from rixin.cli import logs
from rixin.cli.compose import compose
from rixin.clock import SystemClock
from rixin.engines.control import ControlServer
from rixin.engines.control_messages import ListModels, Models, Request
from rixin.server.server import Server
from rixin.settings import load

Connect = Callable[[], "Client"]
"""Makes a client of the server."""


@dataclass(frozen=True)
class Case:
    """What a client asks."""

    path: str
    body: Mapping[str, object]


def _chat(ask: Ask) -> Case:
    return Case(CHAT.path, CHAT.body(ask))


_TRANSLATED: Mapping[str, object] = {
    "model": "mock",
    "max_tokens": 256,
    "messages": [{"role": "user", "content": QUESTION}],
}

CASES: Mapping[str, Case] = {
    "whole": _chat(Ask("mock")),
    "stream": _chat(Ask("mock", stream=True)),
    "translated": Case("/v1/messages", _TRANSLATED),
    "translated_stream": Case("/v1/messages", {**_TRANSLATED, "stream": True}),
    "agent": Case(CHAT.path, {**agent_body(QUESTION, size=0.75), "model": "mock", "stream": False}),
}
"""A whole answer and a stream of 204 events, both also in another dialect than the upstream's, and a request of 40 kB
with 10 tools."""


class Client(asyncio.Transport):
    """A client at the other end of a connection that no network carries."""

    def __init__(self, server: Server, key: str) -> None:
        super().__init__()
        self._key = key
        self._parser = httptools.HttpResponseParser(self)
        self._complete = asyncio.Event()
        self._connection = server.connection()
        self._connection.connection_made(self)

    async def ask(self, case: Case) -> None:
        """Sends a request and takes the answer.

        Raises:
            RuntimeError: It is an error.
        """
        body = json.dumps(case.body, separators=(",", ":"))
        top = f"POST {case.path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self._key}"
        self._complete.clear()
        self._connection.data_received(f"{top}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        await self._complete.wait()
        if (status := self._parser.get_status_code()) != 200:
            raise RuntimeError(f"status {status}")

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """The server sends."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """The answer is complete."""
        self._complete.set()


async def _no_models(_peer: int, _request: Request) -> Models:
    return Models([])


@asynccontextmanager
async def _clients(port: int, folder: Path) -> AsyncGenerator[Connect]:
    """Makes clients of this server, which has one upstream, at a port of this machine."""
    config = folder / "rixin.toml"
    config.write_text(f"[server]\ndata_dir = {json.dumps(str(folder / 'data'))}\n{provider_configuration(port)}")
    control = ControlServer(folder / "control", {ListModels: _no_models})
    await control.start()
    try:
        async with compose(load(config), folder / "control", SystemClock(), config) as worker:
            key = await worker.keys.create_api_key(KeyWish(name="bench"))
            server = Server(worker.app.serve, refuse=worker.app.refuse)
            await server.start([])
            yield lambda: Client(server, key.key)
    finally:
        await control.aclose()


def with_server(work: Callable[[Connect], Awaitable[None]]) -> None:
    """Runs `work` beside a server that has the scripted upstream; once in a process, whose log is written as ever and
    read by nobody.
    """
    with (
        tempfile.TemporaryDirectory(prefix="rixin-") as name,
        upstream(build().upstream, Path(name)) as target,
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        with redirect_stderr(nowhere):
            logs.configure("info", "json")

        async def beside() -> None:
            async with _clients(target.port, Path(name)) as connect:
                await work(connect)

        runner.run(beside())
