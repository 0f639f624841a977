"""One HTTP request and its answer."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from rixin.errors import Kind, RixinError, invalid
from rixin.server.refusal import Refusal
from rixin.server.request import ClientLeftError, Request
from rixin.web.body_coding import RequestBody

_T = TypeVar("_T")

EVENT_STREAM = "text/event-stream; charset=utf-8"

_DRAIN_FACTOR = 4
"""A body over the limit is read on up to this many times the limit, so that the client reads its 413 and no reset."""


class Exchange:
    """One request and its answer.

    Attributes:
        route: The path of its endpoint as that is declared; empty while there is none.
        status: The status that was sent, or 0 while none was.
        streaming: Whether its answer is a stream, and has begun.
        extra_headers: Headers that go out with whatever answer is sent.
        log_fields: What the log record of this request tells besides method, path and status; None is left out.
    """

    def __init__(self, request: Request, request_id: str, client: str | None) -> None:
        head = request.head
        self.method = head.method
        self.path = head.path
        self.query_string = head.query_string
        self.headers: Mapping[str, str] = head.headers
        self.client = client
        self.request_id = request_id
        self.route = ""
        self.status = 0
        self.streaming = False
        self.finished = False
        self.extra_headers: list[tuple[bytes, bytes]] = [(b"x-request-id", request_id.encode())]
        self.log_fields: dict[str, str | int | float | bool | None] = {}
        self._request = request
        self._task: asyncio.Task[Any] | None = None
        self._interruption: RixinError | None = None

    @property
    def started(self) -> bool:
        """Whether the status has gone out."""
        return self.status != 0

    @property
    def query(self) -> dict[str, str]:
        """The query's fields; the last of those that come twice. It may hold a credential, and goes to no log."""
        return dict(parse_qsl(self.query_string.decode("latin-1"))) if self.query_string else {}

    async def read_body(self, limit: int, deadline: float) -> bytes:
        """The request's body, decompressed.

        Raises:
            RixinError: As `RequestBody.whole`; `REQUEST_TIMEOUT` after `deadline` seconds, `CANCELLED` when the client
                has gone.
        """
        coding = self.headers.get("content-encoding", "")
        body = self._request.take()
        if body is not None and not coding and len(body) <= limit:
            return body  # by far the most, of which there is nothing to wait for and nothing to undo
        whole = RequestBody(coding, limit)
        if body is not None:
            whole.feed(body)
        try:
            async with asyncio.timeout(deadline):
                while not self._request.ended and whole.size <= _DRAIN_FACTOR * limit:
                    whole.feed(await self._next_piece())
        except TimeoutError:
            raise RixinError(
                Kind.REQUEST_TIMEOUT, f"The request's body did not arrive within {deadline:g} seconds."
            ) from None
        return whole.whole()

    async def body_pieces(self, deadline: float) -> AsyncGenerator[bytes]:
        """The request's body as it arrives, its codings not undone.

        Raises:
            RixinError: `REQUEST_TIMEOUT` when nothing comes for `deadline` seconds; `CANCELLED` when the client has
                gone.
        """
        while not self._request.ended:
            try:
                async with asyncio.timeout(deadline):
                    piece = await self._next_piece()
            except TimeoutError:
                raise RixinError(
                    Kind.REQUEST_TIMEOUT, f"Nothing of the request's body came for {deadline:g} seconds."
                ) from None
            yield piece

    async def _next_piece(self) -> bytes:
        try:
            return await self._request.read()
        except ClientLeftError:
            raise RixinError(Kind.CANCELLED, "The client left before its request was complete.") from None
        except Refusal as refusal:
            raise invalid(refusal.message) from None

    async def discard_body(self, limit: int, deadline: float) -> None:
        """Reads on what is left of a body that is not wanted, `limit` bytes at most, while it comes within `deadline`
        seconds.
        """
        with suppress(TimeoutError, ClientLeftError, Refusal):
            async with asyncio.timeout(deadline):
                while not self._request.ended and limit > 0:
                    limit -= len(await self._request.read())

    async def respond(
        self,
        status: int,
        body: bytes,
        headers: Iterable[tuple[bytes, bytes]] = (),
        content_type: bytes = b"application/json",
    ) -> None:
        """Sends a whole answer."""
        await self._request.respond(status, [(b"content-type", content_type), *headers, *self.extra_headers], body)
        self.status = status
        self.finished = True

    async def start_stream(self, headers: Iterable[tuple[bytes, bytes]] = (), content_type: str = EVENT_STREAM) -> None:
        """Sends the status and headers of a stream of events."""
        self.streaming = True
        about = [
            (b"content-type", content_type.encode()),
            (b"cache-control", b"no-cache, no-transform"),
            (b"x-accel-buffering", b"no"),
        ]
        await self._request.start(200, [*about, *headers, *self.extra_headers])
        self.status = 200

    async def start_file(self, size: int, content_type: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Sends the status and headers of a file, whose `size` bytes are to follow."""
        await self._request.start(200, [(b"content-type", content_type.encode()), *headers, *self.extra_headers], size)
        self.status = 200

    async def write(self, data: bytes) -> None:
        """Sends a piece of a stream or a file; waits while the client reads too slowly.

        Raises:
            RixinError: `CANCELLED` when the client has gone.
        """
        try:
            await self._request.write(data)
        except ClientLeftError:
            raise _gone() from None

    async def finish(self) -> None:
        """Ends a stream or a file."""
        await self._request.finish()
        self.finished = True

    async def guard(self, work: Awaitable[_T]) -> _T:
        """What `work` gives; it is ended when the client leaves or `interrupt` is called.

        Raises:
            RixinError: `CANCELLED` when the client has gone, or what `interrupt` was given.
        """
        self._task = asyncio.current_task()
        self._request.watch(self._leave)
        try:
            return await work
        except asyncio.CancelledError:
            if self._interruption is None or self._task is None:
                raise
            self._task.uncancel()
            raise self._interruption from None
        finally:
            self._task = None
            self._request.unwatch()

    def interrupt(self, error: RixinError) -> None:
        """Ends the guarded work with an error."""
        if self._task is not None and self._interruption is None:
            self._interruption = error
            self._task.cancel(error)  # so that those who are cancelled can tell why

    def _leave(self) -> None:
        if not self.finished:
            self.interrupt(_gone())


def header_pairs(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as they are sent; a character that none may hold becomes a question mark."""
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


def _gone() -> RixinError:
    return RixinError(Kind.CANCELLED, "The client left before the answer was complete.")
