"""Raw ASGI, as far as engine children need it.

Errors are `{"error": {"message", "type", "code", "param", "limit", "requested", "retry_after"}}`, where type and code
are the error's kind.
"""

import msgspec

from rixin.errors import Kind, RixinError
from rixin.server.asgi import Receive, Scope, Send

MAX_BODY = 128 * 2**20
"""Bytes of a request, images included; the server in front has the limit that clients meet."""

_JSON = b"application/json"


def encode_error(error: RixinError) -> bytes:
    """The envelope of an error."""
    fields = {
        "message": error.message,
        "type": error.kind,
        "code": error.kind,
        "param": error.param,
        "limit": error.limit,
        "requested": error.requested,
        "retry_after": error.retry_after,
    }
    return msgspec.json.encode({"error": fields})


def shutting_down() -> RixinError:
    """The error for requests that outlive their model."""
    return RixinError(Kind.SHUTTING_DOWN, "The model is being unloaded.", retry_after=1.0)


def read_headers(scope: Scope) -> dict[str, str]:
    """The headers of a request; names as they came, in lower case."""
    pairs: list[tuple[bytes, bytes]] = scope["headers"]
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}


async def read_body(receive: Receive) -> bytes:
    """The body of a request. Raises `CANCELLED` when the caller leaves meanwhile, `TOO_LARGE` beyond `MAX_BODY`."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RixinError(Kind.CANCELLED, "The caller has gone.")
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > MAX_BODY:
            raise RixinError(Kind.TOO_LARGE, f"The request is larger than {MAX_BODY} bytes.")
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


async def disconnect(receive: Receive) -> None:
    """Returns when the caller has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_start(send: Send, status: int, content_type: bytes, *more: tuple[bytes, bytes]) -> None:
    """Begins an answer."""
    headers = [(b"content-type", content_type), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def send_whole(send: Send, status: int, body: bytes) -> None:
    """Sends a whole answer of JSON."""
    await send_start(send, status, _JSON, (b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.body", "body": body, "more_body": False})
