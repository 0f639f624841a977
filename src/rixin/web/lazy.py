"""What takes long to make and is seldom asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Lazy(Generic[T_co]):
    """A value that is made when it is first asked for, and then kept."""

    def __init__(self, make: Callable[[], Awaitable[T_co]]) -> None:
        self._make = make
        self._making: asyncio.Task[T_co] | None = None

    async def value(self) -> T_co:
        """The value. Raises what making it raises; whoever asks after that finds out whether it can be made by then."""
        if self._making is None:
            self._making = asyncio.create_task(self._made())
        try:
            return await asyncio.shield(self._making)
        except Exception:
            # Whatever it was, it is not kept.
            self._making = None
            raise

    async def _made(self) -> T_co:
        return await self._make()
