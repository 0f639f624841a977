"""HTTP exchanges with upstreams: what engines know of whoever carries them.

One `Transport` is one pool of connections to one origin, over TCP, TLS or a Unix socket. `engines/connections.py` says
who carries; nothing of it shows, neither types nor exceptions.

Nothing is tried twice here. A POST is not idempotent (RFC 9112, section 9.3.1), so one that was written on a connection
which the upstream was just closing is an error like any other; `retryable` says that routing may try again.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from msgspec import Struct

UNUSED: Final = 4.0
"""Seconds that an unused connection stays open: below the 5 of uvicorn and Node, so that few are found closed."""


class Timeouts(Struct, frozen=True, kw_only=True):
    """How long an upstream may take, in seconds.

    `connect` ends when the connection stands, `first_byte` with the first byte of the answer's body; `idle` is the
    longest silence after it and `total` the longest exchange. All but `idle` run from the start of the exchange.
    """

    connect: float = 10.0
    first_byte: float = 120.0
    idle: float = 120.0
    total: float = 3600.0


class Exchange(Protocol):
    """An answer whose head has arrived."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; names in lower case."""
        ...

    async def read(self) -> bytes:
        """What has arrived since the last call, in one piece; `b""` at the end of the answer.

        Raises:
            RixinError: `UPSTREAM_INTERRUPTED` when the answer broke off, `UPSTREAM_TIMEOUT` when nothing came in time.
        """
        ...

    async def read_all(self, limit: int) -> bytes:
        """The rest of the answer.

        Raises:
            RixinError: `UPSTREAM_INVALID` when it is longer than `limit` bytes, and whatever `read` raises.
        """
        ...


class Carrier(Protocol):
    """Carries exchanges with one origin."""

    def exchange(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> AbstractAsyncContextManager[Exchange]:
        """Sends a request. Leaving the context before the end of the answer closes the connection at once.

        Args:
            method: `GET` or `POST`.
            path: What follows the base URL, with its leading slash, percent-encoded.
            headers: Names in lower case.
            body: Sent as JSON where it is not empty.

        Raises:
            RixinError: `UPSTREAM_UNREACHABLE` where no connection came about, `UPSTREAM_INTERRUPTED`,
                `UPSTREAM_TIMEOUT` or `UPSTREAM_INVALID` where no answer came over it.
        """
        ...


class Closable(Carrier, Protocol):
    """A carrier whose connections can be closed."""

    async def aclose(self) -> None:
        """Closes every connection."""
        ...


class Transport(Closable, Protocol):
    """Connections to one origin."""

    async def retire(self) -> None:
        """Closes every connection as soon as it carries no exchange; one that comes later is still answered."""
        ...
