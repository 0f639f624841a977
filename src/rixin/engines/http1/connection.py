"""One connection to an upstream, on which one exchange takes place at a time."""

import asyncio
import select
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import cast

import httptools

from rixin.core.codings import BROKEN, CODINGS, Coding
from rixin.engines.transport import UNUSED
from rixin.errors import Kind, RixinError

_HIGH_WATER = 2**18
"""Bytes of an answer that may wait to be read before the upstream is made to wait."""
_LONGEST_HEAD = 2**18
"""Bytes that the head of an answer may have."""
_PIECE = 2**18
"""Bytes of a request's body that are written at once, so that others have their turn between two of them."""


class Connection(asyncio.Protocol):
    """Writes requests and hands out what arrives of their answers.

    Args:
        label: What errors call the upstream.
        on_lost: Told when the connection is no more.
    """

    def __init__(self, label: str, on_lost: Callable[["Connection"], None]) -> None:
        self._label = label
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        """What has arrived of the answer's body and was not read yet."""
        self.on_body = self._pieces.append
        """What the parser finds of a body; a call of ours for each chunk would cost more than all else."""
        self._parser = httptools.HttpResponseParser(self)
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._poll: select.poll | None = None
        self._writing_paused = False
        self._reading_paused = False
        self._asked = False
        self._clear()

    def _clear(self) -> None:
        """Forgets the last exchange."""
        self._status = 0
        self._fields: list[tuple[bytes, bytes]] = []
        self._headers: dict[str, str] | None = None
        self._coding: Coding | None = None
        self._head_size = 0
        self._pieces.clear()
        self._waiting = 0
        self._unsent = False
        self._lasting = False
        self._complete = False
        self._surplus_from: int | None = None
        """The first piece that is of another answer than the one that was asked for."""
        self._failure: RixinError | None = None

    async def ask(self, head: bytes, body: bytes, deadline: float) -> None:
        """Sends a request, and waits for the head of its answer until `deadline`, by the event loop's clock.

        Raises:
            RixinError: `UPSTREAM_INTERRUPTED`, `UPSTREAM_TIMEOUT` or `UPSTREAM_INVALID`.
        """
        self._clear()
        self._asked = True
        if len(body) <= _PIECE:
            self._transport.write(head + body)
        else:
            await self._write(head, body, deadline)
        while not self._status:
            await self._more(deadline)

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return self._status

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers; names in lower case, several of one name joined by commas."""
        if self._headers is None:
            self._headers = {}
            for name, value in self._fields:
                key, text = _lowered(name), value.decode("utf-8", "surrogateescape")
                self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text
        return self._headers

    async def read(self, deadline: float) -> bytes:
        """What has arrived of the answer since the last call; `b""` at its end.

        Raises:
            RixinError: `UPSTREAM_INTERRUPTED` where it broke off, `UPSTREAM_TIMEOUT` at the deadline.
        """
        while not self._pieces:
            if self._complete:
                return b""
            await self._more(deadline)
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        return data

    @property
    def is_read(self) -> bool:
        """Whether all of the answer has come, and was read."""
        return self._complete and not self._pieces and self._failure is None

    def finish(self) -> bool:
        """Ends the exchange. Returns whether the connection serves another one; it is closed at once if not."""
        self._asked = False
        if not self._complete:
            self.abort()  # a plain close would first send what is left of the request
            return False
        if self._unsent or self._surplus_from is not None or not self._lasting or self._transport.is_closing():
            self._transport.close()
            return False
        return True

    def abort(self) -> None:
        """Closes the connection at once."""
        self._transport.abort()

    @property
    def is_quiet(self) -> bool:
        """Whether an unused connection still stands, as far as the system knows.

        The event loop may not have heard yet that the upstream closed it. A request that is written on it nevertheless
        is lost, and may not be written again.
        """
        if self._transport.is_closing():
            return False
        return self._poll is None or not self._poll.poll(0)

    def keep_until(self, now: float) -> float:
        """The instant until which it is worth keeping unused; earlier than usual where the upstream says so."""
        told = _kept(self.headers["keep-alive"]) if "keep-alive" in self.headers else None
        return now + (UNUSED if told is None else min(UNUSED, told - 1))

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)
        if sys.platform != "win32":
            self._poll = select.poll()
            self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Something arrived."""
        if not self._asked:
            self.abort()  # whatever it is, it answers nothing
            return
        if self._surplus_from is not None:
            return
        if not self._status:
            self._head_size += len(data)
        before = len(self._pieces)
        try:
            try:
                self._parser.feed_data(data)
            finally:
                if len(self._pieces) > before:
                    self._waiting += len(data)
                    self._take_body(before)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(error)
        except BROKEN as error:
            self._complete = False
            self._break(error)
        if not self._status and self._head_size > _LONGEST_HEAD:
            self._break(None)
        self._wake()

    def eof_received(self) -> None:
        """The upstream sends nothing more."""
        if self._status and not self._complete and not self._failure and self._ends_with_connection():
            self.on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._asked and not self._complete:
            meaning = "broke off its answer" if self._status else "closed the connection without an answer"
            self._fail(Kind.UPSTREAM_INTERRUPTED, meaning, exc)
        self._wake()
        self._on_lost(self)

    def pause_writing(self) -> None:
        """The upstream takes the request more slowly than it is written."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """It takes more."""
        self._writing_paused = False
        self._wake()

    # What the parser finds.

    def on_message_begin(self) -> None:
        """An answer begins."""
        if self._complete:
            self._surplus_from = len(self._pieces)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody needs."""
        if not self._status and self._surplus_from is None:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        if self._surplus_from is not None:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            self._fields = []  # it announces the answer to come
            return
        self._status = status
        self._lasting = self._parser.should_keep_alive()
        named = self.headers.get("content-encoding")
        if named is not None and (coding := CODINGS.get(named.lower())):
            self._coding = coding()

    def on_message_complete(self) -> None:
        """The answer is complete."""
        if self._status:
            self._complete = True

    def _take_body(self, before: int) -> None:
        """Takes what the parser just found of the answer's body, all pieces but those that were there `before`."""
        if self._surplus_from is not None:
            del self._pieces[self._surplus_from :]
        if self._coding is not None:
            coded = self._pieces[before:]
            del self._pieces[before:]
            for piece in coded:
                for plain in filter(None, self._coding.pieces(piece)):
                    self._pieces.append(plain)
                    self._waiting += len(plain)
        if self._waiting > _HIGH_WATER and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    async def _write(self, head: bytes, body: bytes, deadline: float) -> None:
        """Writes a large request, as far as the upstream wants to have it: it may answer before it has heard all."""
        self._unsent = True
        self._transport.write(head)
        view = memoryview(body)
        for start in range(0, len(body), _PIECE):
            self._transport.write(view[start : start + _PIECE])
            await asyncio.sleep(0)
            while self._writing_paused and not self._status:
                await self._more(deadline)
            if self._status or self._failure is not None:
                return
        self._unsent = False

    async def _more(self, deadline: float) -> None:
        """Waits until something has happened.

        One timer serves all waits of a connection: it is set anew when it has run out, not at every read.
        """
        if self._failure is not None:
            raise self._failure
        self._deadline = deadline
        if self._timer is None or deadline < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(deadline, self._on_timer)
        waiter = self._waiter = self._loop.create_future()
        try:
            await waiter
        finally:
            self._waiter = None

    def _on_timer(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._on_timer)
            return
        self._fail(Kind.UPSTREAM_TIMEOUT, "did not answer in time", None)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _break(self, error: Exception | None) -> None:
        """What arrived is not HTTP, or not what it says it is."""
        if self._complete:
            self._surplus_from = len(self._pieces)
        elif self._status:
            self._fail(Kind.UPSTREAM_INTERRUPTED, "broke off its answer", error)
        else:
            self._fail(Kind.UPSTREAM_INVALID, "sent something that is not an HTTP answer", error)
        self.abort()

    def _fail(self, kind: Kind, meaning: str, cause: Exception | None) -> None:
        if self._failure is None:
            detail = None if cause is None else f"{type(cause).__name__}: {cause}"
            self._failure = RixinError(kind, f"{self._label} {meaning}.", detail=detail)

    def _ends_with_connection(self) -> bool:
        """Whether the answer has neither a length nor chunks (RFC 9112, section 6.3)."""
        coding = self.headers.get("transfer-encoding", "")
        return not coding.lower().endswith("chunked") and (bool(coding) or "content-length" not in self.headers)


@lru_cache(256)
def _lowered(name: bytes) -> str:
    """A header's name. There are few, which come again and again."""
    return name.decode("latin-1").lower()


def _kept(keep_alive: str) -> float | None:
    """The seconds after which an upstream closes an unused connection, by its `keep-alive` header."""
    for part in keep_alive.split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "timeout" and value.isdecimal():
            return float(value)
    return None
