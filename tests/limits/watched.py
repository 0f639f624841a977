"""A store of counters that a test can take away."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from rixin.errors import Kind, RixinError
from rixin.limits.page import CounterStore, Page

T = TypeVar("T")


class Watched:
    """A store that counts its steps, tells when it answers, and may be gone, or lose its answers."""

    def __init__(self, store: CounterStore) -> None:
        self._store = store
        self.steps = 0
        self.answers = asyncio.Event()
        self.gone = False
        self.mute = False

    async def step(self, names: Iterable[str], decide: Callable[[Page], T]) -> T:
        """As the store, while it is there."""
        self.steps += 1
        if self.gone:
            raise RixinError(Kind.OVERLOADED, "It is gone.")
        outcome = await self._store.step(names, decide)
        self.answers.set()
        if self.mute:
            raise RixinError(Kind.OVERLOADED, "Nobody heard the answer.")
        return outcome

    async def sweep(self) -> None:
        """As the store."""
        await self._store.sweep()

    async def aclose(self) -> None:
        """As the store."""
        await self._store.aclose()
