"""What asks a local model's engine child: over its Unix socket, with the model held loaded meanwhile."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import msgspec

from rixin.dialects.base import Upstream
from rixin.engines import connections
from rixin.engines.control import ControlClient, EnsuredModel
from rixin.engines.http_stream import ERROR_LIMIT, raise_for_status
from rixin.engines.process import State
from rixin.engines.transport import Carrier, Timeouts, Transport
from rixin.errors import Kind, RixinError

CONNECT = 5.0
"""Seconds in which a child that listens is connected."""

_DEAD = frozenset({Kind.UPSTREAM_UNREACHABLE, Kind.UPSTREAM_INTERRUPTED})
"""How an engine child that is no more shows itself: nobody listens, or a connection to it was still open."""

_NEWS = 5.0
"""Seconds that the supervisor has to notice the end of an engine child; it takes milliseconds."""

T = TypeVar("T")


class ChildClient:
    """Asks the child of one local model, whichever process that is by now.

    Args:
        model: The model's name.
        control: Loads it, and keeps it loaded while a request is under way.
        timeouts_of: The deadlines of its connections, once it is loaded.
    """

    def __init__(self, model: str, control: ControlClient, timeouts_of: Callable[[EnsuredModel], Timeouts]) -> None:
        self.model = model
        self._control = control
        self._timeouts_of = timeouts_of
        self._socket = ""
        self._transport: Transport | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded, as far as the news of it go."""
        status = self._control.models.get(self.model)
        return status is not None and status.state == State.READY

    async def ready(self) -> Transport:
        """Connections to the child, loaded first where need be. It is held by nobody.

        Raises:
            RixinError: `STARTING` or `OVERLOADED` when it cannot be loaded now.
        """
        return await self._connect(await self._control.ensure(self.model))

    async def answered(self, ask: Callable[[Transport], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """What the child answers, with the model held meanwhile.

        When the child has died before it said a word, the model is ensured afresh, once.
        """
        heard = False
        for last in (False, True):
            async with self._control.lease(self.model) as ensured:
                try:
                    async with aclosing(ask(await self._connect(ensured))) as answer:
                        async for item in answer:
                            heard = True
                            yield item
                    return
                except RixinError as error:
                    if last or heard or error.kind not in _DEAD:
                        raise
            await self._control.gone(self.model, _NEWS)

    async def aclose(self) -> None:
        """Closes the connections; the child stays."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def _connect(self, ensured: EnsuredModel) -> Transport:
        if self._transport is None or ensured.socket != self._socket:
            old, self._socket = self._transport, ensured.socket
            timeouts = self._timeouts_of(ensured)
            self._transport = new = connections.to_socket(Path(self._socket), "The embedded engine", timeouts)
            if old is not None:
                # The model has left its old child, and whoever still reads from there has lost it already.
                await old.aclose()
            return new
        return self._transport


async def ask_child(
    transport: Carrier,
    upstream: Upstream,
    method: str,
    path: str,
    body: bytes,
    kind: type[T],
    limit: int = ERROR_LIMIT,
) -> T:
    """One question to a child, and its answer of at most `limit` bytes.

    Raises:
        RixinError: What is wrong with the request, or how the engine failed.
    """
    async with transport.exchange(method, path, body=body) as exchange:
        await raise_for_status(exchange, upstream)
        answer = await exchange.read_all(limit)
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.DecodeError as error:
        raise RixinError(
            Kind.UPSTREAM_INVALID, "The embedded engine gave an answer of the wrong form.", detail=str(error)
        ) from None
