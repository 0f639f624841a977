"""Connections that show an observer what goes over them."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from rixin.core.observer import AttemptObserver
from rixin.core.requests import Asked
from rixin.engines.transport import Carrier, Exchange


def observed(transport: Carrier, request: Asked, engine: str, dialect: str) -> Carrier:
    """A transport for the calls of one request, shown to its observer; the transport itself where it has none.

    Args:
        transport: Carries the calls.
        request: Whose calls they are.
        engine: The name of the engine that makes them.
        dialect: The name of what it speaks.
    """
    return transport if request.observer is None else _ObservedTransport(transport, request, engine, dialect)


class _ObservedTransport:
    """A transport for the calls of one request."""

    def __init__(self, transport: Carrier, request: Asked, engine: str, dialect: str) -> None:
        self._transport = transport
        self._request = request
        self._engine = engine
        self._dialect = dialect

    def exchange(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> AbstractAsyncContextManager[Exchange]:
        """Sends a request; see `Carrier.exchange`."""
        observer, model = self._request.observer, self._request.card.target
        assert observer is not None  # noqa: S101 - `observed` makes none without
        attempt = observer.on_attempt(self._engine, self._dialect, model, body)
        if attempt.carried:
            headers = {**(headers or {}), **attempt.carried}
        return _ObservedCall(self._transport.exchange(method, path, headers=headers, body=body), attempt)


class _ObservedCall:
    """The context of one call."""

    def __init__(self, call: AbstractAsyncContextManager[Exchange], attempt: AttemptObserver) -> None:
        self._call = call
        self._attempt = attempt

    async def __aenter__(self) -> Exchange:
        try:
            exchange = await self._call.__aenter__()
        except BaseException as error:
            self._attempt.on_end(error)
            raise
        wanted = self._attempt.on_answer(exchange.status, exchange.headers)
        return _ObservedExchange(exchange, self._attempt) if wanted else exchange

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._attempt.on_end(error)
        await self._call.__aexit__(kind, error, trace)


class _ObservedExchange:
    """An answer that is shown as it is read."""

    def __init__(self, exchange: Exchange, attempt: AttemptObserver) -> None:
        self._exchange = exchange
        self._attempt = attempt

    @property
    def status(self) -> int:
        return self._exchange.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._exchange.headers

    async def read(self) -> bytes:
        data = await self._exchange.read()
        self._attempt.on_data(data)
        return data

    async def read_all(self, limit: int) -> bytes:
        data = await self._exchange.read_all(limit)
        self._attempt.on_data(data)
        return data
