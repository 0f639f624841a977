"""Keeps web pages away from a server that asks for no keys.

Such a server listens on loopback only, but a browser on this machine reaches that too, and a page may make it try:
under the page's own name, once its DNS says 127.0.0.1, or across origins.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from rixin.errors import Kind, RixinError
from rixin.settings import LOOPBACK_HOSTS

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers by which proxies say that somebody else asks."""


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine; one without a scheme begins with `//`."""
    try:
        return urlsplit(url).hostname in LOOPBACK_HOSTS
    except ValueError:
        return False


def check(headers: Mapping[str, str], *, origin_allowed: Callable[[str], bool] = is_loopback) -> None:
    """Lets requests pass that this machine's own programs and pages send.

    Args:
        headers: By lower-case name.
        origin_allowed: Whether pages of an origin may call.

    Raises:
        RixinError: `PERMISSION_DENIED`, naming the header that gives a foreign page away.
    """
    origin = headers.get("origin")
    for name, passes in (
        ("host", is_loopback(f"//{headers.get('host', '')}")),
        ("origin", origin is None or origin_allowed(origin)),
    ):
        if not passes:
            message = f"Without keys this server is for this machine only, and the header `{name}` names another one."
            raise RixinError(Kind.PERMISSION_DENIED, message)


def is_local(headers: Mapping[str, str]) -> bool:
    """Whether `check` lets a request pass."""
    try:
        check(headers)
    except RixinError:
        return False
    return True


def was_forwarded(headers: Mapping[str, str]) -> bool:
    """Whether a proxy says that somebody else asks; `headers` by lower-case name."""
    return any(name in headers for name in _FORWARDED)
