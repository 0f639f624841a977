"""What may be fetched for a client: which URLs, and which addresses behind them.

A URL is parsed once; the same object is checked and fetched, so that there are no two readings of it. What counts in
the end is the address that a connection is made to, whatever name led there.
"""

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, TypeAlias

from yarl import URL

from rixin.errors import Kind, RixinError, invalid

Address: TypeAlias = IPv4Address | IPv6Address

MAX_URL: Final = 8192
"""Characters of a URL that is fetched."""

_NOT_PUBLIC = tuple(
    ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
"""What is not one host on the public Internet, by the special-purpose registries of IANA (RFC 6890)."""
_GLOBAL_V6 = ip_network("2000::/3")
"""All that IPv6 routes publicly. Outside of it are loopback, mapped and translated IPv4, local and multicast."""
_PRIVATE = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("::1/128", "fc00::/7"),
    )
)
"""Where a private host that is allowed by its name may be. Link-local is not there: clouds keep their secrets on it."""

_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*")
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
"""The last label of a host that many programs read as a number of an address (WHATWG URL, section 3.5)."""
_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")


class Guard:
    """Decides what may be fetched.

    Args:
        private_hosts: What is allowed beside the public Internet: host names and `*.name`, which may then have a
            private address, and addresses and networks, which may be reached by any name.
        ports: The ports of public hosts.

    Raises:
        RixinError: `CONFIGURATION` for an entry that is neither name, address nor network.
    """

    def __init__(self, private_hosts: Iterable[str] = (), ports: Iterable[int] = (80, 443)) -> None:
        entries = [entry.strip().lower().rstrip(".") for entry in private_hosts]
        self._networks = [ip_network(entry, strict=False) for entry in entries if _is_network(entry)]
        names = [entry for entry in entries if not _is_network(entry)]
        for name in names:
            if not _HOST.fullmatch(name.removeprefix("*.")) or _is_numeric(name):
                raise RixinError(
                    Kind.CONFIGURATION,
                    f"media.private_hosts: {name!r} is no host name, address or network",
                )
        self._names = frozenset(name for name in names if not name.startswith("*."))
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self._ports = frozenset(ports)

    def admits(self, host: str, address: Address, port: int) -> bool:
        """Whether a connection may be made to an address that `host` was resolved to."""
        if any(address in network for network in self._networks):
            return True
        named = host in self._names or host.endswith(self._suffixes)
        if named and any(address in network for network in _PRIVATE):
            return True
        return is_public(address) and (named or port in self._ports)


def is_public(address: Address) -> bool:
    """Whether an address is one host's on the public Internet."""
    if isinstance(address, IPv6Address) and (address not in _GLOBAL_V6 or address.scope_id is not None):
        return False
    return not any(address in network for network in _NOT_PUBLIC)


def parse_url(text: str, path: str) -> URL:
    """The URL that a client gave.

    Args:
        text: The URL.
        path: Where it stands in the request, for errors.

    Raises:
        RixinError: `INVALID_REQUEST` where it is no plain `http` or `https` URL.
    """
    url = read_url(text)
    if url is None or not is_fetchable(url):
        raise invalid(f"invalid {path}, should be an http or https URL without a user name.", path)
    return url


def read_url(text: str) -> URL | None:
    """A URL, whole or relative; None where it is none. What is spelled in ASCII is sent as it is: it may be signed."""
    if len(text) > MAX_URL or _CONTROL.search(text):
        return None
    try:
        return URL(text, encoded=text.isascii())
    except ValueError:
        return None


def is_fetchable(url: URL) -> bool:
    """Whether a URL is one of those that may be fetched, if its host's address is."""
    try:
        host, port = host_of(url), url.port
    except ValueError:  # it is read only now
        return False
    if url.scheme not in ("http", "https") or "@" in url.raw_authority or not port:
        return False
    if ":" in host or _is_numeric(host):
        return literal_address(host) is not None
    return len(host) <= 253 and _HOST.fullmatch(host) is not None


def host_of(url: URL) -> str:
    """The host in its one spelling."""
    return (url.raw_host or "").lower().removesuffix(".")


def literal_address(host: str) -> Address | None:
    """The address that a host is, where it is one in its canonical form and no name."""
    try:
        return ip_address(host)
    except (ValueError, AddressValueError):
        return None


def _is_numeric(host: str) -> bool:
    return _NUMERIC.fullmatch(host.rpartition(".")[2]) is not None


def _is_network(entry: str) -> bool:
    try:
        ip_network(entry, strict=False)
    except ValueError:
        return False
    return True
