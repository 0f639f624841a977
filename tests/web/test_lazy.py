"""Values that are made when they are first asked for."""

import asyncio

import pytest

from rixin.web.lazy import Lazy


async def test_it_is_made_once() -> None:
    """However many ask at the same time, and though the first of them goes away."""
    made: list[int] = []
    begin = asyncio.Event()

    async def make() -> int:
        await begin.wait()
        made.append(1)
        return len(made)

    lazy = Lazy(make)
    first, *others = [asyncio.create_task(lazy.value()) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    begin.set()
    assert await asyncio.gather(*others) == [1] * 4
    assert await lazy.value() == 1
    assert first.cancelled()


async def test_it_may_succeed_later() -> None:
    """Whoever asks while it cannot be made is told so; the next one finds out anew."""
    attempts: list[int] = []

    async def make() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            raise OSError("not yet")
        return "made"

    lazy = Lazy(make)
    with pytest.raises(OSError, match="not yet"):
        await lazy.value()
    assert await lazy.value() == "made"
