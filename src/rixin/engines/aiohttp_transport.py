"""The transport on aiohttp, for upstreams that are reached through a proxy."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from io import BytesIO
from types import TracebackType
from weakref import WeakSet

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from rixin import __version__
from rixin.engines import socks
from rixin.engines.proxy import SOCKS
from rixin.engines.transport import UNUSED, Exchange, Timeouts
from rixin.errors import Kind, RixinError

_LARGE = 2**20
"""Bytes beyond which a body is written in pieces, so that others have their turn meanwhile."""
_BASE_HEADERS = {"accept-encoding": "identity", "user-agent": f"rixin/{__version__}"}

_FAILURES: tuple[tuple[type[Exception], Kind, str], ...] = (
    (aiohttp.ClientHttpProxyError, Kind.UPSTREAM_UNREACHABLE, "could not be reached: the proxy refused"),
    (aiohttp.ClientProxyConnectionError, Kind.UPSTREAM_UNREACHABLE, "could not be reached: the proxy did not answer"),
    (socks.SocksError, Kind.UPSTREAM_UNREACHABLE, "could not be reached: the proxy did not connect"),
    (aiohttp.ClientConnectorCertificateError, Kind.UPSTREAM_UNREACHABLE, "has a TLS certificate that is not trusted"),
    (aiohttp.ClientConnectorSSLError, Kind.UPSTREAM_UNREACHABLE, "could not be reached: the TLS handshake failed"),
    (aiohttp.ClientConnectorDNSError, Kind.UPSTREAM_UNREACHABLE, "could not be reached: its name is not known"),
    (aiohttp.ConnectionTimeoutError, Kind.UPSTREAM_UNREACHABLE, "could not be reached in time"),
    (aiohttp.ClientConnectorError, Kind.UPSTREAM_UNREACHABLE, "could not be reached"),
    (aiohttp.ServerDisconnectedError, Kind.UPSTREAM_INTERRUPTED, "closed the connection without an answer"),
    (aiohttp.ClientResponseError, Kind.UPSTREAM_INVALID, "sent something that is not an HTTP answer"),
    (aiohttp.ClientPayloadError, Kind.UPSTREAM_INTERRUPTED, "broke off its answer"),
    (aiohttp.ClientConnectionError, Kind.UPSTREAM_INTERRUPTED, "broke off the connection"),
    (HttpProcessingError, Kind.UPSTREAM_INVALID, "sent something that is not an HTTP answer"),
    (aiohttp.ClientError, Kind.UPSTREAM_INVALID, "could not be spoken to"),
    (OSError, Kind.UPSTREAM_INTERRUPTED, "broke off the connection"),
)
"""What aiohttp's exceptions mean, the first match counting."""


