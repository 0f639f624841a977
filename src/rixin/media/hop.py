"""One exchange with a host whose addresses were checked."""

import asyncio
import socket
import ssl
from functools import partial
from typing import TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from rixin import __version__
from rixin.media.allowance import Allowance
from rixin.media.fetch_error import FetchError
from rixin.media.guard import Address, host_of, is_fetchable, literal_address, read_url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"accept": "image/*, video/*", "accept-encoding": "identity", "user-agent": f"rixin/{__version__}"}

_AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[str | int, ...]]
"""What `socket.getaddrinfo` gives."""


async def hop(
    url: URL,
    addresses: frozenset[Address],
    allowance: Allowance,
    *,
    connect: float,
    head: float,
    tls: ssl.SSLContext | None,
) -> bytearray | URL:
    """What a URL holds, or where it redirects to.

    Args:
        url: One that may be fetched.
        addresses: Those of its host, which were checked; no other is connected to.
        allowance: The bytes are taken from it before they are kept.
        connect: Seconds until a connection stands, at most.
        head: Seconds until the answer's head is there, connecting included.
        tls: Whom to trust; whom the system trusts unless given.

    Raises:
        FetchError: It could not be fetched.
        RixinError: As `Allowance.take`.
    """
    connector = aiohttp.TCPConnector(
        resolver=_Pinned(addresses),
        use_dns_cache=False,
        force_close=True,
        ssl=tls or True,
        socket_factory=partial(open_socket, addresses),
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect),
    )
    try:
        async with session:
            async with asyncio.timeout(head):
                answer = await session.get(url, headers=_HEADERS, allow_redirects=False)
            try:
                return _next(url, answer) if answer.status in _REDIRECTS else await _body(answer, allowance)
            finally:
                answer.close()
    except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
        # Without its text, which may hold the URL: whoever has a signed one has what it names.
        raise FetchError(f"{host_of(url)}, port {url.port or 0}: {type(error).__name__}") from None


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
