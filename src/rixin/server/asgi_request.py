"""A request that an ASGI server has taken, as those see it who answer the requests of this one."""

import asyncio
from collections.abc import Callable, Iterable

from rixin.server.asgi import Asgi, Message, Receive, Scope, Send
from rixin.server.head import Head, merged
from rixin.server.request import ClientLeftError

_UNWATCHED = 0.05
"""Seconds after which it begins to matter whether the client is still there."""


class AsgiRequest:
    """See `Request`.

    Args:
        scope: Of type `http`.
        receive: Gives what the client sends.
        send: Takes the answer.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, query = scope["path"], scope["query_string"]
        self.head = Head(scope["method"], path, query, merged(scope["headers"]), scope["headers"])
        self.client: str | None = scope["client"][0] if scope.get("client") else None
        self.ended = False
        self._scope = scope
        self._receive = receive
        self._send = send
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None

    def take(self) -> bytes | None:
        """See `Request`: it has to be asked for."""
        return None

    async def read(self) -> bytes:
        """See `Request`."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError("the client left before its request was complete")
        self.ended = not message.get("more_body", False)
        return message.get("body", b"")

    async def respond(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """See `Request`."""
        await self.start(status, headers, len(body))
        await self._tell(b"" if self.head.method == "HEAD" else body, more=False)

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]], length: int | None = None) -> None:
        """See `Request`."""
        sent = list(headers)
        if length is not None and status != 204:
            sent.append((b"content-length", b"%d" % length))
        await self._send({"type": "http.response.start", "status": status, "headers": sent})

    async def write(self, data: bytes) -> None:
        """See `Request`."""
        await self._tell(data, more=True)

    async def finish(self) -> None:
        """See `Request`."""
        await self._tell(b"", more=False)

    def watch(self, left: Callable[[], None]) -> None:
        """See `Request`. It takes a task, which most answers are too fast to need."""
        self._timer = asyncio.get_running_loop().call_later(_UNWATCHED, self._begin_to_watch, left)

    def unwatch(self) -> None:
        """See `Request`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None

    async def hand_over(self, app: Asgi) -> None:
        """See `Request`."""
        await app(self._scope, self._receive, self._send)

    def _begin_to_watch(self, left: Callable[[], None]) -> None:
        self._watcher = asyncio.create_task(self._watch(left))

    async def _watch(self, left: Callable[[], None]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        left()

    async def _tell(self, data: bytes, *, more: bool) -> None:
        message: Message = {"type": "http.response.body", "body": data, "more_body": more}
        try:
            await self._send(message)
        except OSError as error:  # what servers say of a client that left (ASGI 2.4)
            raise ClientLeftError("the client left before the answer was complete") from error
