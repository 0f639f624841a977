"""An upstream that does what a test says, byte for byte: a real HTTP/1.1 server on asyncio.

A reply is a list of steps. Helpers below make the usual ones (`answer`, `stream`) and the usual faults are steps of
their own: `Delay`, `Wait`, `Stall`, `Cut`, `Reset`. The server keeps every request, and notices a client that leaves
before its answer is complete.
"""

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias, cast


@dataclass(frozen=True)
class Send:
    """Bytes, as they go onto the wire, in one write."""

    data: bytes


@dataclass(frozen=True)
class Delay:
    """Latency."""

    seconds: float


@dataclass(frozen=True)
class Wait:
    """Goes on when a test sets the event."""

    event: asyncio.Event


@dataclass(frozen=True)
class Stall:
    """Says nothing more and keeps the connection open: a half-open upstream."""


@dataclass(frozen=True)
class Cut:
    """Closes the connection in good order (FIN) wherever the answer stands."""


@dataclass(frozen=True)
class Reset:
    """Resets the connection (RST)."""


Step: TypeAlias = Send | Delay | Wait | Stall | Cut | Reset
Reply: TypeAlias = Sequence[Step]


@dataclass(frozen=True)
class Request:
    """A request as it came; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        return cast("dict[str, Any]", json.loads(self.body))


def head(status: int = 200, **headers: str) -> bytes:
    """The head of an answer; an underscore in a header's name stands for a hyphen."""
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(
    body: bytes | str, *, status: int = 200, content_type: str = "application/json", **headers: str
) -> list[Step]:
    """A whole answer with its length."""
    data = body.encode() if isinstance(body, str) else body
    return [Send(head(status, content_type=content_type, content_length=str(len(data)), **headers) + data)]


def chunk(data: bytes) -> bytes:
    """One piece of a chunked answer."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def stream(
    pieces: Iterable[bytes | Step], *, end: Step | None = None, content_type: str = "text/event-stream"
) -> list[Step]:
    """A chunked answer: pieces one by one, other steps between them, and its proper end unless `end` is given."""
    steps: list[Step] = [Send(head(content_type=content_type, transfer_encoding="chunked"))]
    steps += [Send(chunk(piece)) if isinstance(piece, bytes) else piece for piece in pieces]
    return [*steps, end or Send(b"0\r\n\r\n")]


def until_close(data: bytes, *, end: Step | None = None, content_type: str = "text/event-stream") -> list[Step]:
    """An answer without a length, which ends when the connection does."""
    return [Send(head(content_type=content_type, connection="close") + data), end or Cut()]


def event(data: object) -> bytes:
    """One server-sent event of JSON."""
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def completion_chunk(delta: dict[str, Any], finish_reason: str | None = None, *, model: str = "scripted") -> bytes:
    """One event of a streamed chat completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return event(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}
    )


def completion_events(words: Sequence[str] = ("Paris", " 巴黎"), *, model: str = "scripted") -> list[bytes]:
    """The events of a whole streamed chat completion, without `[DONE]`."""
    usage = {"prompt_tokens": 5, "completion_tokens": len(words), "total_tokens": 5 + len(words)}
    return [
        completion_chunk({"role": "assistant", "content": ""}, model=model),
        *(completion_chunk({"content": word}, model=model) for word in words),
        completion_chunk({}, "stop", model=model),
        event(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": model,
                "choices": [],
                "usage": usage,
            }
        ),
    ]


def completion(text: str = "Paris 巴黎", *, model: str = "scripted") -> bytes:
    """A whole chat completion."""
    message = {"role": "assistant", "content": text}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
        },
        ensure_ascii=False,
    ).encode()


class ScriptedUpstream:
    """The server: `async with ScriptedUpstream(reply) as upstream`, then `upstream.url` or `upstream.socket`.

    Args:
        reply: What every request gets, or a function that chooses by request.
        socket: Where to listen instead of a port of 127.0.0.1.
    """

    def __init__(self, reply: Reply | Callable[[Request], Reply], *, socket: Path | None = None) -> None:
        self._choose: Callable[[Request], Reply] = reply if callable(reply) else lambda _request: reply
        self.socket = socket
        self.requests: list[Request] = []
        self.connections = 0
        self.asked = asyncio.Event()
        """Set by the first request."""
        self.left = asyncio.Event()
        """Set when a client leaves before its answer is complete."""
        self._open: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def provider(self) -> str:
        """What `rixin.toml` says of it: a provider `up` with one key and the model `m`; more fields may follow."""
        return f'[[providers]]\nname = "up"\nbase_url = "{self.url}"\napi_keys = ["sk-up"]\nmodels = ["m"]\n'

    @property
    def posted(self) -> list[Request]:
        """The requests that ask for something; whoever looks at the list of models does so at any time."""
        return [request for request in self.requests if request.method == "POST"]

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        factory = partial(_Connection, self)
        if self.socket is not None:
            self._server = await loop.create_unix_server(factory, str(self.socket))
        else:
            self._server = await loop.create_server(factory, "127.0.0.1", 0)
            self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._open):
            connection.abort()
        await self._server.wait_closed()

    def reply_to(self, request: Request) -> Reply:
        """Keeps a request and chooses its reply."""
        self.requests.append(request)
        self.asked.set()
        return self._choose(request)

    def opened(self, connection: "_Connection") -> None:
        """Counts a connection."""
        self.connections += 1
        self._open.add(connection)

    def closed(self, connection: "_Connection", *, answering: bool) -> None:
        """Notices that a connection has gone."""
        self._open.discard(connection)
        if answering:
            self.left.set()


class _Connection(asyncio.Protocol):
    """One client: requests one after the other, each answered by its steps."""

    def __init__(self, upstream: ScriptedUpstream) -> None:
        self._upstream = upstream
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None
        self._ended_by_us = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._upstream.opened(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next_request()

    def connection_lost(self, exc: Exception | None) -> None:
        answering = self._task is not None and not self._ended_by_us
        self._upstream.closed(self, answering=answering)
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        self._ended_by_us = True
        if self._transport is not None:
            self._transport.abort()

    def _next_request(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if self._task is not None or end < 0:
            return
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        whole = end + 4 + int(headers.get("content-length", "0"))
        if len(self._buffer) < whole:
            return
        method, path, _ = lines[0].split(" ")
        request = Request(method, path, headers, self._buffer[end + 4 : whole])
        self._buffer = self._buffer[whole:]
        self._task = asyncio.get_running_loop().create_task(self._answer(self._upstream.reply_to(request)))

    async def _answer(self, reply: Reply) -> None:
        assert self._transport is not None
        for step in reply:
            match step:
                case Send(data):
                    self._transport.write(data)
                    await asyncio.sleep(0)  # each piece is a write of its own
                case Delay(seconds):
                    await asyncio.sleep(seconds)
                case Wait(event):
                    await event.wait()
                case Stall():
                    await asyncio.Event().wait()
                case Cut():
                    self._ended_by_us = True
                    self._transport.close()
                    return
                case Reset():
                    self._reset()
                    return
        self._task = None
        self._next_request()

    def _reset(self) -> None:
        assert self._transport is not None
        connection = cast("socket.socket", self._transport.get_extra_info("socket"))
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()
