"""The head of a request."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from msgspec import Struct

from rixin.server.refusal import Refusal

_HOST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-fv:.]+\])(?::[0-9]*)?")
"""A host and a port (RFC 3986, section 3.2.2)."""
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(/[^?]*)?(?:\?(.*))?", re.IGNORECASE | re.DOTALL)
_KNOWN_NAMES = 1000


class Head(Struct):
    """What a request begins with."""

    method: str
    path: str
    """Without the query; what was percent-encoded is decoded."""
    query_string: bytes
    headers: dict[str, str]
    """By lower-case name; a repeated one holds its different values (RFC 9110, section 5.3)."""
    fields: Sequence[tuple[bytes, bytes]] = ()
    """The header as it came."""
    raw_path: bytes = b""
    version: str = "1.1"
    keep_alive: bool = True
    """Whether the client wants to ask on over the same connection."""


class _Names(dict[bytes, str]):
    """The names of headers in lower case; each is made once."""

    def __missing__(self, name: bytes) -> str:
        text = name.lower().decode("latin-1")
        if len(self) < _KNOWN_NAMES:
            self[name] = text
        return text


_NAMES = _Names()


def merged(fields: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; a repeated one holds its different values."""
    headers = {_NAMES[name]: value.decode("latin-1").rstrip(" \t") for name, value in fields}
    if len(headers) != len(fields):
        values: dict[str, dict[str, None]] = {}
        for name, value in fields:
            values.setdefault(_NAMES[name], {})[value.decode("latin-1").rstrip(" \t")] = None
        headers = {name: ", ".join(different) for name, different in values.items()}
    return headers


def read_target(method: str, target: bytes) -> tuple[str, bytes, bytes, str | None]:
    """The parts of a request's target (RFC 9112, section 3.2).

    Returns:
        The path, the path as it was sent, the query, and the host that the target names, if any.

    Raises:
        Refusal: It is none that an origin server takes.
    """
    host = None
    if target.startswith(b"/"):
        raw_path, _, query = target.partition(b"?")
    elif (absolute := _ABSOLUTE.fullmatch(target)) is not None:
        host, raw_path, query = absolute[1].decode("latin-1"), absolute[2] or b"/", absolute[3] or b""
    elif target == b"*" and method == "OPTIONS":
        raw_path, query = target, b""
    else:
        raise Refusal(400, "The request's target is neither a path nor an http URL.")
    if b"#" in target:
        raise Refusal(400, "The request's target holds a fragment, which no server is sent.")
    path = raw_path.decode("latin-1")
    return (unquote(path) if "%" in path else path), raw_path, query, host


def check_host(host: str) -> None:
    """Raises `Refusal` where a host could be read in two ways (RFC 9112, section 3.2)."""
    if _HOST.fullmatch(host) is None:
        raise Refusal(400, "The header `host` is no host with a port.")
