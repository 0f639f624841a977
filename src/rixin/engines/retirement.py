"""Connections that close themselves when nobody needs them any more."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from rixin.engines.transport import Closable, Exchange


class RetiringTransport:
    """A transport that can be told to close with its last exchange.

    Args:
        transport: Carries the exchanges.
    """

    def __init__(self, transport: Closable) -> None:
        self._transport = transport
        self._running = 0
        self._retired = False

    def exchange(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> AbstractAsyncContextManager[Exchange]:
        """Sends a request; see `Carrier.exchange`."""
        return _Counted(self, self._transport.exchange(method, path, headers=headers, body=body))

    async def retire(self) -> None:
        """Closes every connection once no exchange is under way, and again after each that comes later."""
        self._retired = True
        await self._close_if_idle()

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._transport.aclose()

    def begin(self) -> None:
        """An exchange begins."""
        self._running += 1

    async def end(self) -> None:
        """An exchange has ended."""
        self._running -= 1
        await self._close_if_idle()

    async def _close_if_idle(self) -> None:
        if self._retired and not self._running:
            await self._transport.aclose()


class _Counted:
    """One exchange, counted."""

    __slots__ = ("_exchange", "_transport")

    def __init__(self, transport: RetiringTransport, exchange: AbstractAsyncContextManager[Exchange]) -> None:
        self._transport = transport
        self._exchange = exchange

    async def __aenter__(self) -> Exchange:
        self._transport.begin()
        try:
            return await self._exchange.__aenter__()
        except BaseException:
            await self._transport.end()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            return await self._exchange.__aexit__(kind, error, trace)
        finally:
            await self._transport.end()
