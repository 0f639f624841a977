"""A request on its connection, and its answer."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from rixin.server.answer_head import encode_head
from rixin.server.asgi import Address, Asgi
from rixin.server.asgi_app import run
from rixin.server.head import Head
from rixin.server.refusal import Refusal
from rixin.server.request import ClientLeftError

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_END = b"0\r\n\r\n"
_CLOSE = b"connection: close"
_CHUNKED = b"transfer-encoding: chunked"
_BODILESS = frozenset({204, 304})
"""Answers that have no body (RFC 9112, section 6.3); one to HEAD has none either."""
_JOINED = 2**16
"""Bytes of a body up to which it is copied behind its head, so that both are written at once."""


class Line(Protocol):
    """What a turn needs of its connection."""

    @property
    def client(self) -> str | None:
        """The address at its other end."""
        ...

    @property
    def addresses(self) -> tuple[Address, Address]:
        """Our end and the other one, as ASGI names them."""
        ...

    @property
    def date(self) -> bytes:
        """The header line that says when an answer was made."""
        ...

    @property
    def closing(self) -> bool:
        """Whether no further request is wanted on it."""
        ...

    @property
    def full(self) -> bool:
        """Whether the client takes what is written too slowly."""
        ...

    @property
    def write(self) -> Callable[[bytes], None]:
        """Sends."""
        ...

    async def drain(self) -> None:
        """Waits until it is no longer full, or lost."""
        ...

    def want(self) -> None:
        """More of the body is waited for."""
        ...

    def taken(self) -> None:
        """What had come of the body was taken."""
        ...

    def over(self, turn: "Turn") -> None:
        """The answer is complete, or will never be."""
        ...


class Turn:
    """A request that is answered when those before it on its connection have been. See `Request`.

    Args:
        line: Its connection.
        head: Of the request.
        refusal: Why nobody is asked to answer it.
    """

    __slots__ = (
        "_bodiless",
        "_chunked",
        "_expected",
        "_failure",
        "_gone",
        "_left",
        "_length",
        "_line",
        "_lost",
        "_pieces",
        "_received",
        "_waiter",
        "finished",
        "head",
        "lasting",
        "refusal",
        "started",
        "task",
        "waiting",
    )

    def __init__(self, line: Line, head: Head, refusal: Refusal | None = None) -> None:
        self.head = head
        self.refusal = refusal
        self.task: asyncio.Task[None] | None = None
        self.started = False
        self.finished = False
        self.lasting = head.keep_alive
        """Whether the connection serves another request after it."""
        self.waiting = 0
        """Bytes of the body that nobody has read yet."""
        self._line = line
        self._pieces: list[bytes] = []
        self._received = refusal is not None
        self._expected = "expect" in head.headers and head.version == "1.1"
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Refusal | ClientLeftError | None = None
        self._left: Callable[[], None] | None = None
        self._gone = False
        self._lost = False
        self._bodiless = False
        self._chunked = False
        self._length: int | None = None

    # What its connection tells.

    def feed(self, data: bytes) -> None:
        """Some of the body came."""
        self._expected = False
        self._pieces.append(data)
        self.waiting += len(data)
        if self._waiter is not None:
            self._wake()

    def end(self) -> None:
        """All of the body came."""
        self._received = True
        if self._waiter is not None:
            self._wake()

    def fail(self, failure: Refusal | ClientLeftError) -> None:
        """No more of the body will come."""
        if not self._received and self._failure is None:
            self._failure = failure
            self._wake()

    def leave(self, *, lost: bool) -> None:
        """The client sends nothing more, which as a rule means that it has gone; where the connection is lost, it
        takes nothing more either.
        """
        self._gone, self._lost = True, lost
        self.fail(ClientLeftError("the client left before its request was complete"))
        if self._left is not None:
            left, self._left = self._left, None
            left()

    # What those who answer need.

    @property
    def client(self) -> str | None:
        """See `Request`."""
        return self._line.client

    @property
    def ended(self) -> bool:
        """See `Request`."""
        return self._received and not self._pieces

    def take(self) -> bytes | None:
        """See `Request`."""
        return self._taken() if self._received else None

    async def read(self) -> bytes:
        """See `Request`."""
        while not self._pieces and not self._received:
            if self._failure is not None:
                raise self._failure
            if self._expected:
                self._expected = False
                if not self.started:
                    self._line.write(_CONTINUE)
            self._line.want()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._taken()

    async def respond(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """See `Request`."""
        head = self._begin(status, headers, len(body))
        if self._bodiless or not body:
            self._line.write(head)
        elif len(body) <= _JOINED:
            self._line.write(head + body)
        else:
            self._line.write(head)
            self._line.write(body)
        self._over()

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]], length: int | None = None) -> None:
        """See `Request`."""
        self._line.write(self._begin(status, headers, length))

    async def write(self, data: bytes) -> None:
        """See `Request`."""
        if self._line.full:
            await self._line.drain()
        if self._lost:
            raise ClientLeftError("the client left before the answer was complete")
        if self.finished or not self.started:
            raise RuntimeError("the answer has not begun, or is complete already")
        if not data or self._bodiless:
            return
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        elif self._length is not None:
            self._length -= len(data)
            if self._length < 0:
                raise RuntimeError("the answer is longer than it was said to be")
        self._line.write(data)
        if self._line.full:
            await self._line.drain()

    async def finish(self) -> None:
        """See `Request`."""
        if self.finished:
            return
        if not self.started:
            raise RuntimeError("the answer has not begun")
        if self._length and not self._bodiless:
            raise RuntimeError("the answer is shorter than it was said to be")
        if self._chunked:
            self._line.write(_END)
        self._over()

    def watch(self, left: Callable[[], None]) -> None:
        """See `Request`."""
        if self._gone:
            asyncio.get_running_loop().call_soon(left)
        else:
            self._left = left

    def unwatch(self) -> None:
        """See `Request`."""
        self._left = None

    async def hand_over(self, app: Asgi) -> None:
        """See `Request`."""
        await run(app, self, *self._line.addresses)

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]], length: int | None) -> bytes:
        if self.started:
            raise RuntimeError("the answer has begun already")
        line = self._line
        if self._expected or line.closing:
            self.lasting = False  # what was not asked for may come nevertheless, or not at all
        lines = [line.date]
        self._bodiless = status in _BODILESS or self.head.method == "HEAD"
        if length is not None:
            self._length = length
            if status not in _BODILESS:
                lines.append(b"content-length: %d" % length)
        elif not self._bodiless:
            if self.head.version == "1.1":
                self._chunked = True
                lines.append(_CHUNKED)
            else:
                self.lasting = False
        if not self.lasting:
            lines.append(_CLOSE)
        head = encode_head(status, headers, *lines)
        self.started = True
        return head

    def _over(self) -> None:
        self.finished = True
        self._pieces.clear()
        self.waiting = 0
        self._line.over(self)

    def _taken(self) -> bytes:
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces, self.waiting = [], 0
        if not self._received:
            self._line.taken()
        return data

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
