"""The connections to one origin."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohappyeyeballs
from yarl import URL

from rixin import __version__
from rixin.engines.http1.connection import Connection
from rixin.engines.transport import Exchange, Timeouts
from rixin.errors import Kind, RixinError

_NEXT_ADDRESS = 0.25
"""Seconds after which a name's next address is tried beside the one before (RFC 8305, section 5)."""

_HEADS = 256
"""Heads of requests that are remembered."""

_FAILURES: tuple[tuple[type[OSError], str], ...] = (
    (socket.gaierror, "could not be reached: its name is not known"),
    (ssl.SSLCertVerificationError, "has a TLS certificate that is not trusted"),
    (ssl.SSLError, "could not be reached: the TLS handshake failed"),
    (OSError, "could not be reached"),
)
"""What it means that no connection came about, the first match counting."""


class Http1Transport:
    """Connections to one origin, over TCP, TLS or a Unix socket. See `Transport`.

    Args:
        base_url: Normalised; what stands before every path.
        label: What errors call the upstream.
        timeouts: How long it may take.
        socket_path: The Unix socket on which it listens, where it does not at the host of `base_url`.
        tls: Who is trusted where the scheme is `https`; those whom the system trusts unless given.
    """

    def __init__(
        self,
        base_url: str,
        label: str,
        timeouts: Timeouts,
        *,
        socket_path: Path | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = URL(base_url, encoded=True)
        self.label = label
        self._timeouts = timeouts
        self._socket_path = socket_path
        self._tls = (tls or _default_tls()) if self._url.scheme == "https" else None
        self._headers = {
            "host": self._url.host_port_subcomponent or "",
            "accept-encoding": "identity",
            "user-agent": f"rixin/{__version__}",
        }
        self._targets: dict[str, str] = {}
        self._heads: dict[tuple[object, ...], bytes] = {}
        """Heads without the body's length, by what they are made of: most requests have the same."""
        self._open: set[Connection] = set()
        self._unused: dict[Connection, float] = {}
        """Those that wait for work, the longest unused first, each with the instant until which it is kept."""
        self._sweeper: asyncio.TimerHandle | None = None
        self._retired = False

    def exchange(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> AbstractAsyncContextManager[Exchange]:
        """Sends a request; see `Carrier.exchange`."""
        made_of = (method, path, bool(body), *headers.items()) if headers else (method, path, bool(body))
        head = self._heads.get(made_of)
        if head is None:
            if len(self._heads) >= _HEADS:
                self._heads.clear()
            head = self._heads[made_of] = self._head(method, path, {**self._headers, **(headers or {})}, body)
        length = b"content-length: %d\r\n\r\n" % len(body) if body or method != "GET" else b"\r\n"
        return _Exchange(self, head + length, body, self._timeouts)

    async def take(self, deadline: float) -> Connection:
        """A connection that was used before, the latest first, or a new one.

        Raises:
            RixinError: `UPSTREAM_UNREACHABLE`.
        """
        now = asyncio.get_running_loop().time()
        while self._unused:
            connection, until = self._unused.popitem()
            if until > now and connection.is_quiet:
                return connection
            connection.abort()
        limit = asyncio.timeout_at(min(now + self._timeouts.connect, deadline))
        try:
            async with limit:
                connection = await self._connect()
        except OSError as error:
            meaning = next(meaning for foreign, meaning in _FAILURES if isinstance(error, foreign))
            if limit.expired():
                meaning = "could not be reached in time"
            detail = f"{type(error).__name__}: {error}"
            raise RixinError(Kind.UPSTREAM_UNREACHABLE, f"{self.label} {meaning}.", detail=detail) from error
        self._open.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keeps a connection for the next exchange, for a while."""
        if self._retired:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        until = self._unused[connection] = connection.keep_until(loop.time())
        if self._sweeper is None:
            self._sweeper = loop.call_at(until, self._sweep)

    async def retire(self) -> None:
        """Closes what is unused, and from now on each connection after its exchange; see `Transport.retire`."""
        self._retired = True
        for connection in [*self._unused]:
            connection.abort()
        self._unused.clear()

    async def aclose(self) -> None:
        """Closes every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in self._open:
            connection.abort()

    def _head(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        target = self._targets.get(path)
        if target is None:
            target = self._targets[path] = URL(f"{self._url}{path}", encoded=True).raw_path_qs
        lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
        if body and "content-type" not in headers:
            lines.append("content-type: application/json")
        head = "\r\n".join(lines)
        breaks = len(lines) - 1
        if head.count("\r") != breaks or head.count("\n") != breaks or "\0" in head:
            raise RixinError(Kind.CONFIGURATION, f"{self.label} cannot be sent a header that holds a line break.")
        return f"{head}\r\n".encode()

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        make = partial(Connection, self.label, self._forget)
        if self._socket_path is not None:
            return (await loop.create_unix_connection(make, str(self._socket_path)))[1]
        host, port = self._url.raw_host, self._url.port
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        connected = await aiohappyeyeballs.start_connection(  # pyright: ignore[reportUnknownMemberType] - bare tuples
            addresses, happy_eyeballs_delay=_NEXT_ADDRESS, interleave=1, loop=loop
        )
        try:
            # An upstream that vanishes without a word is noticed even while a connection waits for work.
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            name = None if self._tls is None else host
            return (await loop.create_connection(make, sock=connected, ssl=self._tls, server_hostname=name))[1]
        except BaseException:
            connected.close()
            raise

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._unused.pop(connection, None)

    def _sweep(self) -> None:
        """Closes what has been unused for long."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in [connection for connection, until in self._unused.items() if until <= now]:
            del self._unused[connection]
            connection.abort()
        self._sweeper = loop.call_at(min(self._unused.values()), self._sweep) if self._unused else None


class _Exchange:
    """One exchange; it is its own context manager."""

    __slots__ = ("_began", "_body", "_connection", "_head", "_idle", "_loop", "_timeouts", "_transport")

    _connection: Connection

    def __init__(self, transport: Http1Transport, head: bytes, body: bytes, timeouts: Timeouts) -> None:
        self._transport = transport
        self._head = head
        self._body = body
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._idle = False
        """Whether the answer's body has begun, so that silence counts from what came last."""

    async def __aenter__(self) -> Self:
        self._began = self._loop.time()
        deadline = self._began + min(self._timeouts.first_byte, self._timeouts.total)
        self._connection = connection = await self._transport.take(deadline)
        try:
            await connection.ask(self._head, self._body, deadline)
        except BaseException:
            connection.abort()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection.finish():
            self._transport.give_back(self._connection)

    @property
    def status(self) -> int:
        return self._connection.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._connection.headers

    async def read(self) -> bytes:
        deadline = self._loop.time() + self._timeouts.idle
        if not self._idle:
            deadline = max(deadline, self._began + self._timeouts.first_byte)
        data = await self._connection.read(min(deadline, self._began + self._timeouts.total))
        self._idle = True
        return data

    async def read_all(self, limit: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while data := await self.read():
            size += len(data)
            if size > limit:
                who = self._transport.label
                raise RixinError(Kind.UPSTREAM_INVALID, f"{who} sent an answer of more than {limit} bytes.")
            pieces.append(data)
            if self._connection.is_read:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


@cache
def _default_tls() -> ssl.SSLContext:
    """Reading what the system trusts takes a hundredth of a second, once."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
