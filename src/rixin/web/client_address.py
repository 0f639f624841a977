"""Where a request comes from, behind proxies too."""

from collections.abc import Mapping, Sequence

from rixin.accounts.networks import admits, parse_address


def client_address(peer: str | None, headers: Mapping[str, str], trusted: Sequence[str]) -> str | None:
    """The address of a client.

    A client may write into `x-forwarded-for` what it likes, and each proxy adds whom it heard it from at the end: so
    the last address counts that no trusted proxy has.

    Args:
        peer: Who is at the other end of the connection; None on a Unix socket.
        headers: By lower-case name.
        trusted: Addresses and networks of proxies, in CIDR notation. None are, unless the settings say so.
    """
    if not trusted or not admits(trusted, peer):
        return peer
    address = peer
    for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
        if parse_address(hop.strip()) is None:
            break
        address = hop.strip()
        if not admits(trusted, address):
            break
    return address
