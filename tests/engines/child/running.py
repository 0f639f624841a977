"""Engine children that really run, and a caller that speaks to them."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp
import msgspec

from rixin.core.events import Event
from rixin.core.responses import Response, collect
from rixin.dialects.openai_chat.reader import ChatReader
from rixin.engines.base import Sign
from rixin.engines.child.config import ChildConfig
from rixin.engines.child.status import Ready, Status, decode_status
from rixin.engines.child_protocol import last_sign
from rixin.settings import path_to_text
from tests.support.hang import HANG

MODELS = Path(__file__).parents[3] / ".cache" / "models"
SMOLLM2 = MODELS / "smollm2-135m.gguf"
QWEN = MODELS / "qwen2.5-coder-0.5b.gguf"


COMMAND = (sys.executable, "-m", "rixin.engines.child")


def encode_config(config: ChildConfig) -> bytes:
    """The first line of a child's stdin."""
    return msgspec.json.encode(config, enc_hook=path_to_text) + b"\n"


class Child:
    """A running child and what it said of itself."""

    def __init__(self, process: subprocess.Popen[bytes], config: ChildConfig) -> None:
        self.process = process
        self.config = config
        self.statuses: list[Status] = []

    @property
    def ready(self) -> Ready:
        """What it said when it was ready; it must have said that."""
        last = self.statuses[-1]
        assert isinstance(last, Ready), last
        return last

    def client(self) -> "Client":
        """A caller of it."""
        return Client(self.config.socket)

    def hear(self) -> None:
        """Reads statuses up to the last one of the start."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.statuses.append(decode_status(line))
            if isinstance(self.statuses[-1], Ready):
                break


@contextmanager
def start(config: ChildConfig, log: BinaryIO | None = None) -> Generator[Child, None, None]:
    """A child, from its first line to its end; `log` takes its stderr."""
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    child = Child(process, config)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(encode_config(config))
        process.stdin.flush()
        child.hear()
        yield child
    finally:
        process.stdin.close()
        process.kill()
        process.wait(HANG)
        process.stdout.close()


def signs_in(data: bytes) -> list[Sign]:
    """The signs of life of a stream."""
    return [sign for piece in data.split(b"\n\n") if (sign := last_sign(piece + b"\n\n")) is not None]


class Client:
    """Speaks to a child over its socket, a new connection for each request."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    @asynccontextmanager
    async def request(
        self, method: str, path: str, body: object = None, *, key: str = ""
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """One exchange; leaving it early closes the connection."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connector = aiohttp.UnixConnector(str(self._socket), force_close=True)
        timeout = aiohttp.ClientTimeout(total=HANG)
        async with (
            aiohttp.ClientSession("http://child", connector=connector, timeout=timeout) as session,
            session.request(method, path, data=data, headers={"x-rixin-key": key} if key else {}) as response,
        ):
            yield response

    async def post(self, body: object, path: str = "/v1/chat/completions", *, key: str = "") -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        async with self.request("POST", path, body, key=key) as response:
            return response.status, json.loads(await response.read())

    async def answer(self, body: Mapping[str, object], *, key: str = "") -> dict[str, Any]:
        """A whole answer, which must be one."""
        status, answer = await self.post(body, key=key)
        assert status == 200, answer
        return answer

    async def stream_bytes(self, body: Mapping[str, object], *, key: str = "") -> bytes:
        """A whole stream as it was sent."""
        async with self.request("POST", "/v1/chat/completions", {**body, "stream": True}, key=key) as response:
            data = await response.read()
            assert response.status == 200, data
            assert response.headers["content-type"] == "text/event-stream"
            return data

    async def events(self, body: Mapping[str, object], *, key: str = "") -> list[Event]:
        """The events of a stream, read as the server in front reads them."""
        reader = ChatReader()
        data = await self.stream_bytes(body, key=key)
        return [*reader.feed(data), *reader.eof()]

    async def collected(self, body: Mapping[str, object], *, key: str = "") -> Response:
        """The answer that a stream amounts to."""
        return collect(await self.events(body, key=key))

    async def error(self, body: object, path: str = "/v1/chat/completions") -> tuple[int, dict[str, Any]]:
        """The error that a request is refused with."""
        status, answer = await self.post(body, path)
        return status, answer["error"]

    async def load(self) -> dict[str, Any]:
        """How busy the child says it is."""
        async with self.request("GET", "/v1/load") as response:
            return await response.json()

    async def until_load(self, **expected: int) -> None:
        """Waits until the load is as expected, or for too long."""
        async with asyncio.timeout(HANG):
            # Another process has no event to wait for.
            while {name: (await self.load())[name] for name in expected} != expected:  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.005)


def ask(text: str, **fields: object) -> dict[str, object]:
    """A body that asks one question, at temperature 0."""
    body: dict[str, object] = {"model": "local", "messages": [{"role": "user", "content": text}], "temperature": 0}
    return {**body, **fields}
