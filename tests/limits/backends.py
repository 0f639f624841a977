"""The back ends as the common suite drives them: each on time that the test owns, in an event loop of its own."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import TypeVar

from rixin.limits.base import Cost, Limit, Limiter, LimitError, Reservation, Standing
from rixin.limits.page import CounterStore
from rixin.limits.process import ProcessLimiter
from rixin.limits.redis_counters import RedisCounters
from rixin.limits.shared import SharedLimiter
from rixin.settings import Unit
from tests.limits.manual_clock import ManualClock
from tests.limits.stores import SqlStore
from tests.support.databases import Place

T = TypeVar("T")
PACE = 0.001
"""Seconds between two looks of a limiter at what it holds: the clock of the tests stands still meanwhile."""

Opening = Callable[[ManualClock], CounterStore]
"""Opens a store that was made once, and outlives every limiter."""


def sql_store(place: Place, clock: ManualClock) -> CounterStore:
    """Counters in a database."""
    return SqlStore(place, clock, clock.machine, own_wall=True)


def redis_store(url: str, clock: ManualClock) -> CounterStore:
    """Counters in a Redis."""
    return RedisCounters(url, clock, clock.machine, own_wall=True)


class Backend:
    """A back end, its clock, and calls that wait for it.

    Args:
        opening: Opens the store; None is the back end in memory, which forgets all with its process.
        pace: Seconds between two looks of a process at what it holds.
    """

    def __init__(self, opening: Opening | None, *, pace: float = PACE) -> None:
        self.clock = ManualClock()
        self._pace = pace
        self._opening = opening
        self._runner = asyncio.Runner()
        self._names = itertools.count()
        self._limiters: list[SharedLimiter] = []
        self.limiter: Limiter = ProcessLimiter(self.clock) if opening is None else self.open(opening)

    @property
    def remembers(self) -> bool:
        """Whether what was counted outlives a process."""
        return self._opening is not None

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Waits for a coroutine."""
        return self._runner.run(work)

    def open(self, opening: Opening) -> SharedLimiter:
        """One more process that shares the store."""

        async def make() -> SharedLimiter:
            return SharedLimiter(opening(self.clock), self.clock, pace=self._pace)

        limiter = self.run(make())
        self._limiters.append(limiter)
        return limiter

    def limit(self, unit: Unit, amount: int, window: float | None = None) -> Limit:
        """A limit on somebody whom no other test knows."""
        return Limit(f"key:{next(self._names)}", unit, amount, window)

    def acquire(self, *limits: Limit, tokens: int = 1, money: int = 0, credits_: int = 1) -> Reservation:
        """As `Limiter.acquire`."""
        cost = Cost(tokens=tokens, credits=credits_, money=money)
        return self.run(self.limiter.acquire(limits, cost))

    def try_acquire(self, *limits: Limit, tokens: int = 1) -> Reservation | LimitError:
        """A reservation, or the error instead."""
        try:
            return self.acquire(*limits, tokens=tokens)
        except LimitError as error:
            return error

    def inspect(self, limit: Limit, tokens: int = 1) -> Standing:
        """How one limit stands."""
        return self.run(self.limiter.inspect([limit], Cost(tokens=tokens)))[0]

    def end(self, reservation: Reservation, tokens: int | None) -> None:
        """Settles a reservation, or releases it where `tokens` is None."""

        async def end() -> None:
            reservation.release() if tokens is None else reservation.settle(Cost(tokens=tokens))

        self.run(end())

    def restart(self) -> None:
        """A new process takes over from one that ended well, where the back end remembers."""
        if self._opening is not None:
            self.close_limiters()
            self.limiter = self.open(self._opening)

    def abandon(self) -> None:
        """What a crash leaves: the process says nothing any more, and a new one takes over."""
        if self._opening is not None:
            for limiter in list(self._limiters):
                self.kill(limiter)
            self.limiter = self.open(self._opening)

    def kill(self, limiter: SharedLimiter) -> None:
        """Has a process do nothing any more."""

        # Whoever is killed is asked nothing: all that it was about to do is not done.
        async def kill() -> None:
            limiter._leaves = True  # pyright: ignore[reportPrivateUsage] - so that a cancelled step starts no keeper
            tasks = [*limiter._tasks, limiter._keeper]  # pyright: ignore[reportPrivateUsage]
            alive = [task for task in tasks if task is not None]
            for task in alive:
                task.cancel()
            await asyncio.gather(*alive, return_exceptions=True)
            await limiter._store.aclose()  # pyright: ignore[reportPrivateUsage]

        self.run(kill())
        self._limiters.remove(limiter)

    def leave(self, limiter: SharedLimiter) -> None:
        """Ends a process well."""
        self.run(limiter.aclose())
        self._limiters.remove(limiter)

    def close_limiters(self) -> None:
        """Ends all processes well."""
        for limiter in self._limiters:
            self.run(limiter.aclose())
        self._limiters.clear()

    def close(self) -> None:
        """Ends the back end and its loop."""
        self.close_limiters()
        self._runner.close()
