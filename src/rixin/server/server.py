"""The server itself: where it listens, and how it ends."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from email.utils import formatdate

from rixin.clock import Clock, SystemClock
from rixin.server.connection import Connection
from rixin.server.limits import Limits
from rixin.server.refusal import Refusal
from rixin.server.request import Request, Serve
from rixin.server.shared import Refuse, Shared

_BACKLOG = 2048
"""Connections that the system takes for us while we are busy."""
_TICK = 1.0
"""Seconds between two looks at all deadlines."""
_ON_ITS_WAY = 0.1
"""Seconds that a request may take to reach us that was sent before its client could know that we go."""


async def refuse_plainly(request: Request, refusal: Refusal) -> None:
    """Tells a client in plain text why its request is not taken."""
    text = f"{refusal.message}\n".encode()
    await request.respond(refusal.status, [(b"content-type", b"text/plain; charset=utf-8")], text)


class Server:
    """Serves on sockets that others have bound.

    Args:
        serve: Answers requests.
        refuse: Answers those that are none, or that are beyond the limits.
        limits: What clients may do.
        clock: Time.
    """

    def __init__(
        self, serve: Serve, *, refuse: Refuse = refuse_plainly, limits: Limits | None = None, clock: Clock | None = None
    ) -> None:
        self._shared = Shared(serve, refuse, limits or Limits())
        self._clock = clock or SystemClock()
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._ticker: asyncio.TimerHandle | None = None

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._shared.connections)

    def connection(self) -> Connection:
        """A new connection, for whatever brings its bytes."""
        return Connection(self._shared)

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Begins to listen."""
        self._tick()
        loop = asyncio.get_running_loop()
        for listener in sockets:
            if listener.family in (socket.AF_INET, socket.AF_INET6):
                # Connections inherit it. Not every event loop sets it on sockets that it has not made.
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = await loop.create_server(self.connection, sock=listener, backlog=_BACKLOG)
            else:
                server = await loop.create_unix_server(self.connection, sock=listener, backlog=_BACKLOG)
            self._servers.append(server)
            self._sockets.append(listener)

    async def drain(self) -> None:
        """Stops to listen. Connections end with the answers that are under way, and at once where there are none."""
        self._shared.draining = True
        for listener in self._sockets:
            await self._accept_rest(listener)
        await asyncio.sleep(0)  # what asyncio's own loop has accepted just now would be lost
        for server in self._servers:
            server.close()
        for listener in self._sockets:
            listener.close()
        await asyncio.sleep(_ON_ITS_WAY)  # neither end can know what is on its way
        for connection in list(self._shared.connections):
            connection.finish()

    async def aclose(self, patience: float | None = None) -> None:
        """Drains, if that has not been done, and waits until all has ended: after `patience` seconds it is ended."""
        if not self._shared.draining:
            await self.drain()
        try:
            async with asyncio.timeout(patience):
                await self._shared.empty()
        except TimeoutError:
            self.abort()
            await self._shared.empty()
        if self._ticker is not None:
            self._ticker.cancel()

    def abort(self) -> None:
        """Ends every answer and every connection at once."""
        for task in list(self._shared.running):
            task.cancel()
        for connection in list(self._shared.connections):
            connection.abort()

    async def _accept_rest(self, listener: socket.socket) -> None:
        """Takes the connections that the system has taken for us: they would be reset."""
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while True:
                accepted, _ = listener.accept()
                accepted.setblocking(False)
                await loop.connect_accepted_socket(self.connection, accepted)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        shared = self._shared
        shared.now = now = loop.time()
        shared.date = f"date: {formatdate(self._clock.now(), usegmt=True)}".encode()
        for connection in list(shared.connections):
            connection.check(now)
        self._ticker = loop.call_later(_TICK, self._tick)
