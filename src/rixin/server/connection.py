"""One connection of a client: its requests, each in its turn."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable
from typing import cast

from rixin.server.asgi import Address
from rixin.server.head import Head
from rixin.server.parser import RequestParser
from rixin.server.refusal import Refusal
from rixin.server.request import ClientLeftError
from rixin.server.shared import Shared
from rixin.server.turn import Turn

_BROKEN = Refusal(500, "Something went wrong inside the server.")
_log = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """Reads requests and has them answered, one after the other.

    Whoever sends several at once is answered in their order. What comes while a whole request is being answered is
    held, and read when its turn has come.

    Args:
        shared: What it has in common with the others.

    Attributes:
        deadline: The instant, by the event loop's clock, by which the client must have done something.
        overdue: What is done when it has not.
    """

    def __init__(self, shared: Shared) -> None:
        self.client: str | None = None
        self.write: Callable[[bytes], None] = _nowhere
        self.full = False
        self._shared = shared
        self._limits = shared.limits
        self._loop = asyncio.get_running_loop()
        self._parser = RequestParser(shared.limits, self)
        self._answering: Turn | None = None
        self._receiving: Turn | None = None
        """The request whose body is coming: the one that is answered, or one that is not yet, or not any more."""
        self._queue: deque[Turn] = deque()
        self._held: list[bytes] = []
        self._held_size = 0
        self._passed_over = 0
        """Bytes that came of a body after its request was answered."""
        self._in_head = False
        self._reading_paused = False
        self._deaf = False
        """Whether what comes is thrown away."""
        self._broken = False
        """Whether the client may be sending what nobody reads."""
        self._ended = False
        """Whether the client has said that nothing more comes."""
        self._room: asyncio.Event | None = None
        self._unsent = 0
        self.deadline = math.inf
        self.overdue: Callable[[], None] = self._shut

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = transport = cast("asyncio.Transport", transport)
        self.write = transport.write
        peer = self._address("peername")
        self.client = None if peer is None else peer[0]
        self._shared.connections.add(self)
        self._wait(self._limits.linger if self._shared.draining else self._limits.idle, self._shut)

    def data_received(self, data: bytes) -> None:
        """Something arrived."""
        if self._deaf:
            return
        if self._answering is not None and self._receiving is not self._answering:
            self._hold(data)
        else:
            self._feed(data)

    def eof_received(self) -> bool:
        """The client sends nothing more. It may still take answers, though few that leave off here do."""
        self._ended = True
        if self._answering is None:
            return False
        for turn in (self._answering, *self._queue):
            turn.leave(lost=False)
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The connection is no more."""
        self._deaf = True
        self.deadline = math.inf
        self.write = _nowhere
        turns = [turn for turn in (self._answering, self._receiving) if turn is not None]
        self._answering = self._receiving = None
        self._queue.clear()
        self._held.clear()
        for turn in turns:
            turn.leave(lost=True)
        self.resume_writing()
        self._shared.connections.discard(self)
        if self._shared.draining:
            self._shared.look()

    def pause_writing(self) -> None:
        """The client takes its answer more slowly than it is written."""
        self.full = True
        if self._room is None:
            self._room = asyncio.Event()
        self._room.clear()
        self._wait_for_client()

    def resume_writing(self) -> None:
        """It takes more."""
        self.full = False
        if self._room is not None:
            self._room.set()
        if self._answering is not None:
            self.deadline = math.inf

    # What the parser finds.

    def on_head(self, head: Head) -> None:
        """A request begins."""
        self._in_head = False
        if self._deaf:
            raise Refusal(400, "No further request is heard.")  # so that what follows is not even read
        turn = self._receiving = Turn(self, head)
        if self._answering is not None and len(self._queue) + 1 >= self._limits.ahead:
            turn.lasting = False
        self._admit(turn)

    def on_piece(self, data: bytes) -> None:
        """Some of its body."""
        turn = self._receiving
        if turn is None:
            return
        if turn.finished:
            self._passed_over += len(data)
            if self._passed_over > self._limits.unread_body:
                self._close()
            return
        turn.feed(data)
        if turn is self._answering:
            self.deadline = math.inf
        if turn.waiting > self._limits.waiting_body:
            self._pause_reading()

    def on_end(self) -> None:
        """It is complete."""
        turn, self._receiving = self._receiving, None
        if turn is None:
            return
        turn.end()
        if turn.finished:
            self._rest()
            return
        if not turn.lasting:
            self._deaf = True  # nothing that follows is answered
        if turn is self._answering:
            self.deadline = math.inf

    # What a turn needs.

    @property
    def addresses(self) -> tuple[Address, Address]:
        """Our end and the other one, as ASGI names them."""
        return self._address("sockname"), self._address("peername")

    @property
    def date(self) -> bytes:
        """The header line that says when an answer was made."""
        return self._shared.date

    @property
    def closing(self) -> bool:
        """Whether an answer that begins now is the last one."""
        return self._shared.draining and not self._queue and not self._held

    async def drain(self) -> None:
        """Waits until the client has taken some, or is lost."""
        if self._room is not None:
            await self._room.wait()

    def want(self) -> None:
        """More of the body is waited for."""
        self._resume_reading()
        self._wait(self._limits.silence, self.abort)

    def taken(self) -> None:
        """What had come of the body was taken."""
        self._resume_reading()

    def over(self, turn: Turn) -> None:
        """The answer is complete, or as much of it as there will be."""
        if turn is not self._answering:
            return
        self._answering = None
        if not turn.lasting:
            self._close()
        elif self._receiving is turn:
            self._passed_over = 0
            self.want()
        else:
            if self._queue:
                self._begin(self._queue.popleft())
            self._rest()

    # What the server decides.

    def check(self, now: float) -> None:
        """Ends what has taken too long."""
        if now >= self.deadline:
            self.deadline = math.inf
            self.overdue()

    def finish(self) -> None:
        """The server goes: the connection ends with what is under way."""
        if self._answering is None and self._receiving is None and not self._parser.begun:
            self._shut()

    def abort(self) -> None:
        """Ends it at once."""
        self._transport.abort()

    # Reading.

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed(data)
        except Refusal as refusal:
            if not self._deaf:
                self._refuse(refusal)
            return
        if self._answering is None and self._receiving is None and not self._in_head and self._parser.begun:
            self._await_head()

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._held_size += len(data)
        if self._held_size > self._limits.waiting_body:
            self._pause_reading()

    def _rest(self) -> None:
        """Reads what has been held, if its turn has come; with nothing more to do, waits for the next request."""
        while self._held and not self._deaf and self._receiving is self._answering:
            data = b"".join(self._held)
            self._held.clear()
            self._held_size = 0
            self._feed(data)
        if self._deaf:
            return
        if self._reading_paused and not self._held:
            self._resume_reading()
        if self._answering is None and self._receiving is None:
            if self._ended or self._shared.draining:
                self._shut()
            elif self._parser.begun:
                self._await_head()
            else:
                self._wait(self._limits.idle, self._shut)

    def _await_head(self) -> None:
        self._in_head = True
        self._wait(self._limits.head_timeout, self._refuse_late_head)

    def _refuse_late_head(self) -> None:
        seconds = self._limits.head_timeout
        self._refuse(Refusal(408, f"The request's head was not complete within {seconds:g} seconds."))

    def _refuse(self, refusal: Refusal) -> None:
        """What came is no request, and neither is what follows."""
        turn, self._receiving = self._receiving, None
        self._deaf = self._broken = True
        if turn is None:
            self._admit(Turn(self, self._parser.fragment(), refusal))
        elif turn.finished:
            self._close()
        else:
            turn.lasting = False
            turn.fail(refusal)

    # Answering.

    def _admit(self, turn: Turn) -> None:
        if self._answering is None:
            self._begin(turn)
        else:
            self._queue.append(turn)

    def _begin(self, turn: Turn) -> None:
        self._answering = turn
        self.deadline = math.inf
        if self._ended:
            turn.leave(lost=False)
        turn.task = self._loop.create_task(self._answer(turn))
        self._shared.running.add(turn.task)

    async def _answer(self, turn: Turn) -> None:
        shared = self._shared
        try:
            if turn.refusal is None:
                await shared.serve(turn)
            else:
                await shared.refuse(turn, turn.refusal)
        except ClientLeftError:
            pass
        except Refusal as refusal:
            await self._fail(turn, refusal)
        except Exception:  # noqa: BLE001 - see below
            # The border: whoever answers may fail in any way, and the server goes on.
            _log.exception("nobody answered")
            await self._fail(turn, _BROKEN)
        finally:
            if not turn.finished:
                self._cut(turn)
            if turn.task is not None:
                shared.running.discard(turn.task)
            if shared.draining:
                shared.look()

    async def _fail(self, turn: Turn, refusal: Refusal) -> None:
        if not turn.started:
            turn.lasting = False
            await self._shared.refuse(turn, refusal)

    def _cut(self, turn: Turn) -> None:
        """Closes the connection on an answer that nobody completes, so that nobody takes it for complete."""
        turn.finished = True
        turn.lasting = False
        if turn.started:
            self.over(turn)
        elif turn is self._answering:
            self.abort()

    # Ending.

    def _close(self) -> None:
        """Ends the connection when all is written.

        Who still sends would find a reset in place of the answer, if it were closed with something unread in it. So
        what comes is read for a while, and thrown away (RFC 9112, section 9.6).
        """
        heard = not (self._broken or self._held or self._receiving)
        self._deaf = True
        self._receiving = None
        self._queue.clear()
        self._held.clear()
        if heard or self._ended:
            self._shut()
        else:
            self._resume_reading()
            self._transport.write_eof()
            self._wait(self._limits.linger, self.abort)

    def _shut(self) -> None:
        self._deaf = True
        self._transport.close()
        self._wait_for_client()

    def _wait_for_client(self) -> None:
        """Gives the client time to take what is written."""
        self._unsent = self._transport.get_write_buffer_size()
        self._wait(self._limits.stuck, self._check_client)

    def _check_client(self) -> None:
        """Ends the connection of a client that took nothing of it."""
        unsent = self._transport.get_write_buffer_size()
        if unsent >= self._unsent:
            self.abort()
        else:
            self._wait_for_client()

    def _address(self, name: str) -> Address:
        address: tuple[str, int] | str | None = self._transport.get_extra_info(name)
        return (address[0], address[1]) if isinstance(address, tuple) else None

    def _wait(self, seconds: float, overdue: Callable[[], None]) -> None:
        self.deadline = self._shared.now + seconds
        self.overdue = overdue

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()


def _nowhere(_data: bytes) -> None:
    """Where what is written to a connection goes that is lost."""
