"""An answer that is a stream of events, and its silences."""

import asyncio
from collections.abc import Callable, Iterable

from rixin.errors import Kind, RixinError
from rixin.web.exchange import EVENT_STREAM, Exchange


class EventStream:
    """Writes to the client in whole events, and notices silence on either side.

    Args:
        exchange: What is answered.
        keep_alive: Makes a sign of life.
        tell: Is called before the first bytes, when headers may still be added.
        headers: Of the answer.
        content_type: Of the stream.
    """

    def __init__(
        self,
        exchange: Exchange,
        keep_alive: Callable[[], bytes],
        tell: Callable[[], None],
        headers: Iterable[tuple[bytes, bytes]] = (),
        content_type: str = EVENT_STREAM,
    ) -> None:
        self._exchange = exchange
        self._keep_alive = keep_alive
        self._tell = tell
        self._headers = headers
        self._content_type = content_type
        self._writes = 0
        self._writing = False

    async def send(self, data: bytes) -> None:
        """Sends whole events, and the status and headers before the first of them."""
        if not data:
            return
        self._writes += 1
        self._writing = True
        if not self._exchange.started:
            self._tell()
            await self._exchange.start_stream(self._headers, self._content_type)
        await self._exchange.write(data)
        self._writing = False

    async def watch(self, interval: float, patience: float) -> None:
        """Sends a sign of life whenever nothing was sent for `interval` seconds; the first one commits the status.

        A client that takes nothing for `patience` seconds is given up.
        """
        stuck = 0.0
        while True:
            writes = self._writes
            await asyncio.sleep(interval)
            if writes != self._writes:
                stuck = 0.0
            elif self._writing:
                stuck += interval
                if stuck >= patience:
                    message = "The client took nothing of its stream any more."
                    self._exchange.interrupt(RixinError(Kind.CANCELLED, message))
            else:
                await self.send(self._keep_alive())
