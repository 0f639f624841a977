"""`/openapi.json`, and `/docs`, a page that shows it.

All that the page loads is served here: Swagger UI and what starts it. It may run nothing else.
"""

import asyncio
import importlib.util
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from rixin.accounts.account import Account
from rixin.web.exchange import Exchange
from rixin.web.lazy import Lazy
from rixin.web.routes import nothing_at

PAGE = "index.html"
_BUNDLE = "fastapi_swagger"
"""The package that brings Swagger UI. It is looked into and never imported."""
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"cache-control", b"max-age=3600"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", _POLICY),
]


class DocumentHandler:
    """Answers with the OpenAPI document.

    Args:
        document: Encoded.
    """

    def __init__(self, document: Lazy[bytes]) -> None:
        self._document = document

    async def __call__(self, exchange: Exchange, _account: Account, _rest: str) -> None:
        """Answers an exchange."""
        await exchange.respond(200, await self._document.value(), [(b"cache-control", b"no-cache")])


class PageHandler:
    """Answers with the page, or with a part of it."""

    def __init__(self) -> None:
        self._parts: Mapping[str, _Part] | None = None

    async def __call__(self, exchange: Exchange, _account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the part's name."""
        if self._parts is None:
            self._parts = _parts()
        part = self._parts.get(rest or PAGE)
        if part is None:
            raise nothing_at(exchange.path)
        body = await asyncio.to_thread(part.file.read_bytes)
        await exchange.respond(200, body, _HEADERS, part.content_type)


class _Part(NamedTuple):
    """A file of the page."""

    file: Traversable
    content_type: bytes


def _parts() -> Mapping[str, _Part]:
    """By name. Raises `LookupError` where the package with Swagger UI is not installed."""
    spec = importlib.util.find_spec(_BUNDLE)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"the package {_BUNDLE} is not installed")
    bundle = Path(spec.submodule_search_locations[0]) / "resources"
    own = files("rixin.web.reference") / "page"
    return {
        PAGE: _Part(own / PAGE, b"text/html; charset=utf-8"),
        "start.js": _Part(own / "start.js", b"text/javascript; charset=utf-8"),
        "swagger-ui.css": _Part(bundle / "swagger-ui.css", b"text/css; charset=utf-8"),
        "swagger-ui.js": _Part(bundle / "swagger-ui-bundle.js", b"text/javascript; charset=utf-8"),
        "favicon.png": _Part(bundle / "favicon-32x32.png", b"image/png"),
    }
