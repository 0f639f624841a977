"""Has the processes that share a store leave alone what one of them was refused by.

Each process has breakers of its own, which nobody has to be asked about. Twice in about a second it tells the others
which of them are open, and opens those that others' are. When the rest is over each process finds out for itself: one
request of each is let through. Thus nothing needs to be said when something works again.
"""

from collections.abc import Callable, Iterator, Mapping

from rixin.clock import Clock
from rixin.errors import Kind
from rixin.routing.gate import Gate
from rixin.routing.open_rests import open_rests
from rixin.store.polling import poll_always
from rixin.store.rests import Rest, Resting, RestTable

SLACK = 0.25
"""Seconds that count for nothing: clocks differ, and a rest that was just heard of is no news."""


class SharedRests:
    """The rests of one process, and those of the others.

    Args:
        table: Where they are told.
        gates: The gates of this process, as they are now.
        clock: Time.
    """

    def __init__(self, table: RestTable, gates: Callable[[], Mapping[str, Gate]], clock: Clock) -> None:
        self._table = table
        self._gates = gates
        self._clock = clock

    async def run(self) -> None:
        """Exchanges rests each second, until it is cancelled."""
        await poll_always(self.exchange, "upstreams that rest")

    async def exchange(self) -> None:
        """Tells what rests here, and leaves alone what rests elsewhere.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be asked.
        """
        known = await self._table.list(self._clock.now())
        ahead = self._clock.now() - self._clock.monotonic()
        own: dict[Resting, Rest] = {}
        for gate in self._gates().values():
            if not gate.settings.base_url:
                continue  # an engine of our own, of which each machine has its own
            own.update(_rests(gate, self._clock.monotonic(), ahead))
            for who, rest in known.items():
                if (who.provider, who.base_url) == (gate.settings.name, gate.settings.base_url) and (
                    who not in own or own[who].until < rest.until - SLACK
                ):
                    _rest(gate, who, rest, ahead)
        news = {who: rest for who, rest in own.items() if who not in known or known[who].until < rest.until - SLACK}
        if news:
            await self._table.add(news, self._clock.now())


def _rests(gate: Gate, now: float, ahead: float) -> Iterator[tuple[Resting, Rest]]:
    """What rests behind a gate, with its end in seconds since the epoch."""
    for rest in open_rests(gate, now):
        digest = None if rest.key is None else rest.key.digest
        who = Resting(gate.settings.name, gate.settings.base_url, rest.model, digest)
        yield who, Rest(rest.until + ahead, rest.step, rest.kind.value)


def _rest(gate: Gate, who: Resting, rest: Rest, ahead: float) -> None:
    until = rest.until - ahead
    if who.key is not None:
        for key in gate.pool.keys:
            if key.digest == who.key:
                key.rest(who.model, until, rest.step, Kind(rest.kind))
    elif who.model is not None:
        gate.breaker(who.model).rest_until(until, rest.step)
