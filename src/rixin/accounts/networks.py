"""Where requests come from: addresses and networks as they are compared."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


def parse_address(text: str | None) -> Address | None:
    """An address as a connection tells it; None where it is none. IPv4 that is written as IPv6 is IPv4."""
    try:
        address = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


@lru_cache(maxsize=1024)
def parse_network(text: str) -> Network:
    """A network in CIDR notation, or one address. Raises `ValueError` where it is none."""
    return ip_network(text)


def admits(networks: Iterable[str], address: str | None) -> bool:
    """Whether an address lies within one of some networks. Who has none, as on a Unix socket, lies within none."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in parse_network(network) for network in networks)


def covers(networks: Iterable[str], wished: str) -> bool:
    """Whether a network lies within one of others."""
    network = parse_network(wished)
    return any(_within(network, parse_network(wider)) for wider in networks)


def _within(network: Network, wider: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(wider, IPv4Network) and network.subnet_of(wider)
    return isinstance(wider, IPv6Network) and network.subnet_of(wider)
