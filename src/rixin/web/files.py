"""`/v1/files`: files are sent, listed, shown, given back and deleted, each in the shape that it was made in."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple, Protocol
from urllib.parse import quote

from rixin.accounts import access_keys, credentials
from rixin.accounts.account import Account
from rixin.accounts.file_links import FileLinks, named_in
from rixin.accounts.files import FileBook
from rixin.core.files import File, FilePage, Shape
from rixin.errors import Kind, RixinError, invalid
from rixin.settings import Server
from rixin.web.app import ANYONE
from rixin.web.exchange import Exchange
from rixin.web.routes import nothing_at
from rixin.web.upload import Uploads

_HOST = re.compile(r"[\w.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:[0-9]{1,5})?", re.ASCII)
_ALWAYS: list[tuple[bytes, bytes]] = [
    # A file is whatever its sender made of it: no browser may run it as a page of this server.
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"cache-control", b"private, no-store"),
]


class RendersFiles(Protocol):
    """Renders a page of files."""

    def __call__(self, files: Sequence[File], *, more: bool) -> bytes:
        """The page; `more` tells whether there are others behind it."""
        ...


class FileShape(NamedTuple):
    """How an API shows files."""

    page: Callable[[Mapping[str, str]], FilePage]
    """Reads what a list's query asks for."""
    created: Callable[[File], bytes]
    """Renders a new file."""
    one: Callable[[File], bytes]
    many: RendersFiles
    deleted: Callable[[File], bytes]
    redirects: bool
    """Whether a file's content is elsewhere, at a link."""


def credential_shape(headers: Mapping[str, str]) -> Shape:
    """The shape that a request's credential speaks for: tokens are the native platform's."""
    try:
        return "native" if access_keys.is_token(credentials.read(headers)) else "openai"
    except RixinError:
        return "openai"


class FilesHandler:
    """Answers `GET` and `POST /v1/files`.

    Args:
        book: The files.
        shapes: How they are shown.
        uploads: Reads new ones.
    """

    def __init__(self, book: FileBook, shapes: Mapping[Shape, FileShape], uploads: Uploads) -> None:
        self._book = book
        self._shapes = shapes
        self._uploads = uploads

    async def __call__(self, exchange: Exchange, account: Account, _rest: str) -> None:
        """Answers an exchange."""
        by_credential = credential_shape(exchange.headers)
        if exchange.method == "POST":
            file = await self._uploads.take(exchange, account.id, by_credential)
            body = self._shapes[file.shape].created(file)
        else:
            query = exchange.query
            shape = self._shapes[_asked(query.get("shape"), by_credential)]
            files, more = await self._book.list(account.id, shape.page(query))
            body = shape.many(files, more=more)
        await exchange.respond(200, body)


class FileHandler:
    """Answers for one file: `GET` and `DELETE /v1/files/{id}`, `GET /v1/files/{id}/content`.

    Args:
        book: The files.
        links: To their content.
        shapes: How they are shown.
        settings: Of the server.
    """

    def __init__(self, book: FileBook, links: FileLinks, shapes: Mapping[Shape, FileShape], settings: Server) -> None:
        self._book = book
        self._links = links
        self._shapes = shapes
        self._settings = settings

    def proven(self, exchange: Exchange) -> bool:
        """Whether a request holds a signature of ours, which stands for a credential.

        Raises:
            RixinError: `PERMISSION_DENIED` where it holds one that does not count.
        """
        named, query = named_in(exchange.path), exchange.query
        if named is None or "signature" not in query:
            return False
        self._links.check(named, query)
        return True

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the file's id, and what of it is asked for."""
        identity, _, part = rest.partition("/")
        if part not in ("", "content") or (part and exchange.method == "DELETE"):
            raise nothing_at(exchange.path)
        if exchange.method == "DELETE":
            file = await self._book.delete(account.id, identity)
            await exchange.respond(200, self._shapes[file.shape].deleted(file))
        elif part:
            await self._content(exchange, account, identity)
        else:
            file = await self._book.get(account.id, identity)
            await exchange.respond(200, self._shapes[file.shape].one(file))

    async def _content(self, exchange: Exchange, account: Account, identity: str) -> None:
        public = account is ANYONE  # who came by a link
        file = await self._book.get(None if public else account.id, identity)
        if self._shapes[file.shape].redirects and not public:
            if file.status != "valid":
                raise invalid("The file is not valid.", "id")
            location = self._links.link(file.id, base_of(exchange))
            await exchange.respond(302, b"", [(b"location", location.encode("ascii")), *_ALWAYS])
            return
        async with aclosing(self._book.content(file)) as pieces:
            await exchange.guard(self._send(exchange, file, pieces))

    async def _send(self, exchange: Exchange, file: File, pieces: AsyncGenerator[bytes]) -> None:
        piece = await anext(pieces, b"")  # or the error that there is nothing
        name = quote(file.name, safe="").encode()
        attachment = (b"content-disposition", b"attachment; filename*=UTF-8''" + name)
        await exchange.start_file(file.size, file.media_type, [attachment, *_ALWAYS])
        while piece and exchange.method != "HEAD":
            try:
                async with asyncio.timeout(self._settings.write_timeout):
                    await exchange.write(piece)
            except TimeoutError:
                raise RixinError(Kind.CANCELLED, "The client takes nothing of the file.") from None
            piece = await anext(pieces, b"")
        await exchange.finish()


def _asked(shape: str | None, otherwise: Shape) -> Shape:
    match shape:
        case None:
            return otherwise
        case "native" | "openai":
            return shape
        case _:
            raise invalid("invalid shape, should be one of native, openai.", "shape")


def base_of(exchange: Exchange) -> str:
    """Where the client has found the server."""
    host = exchange.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise invalid("The request's host header names no host.")
    return f"http://{host}"
