"""A request as those see it who answer it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeAlias

from rixin.server.asgi import Asgi
from rixin.server.head import Head


class ClientLeftError(ConnectionError):
    """Nobody is there any more to send the rest, or to take the answer."""


class Request(Protocol):
    """A request on its way in, and its answer on its way out."""

    @property
    def head(self) -> Head:
        """What it begins with."""
        ...

    @property
    def client(self) -> str | None:
        """The address at the other end; None on a Unix socket."""
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing of the body is left to be read."""
        ...

    def take(self) -> bytes | None:
        """The body, where all of it has arrived; None where it has not, or some of it was read."""
        ...

    async def read(self) -> bytes:
        """What has arrived of the body since it was last read; waits for something, unless it has ended.

        Raises:
            ClientLeftError: No more will come.
            Refusal: What came is no body.
        """
        ...

    async def respond(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Sends a whole answer. How long it is goes without saying, here and elsewhere."""
        ...

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]], length: int | None = None) -> None:
        """Sends the head of an answer whose body, of `length` bytes if that is known, comes in pieces."""
        ...

    async def write(self, data: bytes) -> None:
        """Sends a piece of the body; waits while the client takes it too slowly.

        Raises:
            ClientLeftError: Nobody takes it.
        """
        ...

    async def finish(self) -> None:
        """Ends the body."""
        ...

    def watch(self, left: Callable[[], None]) -> None:
        """Calls `left`, once, as soon as the client is known to have gone: until `unwatch`."""
        ...

    def unwatch(self) -> None:
        """Nobody needs to know any more whether the client is there."""
        ...

    async def hand_over(self, app: Asgi) -> None:
        """Has an ASGI application answer."""
        ...


Serve: TypeAlias = Callable[[Request], Awaitable[None]]
"""Answers a request."""
