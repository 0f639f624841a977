"""Which web pages may call the wire routes from a browser."""

import re
from collections.abc import Iterable

_ALLOWED_HEADERS = (
    b"authorization, content-type, x-api-key, x-request-id, x-rixin-strict, anthropic-version, anthropic-beta"
)
_EXPOSED_HEADERS = b"x-request-id, request-id, x-rixin-model, x-rixin-changes, retry-after"


class Cors:
    """Decides by origin. `*` alone admits every page; within a pattern it stands for a host's label or a port."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._patterns = [
            re.compile(".*" if origin == "*" else re.escape(origin).replace(r"\*", "[^/@]*")) for origin in origins
        ]

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may call."""
        return any(pattern.fullmatch(origin) for pattern in self._patterns)

    def headers(self, origin: str | None) -> list[tuple[bytes, bytes]]:
        """The headers of an answer to a page of `origin`; none where the page may not read it."""
        if origin is None or not self.allows(origin):
            return [(b"vary", b"origin")] if origin is not None else []
        return [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", _EXPOSED_HEADERS),
            (b"vary", b"origin"),
        ]

    def preflight(self, origin: str | None, methods: Iterable[str]) -> list[tuple[bytes, bytes]]:
        """The headers of the answer to a preflight."""
        headers = self.headers(origin)
        if len(headers) > 1:
            headers += [
                (b"access-control-allow-methods", ", ".join(sorted(methods)).encode()),
                (b"access-control-allow-headers", _ALLOWED_HEADERS),
                (b"access-control-max-age", b"600"),
            ]
        return headers
