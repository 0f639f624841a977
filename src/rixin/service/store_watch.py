"""Whether the stores of a server can be used: asked once a second at most, by however many want to know."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from rixin.accounts.single_flight import SingleFlight
from rixin.clock import Clock
from rixin.errors import Kind, RixinError

PATIENCE: Final = 2.0
"""Seconds after which a store that says nothing is taken for away."""
FRESH_FOR: Final = 1.0
"""Seconds for which a look counts."""

Asking: TypeAlias = Callable[[], Awaitable[object]]
"""Asks a store for something small. Raises `RixinError` where it is away."""
Look: TypeAlias = Mapping[str, float | None]
"""Seconds that each store took to answer; None where it is away."""


class StoreWatch:
    """Looks after stores when somebody wants to know, and not otherwise.

    Args:
        stores: By what each is called.
        clock: Time.
    """

    def __init__(self, stores: Mapping[str, Asking], clock: Clock) -> None:
        self._stores = stores
        self._clock = clock
        self._looks: SingleFlight[None, Look] = SingleFlight()
        self._latest: Look = {}
        self._stale_at = clock.monotonic()

    async def look(self) -> Look:
        """How the stores are, or were less than a second ago."""
        if self._clock.monotonic() < self._stale_at:
            return self._latest
        return await self._looks.run(None, self._look)

    async def obstacle(self) -> RixinError | None:
        """Why nobody can be served whom the server must check or count, naming each store that is away."""
        away = [name for name, seconds in (await self.look()).items() if seconds is None]
        if not away:
            return None
        message = f"The server cannot use its {' and its '.join(away)} at the moment."
        return RixinError(Kind.OVERLOADED, message, retry_after=FRESH_FOR)

    async def _look(self) -> Look:
        answers = await asyncio.gather(*(self._ask(asking) for asking in self._stores.values()))
        self._latest = dict(zip(self._stores, answers, strict=True))
        self._stale_at = self._clock.monotonic() + FRESH_FOR
        return self._latest

    async def _ask(self, asking: Asking) -> float | None:
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                await asking()
        except (RixinError, TimeoutError):
            return None
        return self._clock.monotonic() - began
