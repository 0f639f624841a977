"""The embedder's HTTP surface: raw ASGI over a Unix socket. Its route stands in `rixin.engines.embedder_protocol`."""

import asyncio

import msgspec

from rixin.engines.child_http import (
    disconnect,
    encode_error,
    read_body,
    send_whole,
    shutting_down,
)
from rixin.engines.embedder.work import Work
from rixin.engines.embedder_protocol import EMBED_PATH, Texts
from rixin.errors import Kind, RixinError, invalid
from rixin.server.asgi import Receive, Scope, Send

_decode = msgspec.json.Decoder(Texts).decode
_encode = msgspec.json.Encoder().encode


class EmbedderApp:
    """The ASGI application."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        try:
            if (scope["method"], scope["path"]) != ("POST", EMBED_PATH):
                raise RixinError(Kind.NOT_FOUND, "There is no such route.")
            if self._draining:
                raise shutting_down()
            await self._embed(receive, send)
        except RixinError as error:
            await send_whole(send, error.status, encode_error(error))

    def drain(self) -> None:
        """Takes no further requests."""
        self._draining = True

    async def _embed(self, receive: Receive, send: Send) -> None:
        try:
            asked = _decode(await read_body(receive))
        except msgspec.DecodeError as error:
            raise invalid(f"invalid arguments: {error}") from None
        work = asyncio.create_task(self._work.embed(asked))
        watch = asyncio.create_task(disconnect(receive))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watch.cancel()
            if not work.done():
                work.cancel()
        if not work.cancelled() and work.done():
            await send_whole(send, 200, _encode(work.result()))
