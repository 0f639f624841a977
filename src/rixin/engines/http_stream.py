"""An answer over HTTP, as batches: the one reading loop of every engine that speaks to somebody else."""

import re
from collections.abc import AsyncGenerator, Callable, Mapping

import msgspec

from rixin.core.events import Event, Start
from rixin.core.json import JsonObject
from rixin.dialects.base import Reader, Upstream
from rixin.engines.base import Batch, Sign
from rixin.engines.transport import Carrier, Exchange
from rixin.errors import Kind, RixinError

ANSWER_LIMIT = 64 * 2**20
"""Bytes that a whole answer, or one event of a stream, may have."""
ERROR_LIMIT = 2**20
"""Bytes that the body of an error may have."""

_BLANK = b" \t\r\n\xef\xbb\xbf"
_EVENT_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")
_ONE_EVENT = re.compile(rb".*?(?:\n\n|\r\n\r\n|\r\r)", re.DOTALL)
_DONE = re.compile(rb"^data: ?\[DONE\][\r\n]*", re.MULTILINE)

encode_body = msgspec.json.Encoder().encode


async def stream_answer(
    transport: Carrier,
    upstream: Upstream,
    body: JsonObject,
    *,
    path: str,
    headers: Mapping[str, str],
    relayed_model: str | None = None,
    sign_in: Callable[[bytes], Sign | None] = lambda _: None,
) -> AsyncGenerator[Batch, None]:
    """Asks an upstream, and gives its answer as it comes.

    What the answer is, a stream or a whole, is told by its bytes, whatever was asked for. A read that completes no
    event gives a batch without events.

    Args:
        transport: Where the upstream is.
        upstream: What it speaks.
        body: What it is sent, as it is.
        path: Of the route, below the transport's base URL.
        headers: Names in lower case.
        relayed_model: Where the client may be given the upstream's own bytes, the model they must name.
        sign_in: Finds in bytes of the stream what the upstream tells in its own way before the answer begins.

    Raises:
        RixinError: What the upstream reported, or how it failed.
    """
    accept = "text/event-stream" if body.get("stream") is True else "application/json"
    sent = {"accept": accept, **headers}
    async with transport.exchange("POST", path, headers=sent, body=encode_body(body)) as exchange:
        await raise_for_status(exchange, upstream)
        reader = upstream.reader()
        relay = None if relayed_model is None else Relay(relayed_model)
        unread = 0
        while data := await exchange.read():
            unread += len(data)
            for piece in (data,) if relay is None else relay.pieces(data) or (b"",):
                events = reader.feed(piece)
                yield Batch(events, None if relay is None else relay.raw(events, piece), sign=sign_in(piece))
                if events:
                    unread = 0
                    reader.feed(b"")  # tells at once of an error that stood behind those events
            if unread > ANSWER_LIMIT:
                raise RixinError(Kind.UPSTREAM_INVALID, f"The upstream sent {unread} bytes that are no whole event.")
        yield _last_batch(reader, relay)


async def whole_answer(
    transport: Carrier, upstream: Upstream, body: JsonObject, *, path: str, headers: Mapping[str, str]
) -> list[Event]:
    """The events of an answer that nobody wants to see before it is complete; see `stream_answer`.

    Raises:
        RixinError: What the upstream reported, or how it failed.
    """
    sent = {"accept": "application/json", **headers}
    async with transport.exchange("POST", path, headers=sent, body=encode_body(body)) as exchange:
        await raise_for_status(exchange, upstream)
        data = await exchange.read_all(ANSWER_LIMIT)
    if upstream.read_plain is not None and (events := upstream.read_plain(data)) is not None:
        return events
    reader = upstream.reader()
    return reader.feed(data) + reader.eof()


async def raise_for_status(exchange: Exchange, upstream: Upstream) -> None:
    """Raises what an answer with an error status means.

    Raises:
        RixinError: Unless the status is a success.
    """
    status = exchange.status
    if status < 300:
        return
    if status < 400:
        raise RixinError(
            Kind.UPSTREAM_INVALID,
            f"The upstream redirects (status {status}) to another address; set base_url to that address.",
            detail=exchange.headers.get("location"),
        )
    try:
        body = await exchange.read_all(ERROR_LIMIT)
    except RixinError:
        body = b""  # the status tells enough
    raise upstream.parse_error(status, exchange.headers, body)


class Relay:
    """Cuts a stream's bytes into whole events, for clients who are given them as they are.

    It begins with the upstream's first events: when they name another model than the client asked for, or come in a
    whole answer, nothing is relayed. Bytes that show nothing wait for those that do. The mark of the stream's end is
    left out, because whoever writes to the client sets it.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._tail: list[bytes] = []
        self._edge = b""
        self._quiet: list[bytes] = []
        self._is_stream: bool | None = None
        self._decided: bool | None = None

    def pieces(self, data: bytes) -> list[bytes]:
        """The events that `data` completes, in one piece; what follows them is kept.

        Where one of them may be an error they come one by one, so that what precedes it can be relayed without it.
        """
        if self._is_stream is None and (head := data.lstrip(_BLANK)):
            self._is_stream = head[:1] not in b"{[<"
        if self._is_stream is False:
            return [self._take(data)]
        window = self._edge + data
        end = _end_of_events(window) - len(self._edge)
        if end <= 0:
            self._tail.append(data)
            self._edge = window[-3:]
            return []
        whole, rest = self._take(data[:end]), data[end:]
        if rest:
            self._tail, self._edge = [rest], rest[-3:]
        return _ONE_EVENT.findall(whole) if b"error" in whole else [whole]

    def rest(self) -> bytes:
        """What was kept, at the end of the stream."""
        return self._take(b"")

    def raw(self, events: list[Event], piece: bytes) -> bytes | None:
        """What the client is given in place of `events`: their own bytes, or None where they must be rendered."""
        if self._decided is False or not self._is_stream:
            return None
        if (mark := piece.find(b"[DONE]")) >= 0:
            line = piece.rfind(b"\n", 0, mark) + 1  # what stands before it is not looked at once more
            piece = piece[:line] + _DONE.sub(b"", piece[line:])
        if not events:
            self._quiet.append(piece)
            return None
        if self._decided is None:
            self._decided = isinstance(events[0], Start) and events[0].model == self._model
            if not self._decided:
                return None
        if self._quiet:
            piece = b"".join((*self._quiet, piece))
            self._quiet = []
        return piece

    def _take(self, data: bytes) -> bytes:
        if self._tail:
            data = b"".join((*self._tail, data))
            self._tail = []
        self._edge = b""
        return data


def _end_of_events(data: bytes) -> int:
    """Where the last event ends that is complete, by one of the three ways to write a blank line; 0 for nowhere."""
    if data.endswith(b"\n\n"):
        return len(data)
    marks = _EVENT_ENDS if b"\r" in data else _EVENT_ENDS[:1]
    return max((found + len(mark) for mark in marks if (found := data.rfind(mark)) >= 0), default=0)


def _last_batch(reader: Reader, relay: Relay | None) -> Batch:
    if relay is None:
        return Batch(reader.eof())
    rest = relay.rest()
    events = [*reader.feed(rest), *reader.eof()]
    return Batch(events, relay.raw(events, rest.rstrip() + b"\n\n" if rest.strip() else b""))
