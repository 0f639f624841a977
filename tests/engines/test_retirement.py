"""Connections that close with their last exchange."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from rixin.engines.http1.transport import Http1Transport
from rixin.engines.retirement import RetiringTransport
from rixin.engines.transport import Exchange, Timeouts
from rixin.errors import RixinError
from tests.upstreams.scripted import Cut, Request, ScriptedUpstream, Send, Wait, answer, chunk, head


class CountedTransport(Http1Transport):
    """The real one; remembers how often it was closed."""

    closings = 0

    async def aclose(self) -> None:
        """Closes it."""
        self.closings += 1
        await super().aclose()


def transport_to(upstream: ScriptedUpstream) -> tuple[RetiringTransport, CountedTransport]:
    """A transport, and the one that does its work."""
    inner = CountedTransport(upstream.url, "The upstream", Timeouts())
    return RetiringTransport(inner), inner


async def read(exchange: AbstractAsyncContextManager[Exchange]) -> bytes:
    """A whole answer."""
    async with exchange as opened:
        return await opened.read_all(1000)


async def test_what_is_idle_closes_at_once() -> None:
    """Retired with nothing under way, it has closed its connections when `retire` returns."""
    async with ScriptedUpstream(answer("ok")) as upstream:
        transport, inner = transport_to(upstream)
        assert await read(transport.exchange("GET", "/a")) == b"ok"
        assert inner.closings == 0
        await transport.retire()
        assert inner.closings == 1


async def test_an_exchange_under_way_is_read_to_its_end() -> None:
    """Retired in the middle of two answers, it lets both arrive whole, and closes after the second."""
    go = asyncio.Event()

    def reply(request: Request) -> list[Send | Wait]:
        start = [Send(head(transfer_encoding="chunked") + chunk(b"be"))]
        return [*start, *([Wait(go)] if request.path.endswith("slow") else []), Send(chunk(b"gun") + b"0\r\n\r\n")]

    async with ScriptedUpstream(reply) as upstream:
        transport, inner = transport_to(upstream)
        async with transport.exchange("GET", "/slow") as slow, transport.exchange("GET", "/fast") as fast:
            assert await slow.read() == b"be"
            await transport.retire()
            assert await fast.read_all(100) == b"begun"
            go.set()
            assert await slow.read_all(100) == b"gun"
            assert inner.closings == 0
        assert inner.closings == 1


async def test_one_that_comes_later_is_still_answered() -> None:
    """A request that was queued for it gets its answer, and leaves nothing open."""
    async with ScriptedUpstream(answer("ok")) as upstream:
        transport, inner = transport_to(upstream)
        await transport.retire()
        assert await read(transport.exchange("GET", "/a")) == b"ok"
        assert inner.closings == 2


async def test_a_failed_exchange_counts_as_ended() -> None:
    """An exchange that gets no answer does not keep a retired transport open."""
    async with ScriptedUpstream([Cut()]) as upstream:
        transport, inner = transport_to(upstream)
        await transport.retire()
        with pytest.raises(RixinError):
            await read(transport.exchange("GET", "/a"))
        assert inner.closings == 2
