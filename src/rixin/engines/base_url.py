"""The base URL of an upstream, in the one form that paths are appended to."""

import re
from urllib.parse import urlsplit

from rixin.errors import Kind, RixinError

_ENDPOINTS = (
    "/chat/completions",
    "/completions",
    "/responses",
    "/messages",
    "/embeddings",
    "/images/generations",
    "/images/edits",
    "/models",
)
_VERSION = re.compile(r"v\d+((alpha|beta)\d*)?")


def normalize_base_url(url: str) -> str:
    """The base of an upstream's routes, without a slash at its end.

    A URL that names an endpoint (`.../chat/completions`) is taken at its word; one without any version segment gets
    `/v1`; a version that is there (`/v1`, `/v4`, `/v1beta/openai`) stays.

    Raises:
        RixinError: `CONFIGURATION` when it is not a plain http or https URL.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.username or parts.password:
        raise RixinError(Kind.CONFIGURATION, "base_url holds a user name or password; put the key into api_keys")
    if parts.scheme not in ("http", "https") or not host:
        raise RixinError(Kind.CONFIGURATION, f"base_url is {url!r}; it must be like https://api.example.com/v1")
    if parts.query or parts.fragment:
        raise RixinError(Kind.CONFIGURATION, f"base_url {url!r} holds a query or fragment; paths cannot follow one")
    address = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{address}" + (f":{port}" if port is not None else "")
    return origin + _normalize_path(parts.path)


def _normalize_path(path: str) -> str:
    path = re.sub("/{2,}", "/", path).rstrip("/")
    for endpoint in _ENDPOINTS:
        if path.endswith(endpoint):
            return _without_repeated_version(path.removesuffix(endpoint))
    path = _without_repeated_version(path)
    if any(_VERSION.fullmatch(segment) for segment in path.split("/")):
        return path
    return f"{path}/v1"


def _without_repeated_version(path: str) -> str:
    segments = path.split("/")
    while len(segments) > 2 and segments[-1] == segments[-2] and _VERSION.fullmatch(segments[-1]):
        segments.pop()
    return "/".join(segments)
