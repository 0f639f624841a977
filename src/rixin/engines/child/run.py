"""One call of the library: it blocks a thread, and its words are read in the event loop."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable

from rixin.engines.child.chunk import Chunk, decode_chunk
from rixin.engines.child.listener import refused

PATIENCE = 4.0
"""Seconds without a word after which a call is told that the library speaks to others, if it does."""

Handle = Callable[[bytes, Callable[[bytes], bool]], None]
"""What is called with a body and with what takes the chunks of the answer, and gives True to drop the request."""


class Pulse:
    """Counts what the library says, to whomever."""

    beats = 0


class Run:
    """One call of the library in a thread, and its mailbox in the event loop.

    Args:
        handle: The library's function.
        body: What it is asked.
        pulse: Of the library.
        patience: Seconds; see `PATIENCE`.
    """

    def __init__(self, handle: Handle, body: bytes, pulse: Pulse, patience: float = PATIENCE) -> None:
        self._handle = handle
        self._body = body
        self._pulse = pulse
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._left = threading.Event()
        self._mail: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._ended = asyncio.Event()
        self._failure: Exception | None = None

    def __call__(self) -> None:
        """Runs in the thread."""
        try:
            if not self._left.is_set():
                self._handle(self._body, self._take)
        except (ValueError, RuntimeError) as error:
            self._failure = error
        finally:
            self._tell(self._end)

    async def receive(self) -> list[Chunk] | None:
        """What has come since the last call; an empty list where only others were told something, None at the end.

        Raises:
            RixinError: `INVALID_REQUEST` where the library refuses the request.
        """
        beats = self._pulse.beats
        while not await self._hears():
            if self._pulse.beats != beats:
                return []
        self._arrived.clear()
        chunks = [decode_chunk(data) for data in self._mail]
        self._mail.clear()
        if self._ended.is_set():
            self._arrived.set()
            if not chunks and self._failure is not None:
                raise refused(str(self._failure))
            return chunks or None
        return chunks

    async def _hears(self) -> bool:
        """Whether something arrives within the patience."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._arrived.wait()
        except TimeoutError:
            return False

    async def leave(self) -> None:
        """Lets the library drop the request, and waits until it has."""
        self._left.set()
        await self._ended.wait()

    def _take(self, data: bytes) -> bool:
        """Takes a chunk from the library, in the thread; True makes it drop the request."""
        self._tell(self._deliver, data)
        return self._left.is_set()

    def _tell(self, call: Callable[..., None], *arguments: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: the program is ending
            self._loop.call_soon_threadsafe(call, *arguments)

    def _deliver(self, data: bytes) -> None:
        self._pulse.beats += 1
        self._mail.append(data)
        self._arrived.set()

    def _end(self) -> None:
        self._ended.set()
        self._arrived.set()
