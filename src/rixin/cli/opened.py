"""What a command works with, open while it works."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def run_with(opened: AbstractAsyncContextManager[S], work: Callable[[S], Awaitable[T]]) -> T:
    """What `work` gives that is done with what `opened` opens. Raises as either does."""

    async def run() -> T:
        async with opened as parts:
            return await work(parts)

    return asyncio.run(run())
