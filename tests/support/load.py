"""Clients that ask again and again, whatever happens to the servers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import aiohttp

Ask: TypeAlias = Callable[[], Awaitable[str | None]]
"""One request, to its end. Returns what was wrong with the answer."""


class Load:
    """Clients that each ask again as soon as they were answered, and what went wrong.

    Args:
        clients: How each of them asks.
    """

    def __init__(self, clients: Sequence[Ask]) -> None:
        self.lost: list[str] = []
        self.answered = 0
        self._clients = clients
        self._stopping = False
        self._progress = asyncio.Condition()

    async def run(self) -> None:
        """Asks until `stop`."""
        async with asyncio.TaskGroup() as running:
            for ask in self._clients:
                running.create_task(self._ask_on(ask))

    def stop(self) -> None:
        """Nobody asks again."""
        self._stopping = True

    async def more(self, count: int) -> None:
        """Waits until that many more were answered."""
        async with self._progress:
            goal = self.answered + count
            await self._progress.wait_for(lambda: self.answered >= goal)

    async def _ask_on(self, ask: Ask) -> None:
        while not self._stopping:
            try:
                wrong = await ask()
            except aiohttp.ClientError as error:
                wrong = repr(error)
            if wrong is not None:
                self.lost.append(wrong)
            async with self._progress:
                self.answered += 1
                self._progress.notify_all()
