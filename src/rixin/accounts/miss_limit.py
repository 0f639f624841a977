"""How many unknown keys one address may try: what stands between a guesser and the database."""

from collections import OrderedDict, deque
from ipaddress import IPv6Address, IPv6Network

from rixin.accounts.networks import parse_address
from rixin.clock import Clock
from rixin.errors import Kind, RixinError

MISSES = 20
WINDOW = 1.0
"""Seconds."""
ADDRESSES = 4096
"""Addresses remembered at a time."""


class MissLimit:
    """At most 20 misses in any one second for each address. IPv6 addresses count by their /64 network."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._misses: OrderedDict[str, deque[float]] = OrderedDict()  # by their latest miss

    def take(self, address: str | None) -> None:
        """Counts a miss.

        Raises:
            RixinError: `RATE_LIMITED` when it would be one too many; it is not counted then.
        """
        network = network_of(address)
        now = self._clock.monotonic()
        misses = self._misses.get(network)
        if misses is None:
            self._forget(now - WINDOW)
            misses = self._misses[network] = deque()
        while misses and misses[0] <= now - WINDOW:
            misses.popleft()
        if len(misses) >= MISSES:
            raise RixinError(
                Kind.RATE_LIMITED,
                "Too many unknown API keys were tried from this address. Try again in a second.",
                retry_after=max(0.0, misses[0] + WINDOW - now),
            )
        misses.append(now)
        self._misses.move_to_end(network)

    def give_back(self, address: str | None) -> None:
        """Takes back the latest miss of an address: the key proved to be one of ours."""
        misses = self._misses.get(network_of(address))
        if misses:
            misses.pop()

    def _forget(self, before: float) -> None:
        while self._misses:
            network, misses = next(iter(self._misses.items()))
            if len(self._misses) < ADDRESSES and misses and misses[-1] > before:
                return
            del self._misses[network]


def network_of(address: str | None) -> str:
    """What addresses are counted by: an IPv6 one by its /64 network, another one by itself."""
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return str(parsed or address or "")
