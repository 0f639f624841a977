"""Two back ends behind one: rates are counted in memory, quotas in the database.

A server of one process counts its rates within microseconds; a restart forgets them, which is over within a quarter
of an hour. Quotas are remembered, and so are rates that are to last. The price of two back ends: while the database
decides on a quota, the request's share of its rates is already taken, so that another request may be refused for one
that is refused a moment later. Never is more admitted than a limit says.
"""

from collections.abc import Sequence

from rixin.clock import Clock
from rixin.limits.admission import refusal
from rixin.limits.base import Cost, Limit, Limiter, LimitError, Reservation, Standing
from rixin.limits.trail import Legacy, Trail
from rixin.limits.window import microseconds


class TieredLimiter:
    """Sends each limit to the back end that it belongs to.

    Args:
        rates: Counts windows of up to fifteen minutes, and concurrency.
        quotas: Counts longer windows, and limits that are `lasting`.
        clock: The one that both have.
    """

    def __init__(self, rates: Limiter, quotas: Limiter, clock: Clock) -> None:
        self._rates = rates
        self._quotas = quotas
        self._clock = clock

    @property
    def process(self) -> str:
        """As `Limiter.process`."""
        return self._quotas.process

    async def acquire(self, limits: Sequence[Limit], cost: Cost, *, taken_down: bool = False) -> Reservation:
        """As `Limiter.acquire`."""
        rates, quotas = _parted(limits)
        if not quotas:
            return await self._rates.acquire(rates, cost)
        if not rates:
            return await self._quotas.acquire(quotas, cost, taken_down=taken_down)
        try:
            first = await self._rates.acquire(rates, cost)
        except LimitError as error:
            # The quota may make the client wait longer than the rate that refused.
            standings = error.standings + await self._quotas.inspect(quotas, cost)
            raise refusal(standings, cost, microseconds(self._clock.monotonic())) from None
        try:
            second = await self._quotas.acquire(quotas, cost, taken_down=taken_down)
        except LimitError as error:
            first.release()
            standings = await self._rates.inspect(rates, cost) + error.standings
            raise refusal(standings, cost, microseconds(self._clock.monotonic())) from None
        except BaseException:
            first.release()
            raise
        return _TieredReservation(first, second)

    async def inspect(self, limits: Sequence[Limit], cost: Cost) -> tuple[Standing, ...]:
        """As `Limiter.inspect`; rates come first."""
        rates, quotas = _parted(limits)
        return await self._rates.inspect(rates, cost) + await self._quotas.inspect(quotas, cost)

    def has_written(self, step: int | None = None) -> bool:
        """As `Limiter.has_written`."""
        return self._quotas.has_written(step)

    async def take_over(self, legacy: Legacy) -> None:
        """As `Limiter.take_over`; of what is counted in memory nothing is left."""
        await self._quotas.take_over(legacy)

    async def aclose(self) -> None:
        """Closes both."""
        await self._rates.aclose()
        await self._quotas.aclose()


def _parted(limits: Sequence[Limit]) -> tuple[list[Limit], list[Limit]]:
    """Limits that are counted in memory, and those that are counted in the database."""
    rates: list[Limit] = []
    quotas: list[Limit] = []
    for limit in limits:
        (rates if limit.is_rate and not limit.lasting else quotas).append(limit)
    return rates, quotas


class _TieredReservation:
    """One reservation in each back end."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: Reservation, second: Reservation) -> None:
        self._first = first
        self._second = second

    @property
    def standings(self) -> tuple[Standing, ...]:
        return self._first.standings + self._second.standings

    @property
    def trail(self) -> Trail | None:
        return self._second.trail

    def settle(self, cost: Cost) -> None:
        self._first.settle(cost)
        self._second.settle(cost)

    def release(self) -> None:
        self._first.release()
        self._second.release()
