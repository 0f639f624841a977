"""The web console's files at `/console/`, as the console's build has left them.

The page may run and load nothing that does not come from here. Styles that are made while it runs carry a nonce, which
is another one in each answer that holds the page.
"""

import asyncio
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Final

from msgspec import Struct

from rixin.accounts.account import Account
from rixin.clock import random_text
from rixin.web.console_files import BUILT, HOW_TO_BUILD, PAGE, PATH
from rixin.web.exchange import Exchange
from rixin.web.routes import nothing_at

NONCE_MARK: Final = b"__CSP_NONCE__"
"""What stands in the page in place of the nonce."""
_ASSETS: Final = "assets/"
"""Begins the names of files that have their content's hash in their names."""
_NONCE_BYTES: Final = 16
_TYPES: Final = {
    "html": b"text/html; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "svg": b"image/svg+xml",
    "woff2": b"font/woff2",
    "json": b"application/json",
}
_CODINGS: Final = {"br": ".br", "gzip": ".gz"}
"""By how much they save, the most first: the content codings that the build makes, and what such files end with."""
_COMMON: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_BARE_POLICY: Final = (b"content-security-policy", b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'")


def content_policy(nonce: str) -> bytes:
    """The content security policy of the page (CSP level 3)."""
    return (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data: blob:; media-src data:; font-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ).encode()


class _File(Struct, frozen=True):
    """A file of the console, and its compressed forms by content coding."""

    plain: Traversable
    content_type: bytes
    coded: Mapping[str, Traversable]
    hashed: bool
    """Whether its name changes with its content."""


class ConsoleHandler:
    """Answers with the page, or with a file that it loads.

    Every path that is no file is the page: it knows its own pages, and says where there is none.

    Args:
        folder: Where the built console is. Nothing is looked at before somebody asks.
    """

    def __init__(self, folder: Traversable = BUILT) -> None:
        self._folder = folder
        self._files: Mapping[str, _File] | None = None

    async def __call__(self, exchange: Exchange, _account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the path below `/console/`."""
        if not self._files:  # a build may come while the server runs
            self._files = await asyncio.to_thread(_look, self._folder)
        if PAGE not in self._files:
            await _say_how_to_build(exchange)
            return
        file = self._files.get(rest)
        if file is not None and rest != PAGE:
            await _send(exchange, file)
        elif rest.startswith(_ASSETS):
            raise nothing_at(exchange.path)
        elif rest == "" and not exchange.path.endswith("/"):
            await exchange.respond(308, b"", [(b"location", PATH.encode())])
        else:
            await self._show(exchange, self._files[PAGE])

    async def _show(self, exchange: Exchange, page: _File) -> None:
        nonce = random_text(_NONCE_BYTES)
        text = await asyncio.to_thread(page.plain.read_bytes)
        headers = [*_COMMON, (b"cache-control", b"no-store"), (b"content-security-policy", content_policy(nonce))]
        await exchange.respond(200, text.replace(NONCE_MARK, nonce.encode()), headers, page.content_type)


async def _send(exchange: Exchange, file: _File) -> None:
    accepted = _accepted(exchange.headers.get("accept-encoding", ""))
    coding = next((coding for coding in _CODINGS if coding in accepted and coding in file.coded), None)
    lifetime = b"public, max-age=31536000, immutable" if file.hashed else b"no-cache"
    headers = [*_COMMON, _BARE_POLICY, (b"cache-control", lifetime), (b"vary", b"accept-encoding")]
    if coding is not None:
        headers.append((b"content-encoding", coding.encode()))
    body = await asyncio.to_thread((file.coded[coding] if coding else file.plain).read_bytes)
    await exchange.respond(200, body, headers, file.content_type)


async def _say_how_to_build(exchange: Exchange) -> None:
    text = f"{HOW_TO_BUILD}\n".encode()
    headers = [*_COMMON, _BARE_POLICY, (b"cache-control", b"no-store")]
    await exchange.respond(404, text, headers, b"text/plain; charset=utf-8")


def _accepted(header: str) -> frozenset[str]:
    """The content codings that a client takes (RFC 9110, section 12.5.3)."""
    codings: set[str] = set()
    for part in header.lower().split(","):
        coding, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            codings.add(coding.strip())
    return frozenset(codings)


def _look(folder: Traversable) -> Mapping[str, _File]:
    """The files of a built console by name; empty where it is not built."""
    found = dict(_walk(folder, "")) if folder.is_dir() else {}
    return {
        name: _File(
            plain=plain,
            content_type=_TYPES[name.rpartition(".")[2]],
            coded={coding: found[name + end] for coding, end in _CODINGS.items() if name + end in found},
            hashed=name.startswith(_ASSETS),
        )
        for name, plain in found.items()
        if name.rpartition(".")[2] in _TYPES
    }


def _walk(folder: Traversable, prefix: str) -> "list[tuple[str, Traversable]]":
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            found += _walk(entry, name + "/")
        else:
            found.append((name, entry))
    return found
