"""Tells whether somebody may have files of this machine read and written in their home, as a command of theirs may.

That is for one person only: the owner of a server that nobody can reach but from this machine, logged in, in a browser
on it. Whoever is not known (a server without keys) or is a program (a key) is referred to the command line.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from rixin.accounts.account import Account
from rixin.errors import Kind, RixinError
from rixin.settings import LOOPBACK_HOSTS, Server
from rixin.web import local_only

Obstacle: TypeAlias = Literal["reachable", "elsewhere", "unknown", "not_owner"]

_WHY: Final[dict[Obstacle, str]] = {
    "reachable": "This server can be reached from other machines, so it touches no files of its own.",
    "elsewhere": "Only a browser on the server's own machine can have its files touched.",
    "unknown": "Only people who have logged in can have files of this machine touched, and nobody has.",
    "not_owner": "Only an owner of this server can have files of this machine touched.",
}


def obstacle(settings: Server, account: Account, peer: str | None, headers: Mapping[str, str]) -> Obstacle | None:
    """What keeps somebody from it; None where nothing does.

    Args:
        settings: Of the server.
        account: Who asks.
        peer: Who is at the other end of the connection, whatever headers say.
        headers: Of the request, by lower-case name.
    """
    public = settings.public_url
    if (
        settings.host not in LOOPBACK_HOSTS
        or settings.trusted_proxies
        or not (public is None or local_only.is_loopback(public))
    ):
        return "reachable"
    if peer not in LOOPBACK_HOSTS or local_only.was_forwarded(headers) or not local_only.is_local(headers):
        return "elsewhere"
    if settings.auth == "off" or account.user is None or account.id != account.user:
        return "unknown"
    return None if account.role == "owner" else "not_owner"


def check(settings: Server, account: Account, peer: str | None, headers: Mapping[str, str]) -> None:
    """Raises `PERMISSION_DENIED`, saying why, for everybody but the owner on this machine; see `obstacle`."""
    found = obstacle(settings, account, peer, headers)
    if found is not None:
        raise RixinError(Kind.PERMISSION_DENIED, f"{_WHY[found]} Use the command line there.")
