"""Keeps the pages of other sites from using what a browser sends by itself (cross-site request forgery)."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from rixin.errors import Kind, RixinError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
HEADER = "x-rixin-csrf"
"""What a program sends with a cookie, whatever its value: a page of another site cannot without being asked first."""


def check(method: str, headers: Mapping[str, str], public_url: str | None, *, needs_proof: bool = True) -> None:
    """Lets requests pass that a page of this server has sent, or a program that is no browser.

    Args:
        method: Of the request; safe ones pass.
        headers: By lower-case name.
        public_url: Under which browsers reach the server, where that is not the `host` header.
        needs_proof: Whether it must be proven where no browser says whose page it was; there is a cookie at stake.

    Raises:
        RixinError: `PERMISSION_DENIED`, naming the header that gives another site away, or the one that is missing.
    """
    if method in SAFE_METHODS:
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        raise _refused("sec-fetch-site")
    if origin is not None:
        if not _is_ours(origin, headers.get("host", ""), public_url):
            raise _refused("origin")
    elif site is None and needs_proof and HEADER not in headers:
        message = f"A request that a cookie authorizes must hold the header `origin`, or `{HEADER}: 1`."
        raise RixinError(Kind.PERMISSION_DENIED, message)


def _is_ours(origin: str, host: str, public_url: str | None) -> bool:
    parts = urlsplit(origin)
    if public_url is not None:
        ours = urlsplit(public_url)
        if (parts.scheme, parts.netloc.lower()) == (ours.scheme, ours.netloc.lower()):
            return True
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower() != ""


def _refused(header: str) -> RixinError:
    message = f"The header `{header}` says that a page of another site has sent this request."
    return RixinError(Kind.PERMISSION_DENIED, message)
