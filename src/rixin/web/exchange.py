"""One HTTP request and its answer, over raw ASGI."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qsl

from rixin.errors import Kind, RixinError
from rixin.web.body_coding import RequestBody

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_T = TypeVar("_T")

EVENT_STREAM = "text/event-stream; charset=utf-8"

_DRAIN_FACTOR = 4
"""A body over the limit is read on up to this many times the limit, so that the client reads its 413 and no reset."""

_UNWATCHED = 0.05
"""Seconds of guarded work after which it begins to matter whether the client is still there."""


class Exchange:
    """One request and its answer.

    Attributes:
        route: The path of its endpoint as that is declared; empty while there is none.
        status: The status that was sent, or 0 while none was.
        streaming: Whether its answer is a stream, and has begun.
        extra_headers: Headers that go out with whatever answer is sent.
        log_fields: What the log record of this request tells besides method, path and status; None is left out.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, request_id: str, headers: dict[str, str]) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query_string: bytes = scope["query_string"]
        self.client: str | None = scope["client"][0] if scope.get("client") else None
        self.headers = headers
        self.request_id = request_id
        self.route = ""
        self.status = 0
        self.streaming = False
        self.finished = False
        self.extra_headers: list[tuple[bytes, bytes]] = [(b"x-request-id", request_id.encode())]
        self.log_fields: dict[str, str | int | float | bool | None] = {}
        self._receive = receive
        self._send = send
        self._body_left = True
        self._task: asyncio.Task[Any] | None = None
        self._watcher: asyncio.Task[None] | None = None
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
        try:
            async with asyncio.timeout(deadline):
                return await self._read_body(limit)
        except TimeoutError:
            raise RixinError(
                Kind.REQUEST_TIMEOUT, f"The request's body did not arrive within {deadline:g} seconds."
            ) from None

    async def _read_body(self, limit: int) -> bytes:
        coding = self.headers.get("content-encoding", "")
        first = await self._next_piece()
        if not (self._body_left or coding) and len(first) <= limit:
            return first  # by far the most, of which there is nothing to count and nothing to undo
        body = RequestBody(coding, limit)
        body.feed(first)
        while self._body_left and body.size <= _DRAIN_FACTOR * limit:
            body.feed(await self._next_piece())
        return body.whole()

    async def body_pieces(self, deadline: float) -> AsyncGenerator[bytes]:
        """The request's body as it arrives, its codings not undone.

        Raises:
            RixinError: `REQUEST_TIMEOUT` when nothing comes for `deadline` seconds; `CANCELLED` when the client has
                gone.
        """
        while self._body_left:
            try:
                async with asyncio.timeout(deadline):
                    piece = await self._next_piece()
            except TimeoutError:
                raise RixinError(
                    Kind.REQUEST_TIMEOUT, f"Nothing of the request's body came for {deadline:g} seconds."
                ) from None
            yield piece

    async def _next_piece(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise RixinError(Kind.CANCELLED, "The client left before its request was complete.")
        self._body_left = message.get("more_body", False)
        return message["body"]

    async def discard_body(self, limit: int, deadline: float) -> None:
        """Reads on what is left of a body that is not wanted, `limit` bytes at most, while it comes within `deadline`
        seconds.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                while self._body_left and limit > 0:
                    message = await self._receive()
                    self._body_left = message.get("more_body", False)
                    limit -= len(message.get("body", b""))

    async def respond(
        self,
        status: int,
        body: bytes,
        headers: Iterable[tuple[bytes, bytes]] = (),
        content_type: bytes = b"application/json",
    ) -> None:
        """Sends a whole answer."""
        await self._start(
            status, [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *headers]
        )
        await self._send({"type": "http.response.body", "body": b"" if self.method == "HEAD" else body})
        self.finished = True

    async def start_stream(self, headers: Iterable[tuple[bytes, bytes]] = (), content_type: str = EVENT_STREAM) -> None:
        """Sends the status and headers of a stream of events."""
        self.streaming = True
        await self._start(
            200,
            [
                (b"content-type", content_type.encode()),
                (b"cache-control", b"no-cache, no-transform"),
                (b"x-accel-buffering", b"no"),
                *headers,
            ],
        )

    async def start_file(self, size: int, content_type: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Sends the status and headers of a file, whose `size` bytes are to follow."""
        about = [(b"content-type", content_type.encode()), (b"content-length", str(size).encode())]
        await self._start(200, [*about, *headers])

    async def write(self, data: bytes) -> None:
        """Sends a piece of a stream or a file; waits while the client reads too slowly."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self) -> None:
        """Ends a stream or a file."""
        await self._send({"type": "http.response.body", "body": b""})
        self.finished = True

    async def guard(self, work: Awaitable[_T]) -> _T:
        """What `work` gives; it is ended when the client leaves or `interrupt` is called.

        Raises:
            RixinError: `CANCELLED` when the client has gone, or what `interrupt` was given.
        """
        self._task = asyncio.current_task()
        watch = asyncio.get_running_loop().call_later(_UNWATCHED, self._begin_to_watch)
        try:
            return await work
        except asyncio.CancelledError:
            if self._interruption is None or self._task is None:
                raise
            self._task.uncancel()
            raise self._interruption from None
        finally:
            self._task = None
            watch.cancel()
            if self._watcher is not None:
                self._watcher.cancel()
                self._watcher = None

    def interrupt(self, error: RixinError) -> None:
        """Ends the guarded work with an error."""
        if self._task is not None and self._interruption is None:
            self._interruption = error
            self._task.cancel(error)  # so that those who are cancelled can tell why

    def _begin_to_watch(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self.finished:
            self.interrupt(RixinError(Kind.CANCELLED, "The client left before the answer was complete."))

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self.extra_headers]})
        self.status = status


def header_pairs(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as they are sent; a character that none may hold becomes a question mark."""
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
