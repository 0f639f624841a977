"""One call of the library, played by functions that block as it does."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from rixin.engines.child.run import Handle, Pulse, Run
from rixin.errors import Kind, RixinError
from tests.support.hang import HANG

CHUNK = b'{"choices": [{"delta": {"content": "Paris"}}]}'


def begin(handle: Handle, pulse: Pulse | None = None, patience: float = HANG) -> Run:
    """A call under way in a thread of its own."""
    run = Run(handle, b"{}", pulse or Pulse(), patience)
    ThreadPoolExecutor(1).submit(run)
    return run


async def test_chunks_come_in_order_and_end() -> None:
    """What the library says is received, then its end."""

    def handle(_body: bytes, take: Callable[[bytes], bool]) -> None:
        assert not take(CHUNK)

    async with asyncio.timeout(HANG):
        run = begin(handle)
        received = await run.receive()
        assert [chunk.choices[0].delta.content for chunk in received or ()] == ["Paris"]
        assert await run.receive() is None
        await run.leave()


async def test_leaving_makes_the_library_drop_the_request() -> None:
    """The next chunk after it is answered by True, and leaving lasts until the library is done."""
    dropped = threading.Event()

    def handle(_body: bytes, take: Callable[[bytes], bool]) -> None:
        while not take(CHUNK):
            pass
        dropped.set()

    async with asyncio.timeout(HANG):
        run = begin(handle)
        await run.receive()
        await run.leave()
    assert dropped.is_set()


async def test_a_refusal_is_raised() -> None:
    """What the library refuses is the request's fault, in its words."""

    def handle(_body: bytes, _take: Callable[[bytes], bool]) -> None:
        raise ValueError("no such thing")

    async with asyncio.timeout(HANG):
        with pytest.raises(RixinError, match="no such thing") as caught:
            await begin(handle).receive()
    assert caught.value.kind is Kind.INVALID_REQUEST


async def test_a_call_that_waits_for_others_hears_that_they_are_served() -> None:
    """While the library speaks to another call, this one gets empty lists; when it is silent to all, nothing at all."""
    pulse, end, others = Pulse(), threading.Event(), threading.Event()

    def silent(_body: bytes, _take: Callable[[bytes], bool]) -> None:
        end.wait(HANG)

    def talking(_body: bytes, take: Callable[[bytes], bool]) -> None:
        while not (others.wait(0.001) or take(CHUNK)):
            pass

    async with asyncio.timeout(HANG):
        waiting, served = begin(silent, pulse, patience=0.05), begin(talking, pulse)
        assert await waiting.receive() == []
        assert await waiting.receive() == []
        others.set()
        while await served.receive() is not None:
            pass
        stuck = asyncio.ensure_future(waiting.receive())
        done, _ = await asyncio.wait({stuck}, timeout=0.5)
        assert not done
        end.set()
        assert await stuck is None