class AiohttpTransport:
    """Connections to one origin, all of them through a proxy. See `Transport`."""

    def __init__(
        self,
        base_url: str,
        label: str,
        timeouts: Timeouts,
        *,
        proxy: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.base_url = base_url
        self.label = label
        self.timeouts = timeouts
        self._proxy = proxy
        self._tls = tls
        self._urls: dict[str, URL] = {}
        self._session: aiohttp.ClientSession | None = None
        self._known: WeakSet[asyncio.Future[None]] = WeakSet()

    def exchange(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> AbstractAsyncContextManager[Exchange]:
        """Sends a request; see `Carrier.exchange`."""
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = URL(self.base_url + path, encoded=True)
        sent = _BASE_HEADERS if headers is None else {**_BASE_HEADERS, **headers}
        if body and "content-type" not in sent:
            sent = {**sent, "content-type": "application/json"}
        if self._session is None:
            self._session = self._open()
        send = partial(
            self._session.request,
            method,
            url,
            headers=sent,
            data=BytesIO(body) if len(body) > _LARGE else body or None,
            allow_redirects=False,
            proxy=None if self._through_socks else self._proxy,
        )
        return _AiohttpExchange(send, self.label, self.timeouts, self._known)

    async def aclose(self) -> None:
        """Closes every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @property
    def _through_socks(self) -> bool:
        return self._proxy.startswith(SOCKS)

    def _connector(self) -> aiohttp.BaseConnector:
        if self._through_socks:
            return socks.connector(self._proxy, UNUSED, self._tls)
        return aiohttp.TCPConnector(limit=0, keepalive_timeout=UNUSED, ssl=self._tls or True)

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=self._connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("accept", "content-type"),
            timeout=aiohttp.ClientTimeout(total=None, connect=self.timeouts.connect),
        )


class _AiohttpExchange:
    """One exchange; it is its own context manager."""

    def __init__(
        self,
        send: Callable[[], Awaitable[aiohttp.ClientResponse]],
        label: str,
        timeouts: Timeouts,
        known: WeakSet[asyncio.Future[None]],
    ) -> None:
        self._known = known
        self._send = send
        self._label = label
        self._timeouts = timeouts
        self._answer: aiohttp.ClientResponse | None = None
        self._headers: dict[str, str] | None = None
        self._began = 0.0
        self._end = 0.0
        self._first = True
        self._lost: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Exchange:
        self._began = asyncio.get_running_loop().time()
        self._end = self._began + self._timeouts.total
        try:
            async with asyncio.timeout_at(min(self._began + self._timeouts.first_byte, self._end)):
                self._answer = await self._send()
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise self._translate(error) from error
        self._watch(self._answer)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        answer = self._response
        if self._lost is not None:
            self._lost.remove_done_callback(self._break)
        connection = answer.connection
        if connection is not None and connection.transport is not None:
            # The answer has not ended. A plain close would first send what is left of the request.
            connection.transport.abort()
        answer.close()

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        if self._headers is None:
            self._headers = {name.lower(): value for name, value in self._response.headers.items()}
        return self._headers

    @property
    def _response(self) -> aiohttp.ClientResponse:
        if self._answer is None:
            raise RuntimeError("an exchange is read inside its context only")
        return self._answer

    async def read(self) -> bytes:
        content = self._response.content
        if content.exception() is not None:
            arrived = content._read_nowait(-1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its public methods lose what came before a break
            if arrived:
                return arrived
        try:
            if content.is_eof():
                return await content.readany()  # waits for nothing
            async with asyncio.timeout_at(self._deadline()):
                data = await content.readany()
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise self._translate(error) from error
        self._first = False
        return data

    async def read_all(self, limit: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while data := await self.read():
            size += len(data)
            if size > limit:
                raise RixinError(Kind.UPSTREAM_INVALID, f"{self._label} sent an answer of more than {limit} bytes.")
            pieces.append(data)
        return b"".join(pieces)

    def _watch(self, answer: aiohttp.ClientResponse) -> None:
        """Makes a lost connection end the answer: after garbage in mid-body aiohttp would leave its reader waiting."""
        connection = answer.connection
        protocol = None if connection is None else connection.protocol
        lost = None if protocol is None else protocol.closed
        if lost is None:
            return
        if lost not in self._known:
            self._known.add(lost)
            lost.add_done_callback(_retrieve)
        lost.add_done_callback(self._break)
        self._lost = lost

    def _break(self, _lost: asyncio.Future[None]) -> None:
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the connection ended within the answer"))

    def _deadline(self) -> float:
        deadline = asyncio.get_running_loop().time() + self._timeouts.idle
        if self._first:
            deadline = max(deadline, self._began + self._timeouts.first_byte)
        return min(deadline, self._end)

    def _translate(self, error: aiohttp.ClientError | HttpProcessingError | OSError) -> RixinError:
        kind, meaning = next((kind, meaning) for foreign, kind, meaning in _FAILURES if isinstance(error, foreign))
        if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
            kind, meaning = Kind.UPSTREAM_TIMEOUT, "did not answer in time"
        return RixinError(kind, f"{self._label} {meaning}.", detail=f"{type(error).__name__}: {error}")


def _retrieve(lost: asyncio.Future[None]) -> None:
    """Takes note of why a connection was lost, so that asyncio does not log it as forgotten."""
    if not lost.cancelled():
        lost.exception()
