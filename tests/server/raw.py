"""A server on a socket of this machine, and clients that send it bytes as they are written here."""

import asyncio
import math
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rixin.server.connection import Connection
from rixin.server.limits import Limits
from rixin.server.request import Request, Serve
from rixin.server.server import Server
from tests.support.hang import HANG

GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
LATE = 1e18
"""An instant by when every deadline has passed."""
LIMITS = Limits(head_timeout=HANG, silence=HANG, idle=HANG, stuck=HANG, linger=HANG)
"""Limits that no test meets unless it wants to, however busy the machine is."""


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Sends bytes."""
        self.writer.write(data)

    async def head(self) -> Answer:
        """The head of the next answer, an interim one too."""
        async with asyncio.timeout(HANG):
            text = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        names = [name.lower() for name, _ in pairs]
        assert len(set(names)) == len(names), text
        return Answer(int(first.split(" ")[1]), {name.lower(): value for name, value in pairs}, b"")

    async def answer(self, *, bodiless: bool = False) -> Answer:
        """The next answer."""
        answer = await self.head()
        if bodiless:
            return answer
        async with asyncio.timeout(HANG):
            if "transfer-encoding" in answer.headers:
                pieces: list[bytes] = []
                while piece := await self.chunk():
                    pieces.append(piece)
                answer.body = b"".join(pieces)
            elif "content-length" in answer.headers:
                answer.body = await self.reader.readexactly(int(answer.headers["content-length"]))
            else:
                answer.body = await self.reader.read()
        return answer

    async def chunk(self) -> bytes:
        """The next chunk of an answer; `b""` is its last."""
        async with asyncio.timeout(HANG):
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            return (await self.reader.readexactly(size + 2))[:-2]

    async def ask(self, data: bytes = GET) -> Answer:
        """Sends a request and takes its answer."""
        self.send(data)
        return await self.answer()

    async def rest(self) -> bytes:
        """All that comes before the server closes the connection."""
        async with asyncio.timeout(HANG):
            return await self.reader.read()

    def close(self) -> None:
        """Goes when it has sent what it had to."""
        self.writer.close()

    def leave(self) -> None:
        """Goes, without another word."""
        self.writer.transport.abort()


@dataclass
class Place:
    """A running server."""

    server: Server
    port: int
    clients: list[Client]

    async def connect(self, limit: int = 2**16) -> Client:
        """A new client; `limit` are the bytes that it takes before it is asked to."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port, limit=limit))
        self.clients.append(client)
        return client

    async def ask(self, data: bytes = GET) -> Answer:
        """The answer to a request that is alone on its connection."""
        return await (await self.connect()).ask(data)

    async def deadline(self, name: str | None) -> float:
        """Waits until the one connection waits for its client, and will do what has this name when that has lasted too
        long; None stands for one that does not wait. Gives the deadline.
        """
        async with asyncio.timeout(HANG):
            while True:
                (connection,) = self._connections()
                deadline = connection.deadline
                if (None if deadline == math.inf else connection.overdue.__name__) == name:
                    return deadline
                await asyncio.sleep(0.01)

    async def still(self, name: str) -> int:
        """As `deadline`, when no more can be written to the client, which takes nothing. Gives the bytes that are
        left.
        """
        await self.deadline(name)
        async with asyncio.timeout(HANG):
            before = -1
            transport = self._connections()[0]._transport  # pyright: ignore[reportPrivateUsage] - what is in it is nobody else's
            while before != (left := transport.get_write_buffer_size()):
                before = left
                await asyncio.sleep(0.2)
        return left

    def pass_deadlines(self) -> None:
        """Every deadline that is set passes."""
        for connection in self._connections():
            connection.check(LATE)

    def _connections(self) -> list[Connection]:
        members = self.server._shared.connections  # pyright: ignore[reportPrivateUsage] - servers show nobody
        return [member for member in members if isinstance(member, Connection)]

    async def empty(self) -> None:
        """Returns when nobody is connected any more."""
        async with asyncio.timeout(HANG):
            while self.server.connections:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(serve: Serve, limits: Limits = LIMITS) -> AsyncGenerator[Place]:
    """A server that answers as a function does."""
    listener = socket.create_server(("127.0.0.1", 0))
    place = Place(Server(serve, limits=limits), listener.getsockname()[1], [])
    await place.server.start([listener])
    try:
        yield place
    finally:
        for client in place.clients:
            client.leave()
        async with asyncio.timeout(HANG):
            await place.server.aclose(0)


async def read_all(request: Request) -> bytes:
    """The whole body of a request."""
    pieces: list[bytes] = []
    while not request.ended:
        pieces.append(await request.read())
    return b"".join(pieces)


async def echo(request: Request) -> None:
    """Answers with the method, the path and the body."""
    body = await read_all(request)
    told = f"{request.head.method} {request.head.path} ".encode()
    await request.respond(200, [(b"content-type", b"text/plain")], told + body)


async def nothing(request: Request) -> None:
    """Answers without a look at the body."""
    await request.respond(200, [], b"")


async def write_on(request: Request) -> None:
    """Writes until nobody takes it."""
    while True:
        await request.write(b"x" * 2**16)
