"""What a worker holds open, and does in the background, until it ends."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Protocol, TypeVar


class Closes(Protocol):
    """Something that is closed when it is needed no more."""

    async def aclose(self) -> None:
        """Gives back what it holds."""
        ...


Held = TypeVar("Held", bound=Closes)


class Lifetime(AsyncExitStack):
    """Ends all that began in it, the last first."""

    def hold(self, opened: Held) -> Held:
        """Closes something at the end."""
        self.push_async_callback(opened.aclose)
        return opened

    def run(self, work: Coroutine[None, None, None]) -> None:
        """Does something in the background; it is cancelled before what began earlier ends."""
        task = asyncio.create_task(work)

        async def end() -> None:
            task.cancel()
            await asyncio.wait([task])

        self.push_async_callback(end)
