"""The one place that fetches URLs which clients give.

Each hop of a fetch has a connection of its own, to an address that was checked after the name was resolved and is not
resolved again. Proxies, cookies and credentials of ours have no part in it.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import Struct
from yarl import URL

from rixin import __version__
from rixin.media.allowance import Allowance
from rixin.media.guard import Address, Guard, host_of, is_fetchable, literal_address, read_url

MAX_REDIRECTS: Final = 3

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"accept": "image/*, video/*", "accept-encoding": "identity", "user-agent": f"rixin/{__version__}"}
_RESOLVER_THREADS = 4
"""Names are looked up apart from everybody else's, so that slow ones of clients delay nobody else."""

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Finds the addresses of a host and port. Raises OSError where there are none."""
_AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[str | int, ...]]
"""What `socket.getaddrinfo` gives."""


class FetchError(Exception):
    """Something could not be fetched, or may not be. Its text is the log's: it may name what no client must see."""


class FetchTimeouts(Struct, frozen=True, kw_only=True):
    """How long a fetch may take, in seconds."""

    connect: float = 5.0
    """Until a connection stands; of each hop."""
    head: float = 15.0
    """Until the answer's head is there, connecting included; of each hop."""
    total: float = 30.0
    """All of it, redirects included."""


class Fetcher:
    """Fetches under guard.

    Args:
        guard: Says what may be fetched.
        timeouts: How long that may take.
        resolve: Looks names up; the system's resolver unless given.
        tls: Whom to trust; whom the system trusts unless given.
        at_most: Fetches that run at a time; others wait, and their time runs.
    """

    def __init__(
        self,
        guard: Guard,
        timeouts: FetchTimeouts | None = None,
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        at_most: int = 32,
    ) -> None:
        self._guard = guard
        self._timeouts = timeouts or FetchTimeouts()
        self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, "media-resolver")
        self._resolve = resolve or self._look_up
        self._tls = tls
        self._turns = asyncio.Semaphore(at_most)

    async def fetch(self, url: URL, allowance: Allowance) -> bytearray:
        """What a URL holds.

        Args:
            url: One that `guard.parse_url` has passed.
            allowance: The bytes are taken from it before they are kept.

        Raises:
            FetchError: It could not be fetched, or may not be.
            RixinError: As `Allowance.take`.
        """
        try:
            async with asyncio.timeout(self._timeouts.total), self._turns:
                for _ in range(MAX_REDIRECTS + 1):
                    found = await self._hop(url, allowance)
                    if isinstance(found, bytearray):
                        return found
                    url = found
                raise FetchError(f"more than {MAX_REDIRECTS} redirects")
        except TimeoutError:
            raise FetchError("took too long") from None

    async def aclose(self) -> None:
        """Lets go of the resolver's threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _hop(self, url: URL, allowance: Allowance) -> bytearray | URL:
        """One exchange: the body, or where it redirects to."""
        host, port = host_of(url), url.port or 0
        addresses = await self._checked(host, port)
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(addresses),
            use_dns_cache=False,
            force_close=True,
            ssl=self._tls or True,
            socket_factory=partial(open_socket, addresses),
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect),
        )
        try:
            async with session:
                async with asyncio.timeout(self._timeouts.head):
                    answer = await session.get(url, headers=_HEADERS, allow_redirects=False)
                try:
                    return _next(url, answer) if answer.status in _REDIRECTS else await _body(answer, allowance)
                finally:
                    answer.close()
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            # Without its text, which may hold the URL: whoever has a signed one has what it names.
            raise FetchError(f"{host}, port {port}: {type(error).__name__}") from None

    async def _checked(self, host: str, port: int) -> frozenset[Address]:
        """The addresses of a host, all of which may be connected to."""
        try:
            found = [host] if literal_address(host) is not None else await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise FetchError(f"{host} is not resolved: {error}") from None
        checked: set[Address] = set()
        for text in found:
            address = literal_address(text)
            if address is None or not self._guard.admits(host, address, port):
                raise FetchError(f"{host}, port {port}, is at {text}, which may not be fetched from")
            checked.add(address)
        if not checked:
            raise FetchError(f"{host} has no address")
        return frozenset(checked)

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(sockaddr[0]) for *_, sockaddr in found]


class _Pinned(AbstractResolver):
    """Answers with addresses that were checked."""

    def __init__(self, addresses: frozenset[Address]) -> None:
        self._addresses = addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - aiohttp's interface
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        pass


def open_socket(addresses: frozenset[Address], info: _AddressInfo) -> socket.socket:
    """A socket for a connection that is about to be made: the last look at where to.

    Raises:
        OSError: The address was not checked.
    """
    family, kind, protocol, _, sockaddr = info
    if literal_address(str(sockaddr[0])) not in addresses:
        raise OSError(f"{sockaddr[0]!r} was not checked")
    opened = socket.socket(family, kind, protocol)
    opened.setblocking(False)
    return opened


def _next(url: URL, answer: aiohttp.ClientResponse) -> URL:
    """Where a redirect leads, checked like the first URL."""
    location = answer.headers.get("location", "")
    reference = read_url(location)
    target = url.join(reference) if location and reference is not None else None
    if target is None or not is_fetchable(target):
        raise FetchError(f"{url.raw_host} redirects to what may not be fetched")
    if url.scheme == "https" and target.scheme != "https":
        raise FetchError(f"{url.raw_host} redirects away from TLS")
    return target


async def _body(answer: aiohttp.ClientResponse, allowance: Allowance) -> bytearray:
    if answer.status != 200:
        raise FetchError(f"{answer.url.raw_host} answered with status {answer.status}")
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        # Nobody compresses an image again but to fill our memory, and we asked for it as it is.
        raise FetchError(f"{answer.url.raw_host} answered in content-encoding {encoding[:50]}")
    if answer.content_length is not None:
        allowance.expect(answer.content_length)
    body = bytearray()
    while piece := await answer.content.readany():
        allowance.take(len(piece))
        body += piece
    return body
