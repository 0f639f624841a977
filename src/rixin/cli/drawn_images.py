"""Asking a server for images: as a stream where its progress is shown, whole of servers that have no streams."""

import base64
import binascii
from collections.abc import AsyncGenerator, Callable
from typing import Final, TypeAlias

import aiohttp
import msgspec
from msgspec import Struct

from rixin.cli.client import Client, unreachable
from rixin.core.json import JsonObject
from rixin.dialects.sse import SSEDecoder
from rixin.errors import Kind, RixinError

Show: TypeAlias = Callable[[str, float], None]
"""Is told the stage of the work, and the part of it that is done, from 0 to 1."""

_REFUSALS: Final = (Kind.INVALID_REQUEST, Kind.NOT_IMPLEMENTED)


class _Item(Struct):
    b64_json: str = ""


class _Images(Struct):
    data: list[_Item]


class _Failure(Struct):
    message: str = ""


class _Event(Struct):
    """One of a stream: progress, an image or an error, as its fields tell."""

    stage: str = ""
    part: float = 0.0
    b64_json: str = ""
    error: _Failure | None = None


async def ask_images(client: Client, body: JsonObject, show: Show | None) -> list[bytes]:
    """The images that a server draws.

    Args:
        client: The server.
        body: The request, which wants base64.
        show: Is told how far the server is, where it tells that; None asks for no stream.

    Raises:
        RixinError: The server's error, or `UPSTREAM_INVALID` where it gave no images.
    """
    try:
        items = [item async for item in _items(client, body, show)]
        images = [base64.b64decode(item, validate=True) for item in items if item]
    except (msgspec.MsgspecError, binascii.Error):
        images = []
    except RixinError as error:
        if show is None or error.kind not in _REFUSALS or "stream" not in error.message:
            raise
        return await ask_images(client, body, None)
    if not images:
        raise RixinError(Kind.UPSTREAM_INVALID, f"{client.target.base_url} gave an answer that holds no images")
    return images


async def _items(client: Client, body: JsonObject, show: Show | None) -> AsyncGenerator[str]:
    """The images in base64."""
    streamed: JsonObject = {} if show is None else {"stream": True}
    async with client.open("POST", f"{client.target.base_url}/images/generations", body | streamed) as response:
        try:
            if show is None or response.content_type != "text/event-stream":
                for item in msgspec.json.decode(await response.read(), type=_Images).data:
                    yield item.b64_json
                return
            decoder = SSEDecoder()
            async for data in response.content.iter_any():
                for told in decoder.feed(data):
                    event = msgspec.json.decode(told.data, type=_Event)
                    if event.error is not None:
                        raise RixinError(Kind.UPSTREAM_INVALID, event.error.message)
                    if event.stage:
                        show(event.stage, event.part)
                    elif told.event.endswith(".completed"):
                        yield event.b64_json
        except (aiohttp.ClientError, TimeoutError) as failure:
            raise unreachable(client.target, failure) from None
