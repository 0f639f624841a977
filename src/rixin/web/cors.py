"""Which web pages may call the wire routes from a browser."""

import re
from collections.abc import Iterable

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""A field name (RFC 9110, section 5.1), so that an answer to a preflight repeats nothing else."""
_EXPOSED_HEADERS = (
    b"x-request-id, request-id, x-rixin-model, x-rixin-changes, x-rixin-attempts, retry-after, retry-after-ms, "
    b"x-should-retry, server-timing"
)


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

    def preflight(
        self, origin: str | None, methods: Iterable[str], asked_headers: str | None = None
    ) -> list[tuple[bytes, bytes]]:
        """The headers of the answer to a preflight.

        A page that may call may send whichever headers it asks for. SDKs have dozens of their own, of which each
        release adds some; they are named one by one, since browsers do not take `*` for `authorization`.

        Args:
            origin: The page's.
            methods: Those of the route.
            asked_headers: The value of `access-control-request-headers`.
        """
        headers = self.headers(origin)
        if len(headers) > 1:
            names = (name.strip() for name in (asked_headers or "").split(","))
            allowed = ", ".join(name for name in names if _HEADER_NAME.fullmatch(name))
            headers += [
                (b"access-control-allow-methods", ", ".join(sorted(methods)).encode()),
                *([(b"access-control-allow-headers", allowed.encode())] if allowed else []),
                (b"access-control-max-age", b"600"),
            ]
        return headers
