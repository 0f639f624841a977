"""The one place that fetches URLs which clients give.

Each hop of a fetch has a connection of its own, to an address that was checked after the name was resolved and is not
resolved again. Proxies, cookies and credentials of ours have no part in it.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

from msgspec import Struct
from yarl import URL

from rixin.media.allowance import Allowance
from rixin.media.fetch_error import FetchError
from rixin.media.guard import Address, Guard, host_of, literal_address

MAX_REDIRECTS: Final = 3

_RESOLVER_THREADS = 4
"""Names are looked up apart from everybody else's, so that slow ones of clients delay nobody else."""

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Finds the addresses of a host and port. Raises OSError where there are none."""


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
        # aiohttp takes a tenth of a second and 5 MB to import, and many servers never fetch anything.
        from rixin.media.hop import hop  # noqa: PLC0415 - see above

        return await hop(
            url, addresses, allowance, connect=self._timeouts.connect, head=self._timeouts.head, tls=self._tls
        )

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
