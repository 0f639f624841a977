"""An ASGI application that answers the requests of this server."""

import asyncio

from rixin.server.asgi import Address, Asgi, Message, Scope
from rixin.server.refusal import Refusal
from rixin.server.request import ClientLeftError, Request, Serve

_VERSIONS = {"version": "3.0", "spec_version": "2.3"}
_OURS = frozenset({b"connection", b"transfer-encoding", b"date"})
"""Headers that are about the connection, or that every answer has."""


def serving(app: Asgi) -> Serve:
    """Has an application answer whatever is asked."""

    async def serve(request: Request) -> None:
        await request.hand_over(app)

    return serve


async def run(app: Asgi, request: Request, server: Address, client: Address) -> None:
    """Has an application answer a request.

    Args:
        app: The application.
        request: The request.
        server: Our end of its connection, as ASGI names it.
        client: Its other end.

    Raises:
        Refusal: The body that the application wanted to read is none.
    """
    head = request.head
    scope: Scope = {
        "type": "http",
        "asgi": _VERSIONS,
        "http_version": head.version,
        "method": head.method,
        "scheme": "http",
        "path": head.path,
        "raw_path": head.raw_path,
        "query_string": head.query_string,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in head.fields],
        "client": client,
        "server": server,
    }
    conversation = _Conversation(request)
    try:
        await app(scope, conversation.receive, conversation.send)
    finally:
        if conversation.refusal is not None:
            raise conversation.refusal


class _Conversation:
    """What an application and a request tell each other."""

    def __init__(self, request: Request) -> None:
        self.refusal: Refusal | None = None
        self._request = request
        self._told_all = False
        self._over = asyncio.Event()

    async def receive(self) -> Message:
        if not self._told_all:
            try:
                data = await self._request.read()
            except ClientLeftError:
                self._over.set()
            except Refusal as refusal:
                self.refusal = refusal
                self._over.set()
            else:
                self._told_all = self._request.ended
                return {"type": "http.request", "body": data, "more_body": not self._told_all}
        if not self._over.is_set():
            self._request.watch(self._over.set)
            await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.refusal is not None:
            return
        if message["type"] == "http.response.start":
            await self._start(message)
            return
        try:
            if message.get("body"):
                await self._request.write(message["body"])
            if not message.get("more_body", False):
                await self._request.finish()
                self._over.set()
        except ClientLeftError:
            self._over.set()

    async def _start(self, message: Message) -> None:
        length = None
        headers: list[tuple[bytes, bytes]] = []
        for name, value in message.get("headers", ()):
            lower = name.lower()
            if lower == b"content-length":
                length = int(value)
            elif lower not in _OURS:
                headers.append((name, value))
        await self._request.start(message["status"], headers, length)
