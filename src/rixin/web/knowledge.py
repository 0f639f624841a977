"""`/v1/llm/knowledge-bases`: knowledge bases and their files, in the native platform's shape."""

from urllib.parse import unquote

from rixin.accounts.account import Account
from rixin.accounts.file_links import FileLinks
from rixin.dialects.sensenova_native import knowledge as native
from rixin.errors import Kind, RixinError
from rixin.service.knowledge import KnowledgeService
from rixin.settings import Server
from rixin.web.exchange import Exchange
from rixin.web.files import base_of
from rixin.web.routes import nothing_at

PATH = "/v1/llm/knowledge-bases"
METHODS = {PATH: ("GET", "POST"), f"{PATH}/": ("GET", "POST", "PUT", "DELETE")}
"""By path."""


class KnowledgeHandler:
    """Answers for the knowledge bases of whoever asks.

    Args:
        service: Has them.
        links: To the content of files.
        settings: Of the server.
    """

    def __init__(self, service: KnowledgeService, links: FileLinks, settings: Server) -> None:
        self._service = service
        self._links = links
        self._settings = settings

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is a base's id, and what of it is asked for."""
        identity, *below = [unquote(part) for part in rest.split("/")]
        match below:
            case []:
                await (self._base if identity else self._all)(exchange, account.id, identity)
            case ["files"]:
                await self._files(exchange, account.id, identity)
            case ["files", file_id]:
                await self._file(exchange, account.id, identity, file_id)
            case _:
                raise nothing_at(exchange.path)

    async def _all(self, exchange: Exchange, owner: str, _identity: str) -> None:
        match exchange.method:
            case "GET" | "HEAD":
                body = native.render_bases(await self._service.list(owner))
            case "POST":
                wish = native.parse_base(await self._read(exchange))
                body = native.render_base(await self._service.create(owner, wish.description or "", wish.files or ()))
            case _:
                raise _not_allowed(exchange)
        await exchange.respond(200, body)

    async def _base(self, exchange: Exchange, owner: str, identity: str) -> None:
        match exchange.method:
            case "GET" | "HEAD":
                body = native.render_base(await self._service.get(owner, identity))
            case "PUT":
                wish = native.parse_base(await self._read(exchange))
                body = native.render_base(await self._service.update(owner, identity, wish.description, wish.files))
            case "DELETE":
                await self._service.delete(owner, identity)
                body = native.render_deleted()
            case _:
                raise _not_allowed(exchange)
        await exchange.respond(200, body)

    async def _files(self, exchange: Exchange, owner: str, identity: str) -> None:
        match exchange.method:
            case "GET" | "HEAD":
                body = native.render_files(await self._service.get(owner, identity))
            case "POST":
                file_id = native.parse_attach(await self._read(exchange)).file_id
                if file_id is None:
                    message = "Uploads by a link are not served: send the file to /v1/files, its id here as file_id."
                    raise RixinError(Kind.NOT_IMPLEMENTED, message, param="file_id")
                body = native.render_base(await self._service.attach(owner, identity, file_id))
            case _:
                raise _not_allowed(exchange)
        await exchange.respond(200, body)

    async def _file(self, exchange: Exchange, owner: str, identity: str, file_id: str) -> None:
        match exchange.method:
            case "GET" | "HEAD":
                file = await self._service.file(owner, identity, file_id)
                await exchange.respond(
                    302, b"", [(b"location", self._links.link(file.id, base_of(exchange)).encode("ascii"))]
                )
            case "DELETE":
                await self._service.detach(owner, identity, file_id)
                await exchange.respond(200, native.render_deleted())
            case _:
                raise _not_allowed(exchange)

    async def _read(self, exchange: Exchange) -> bytes:
        return await exchange.read_body(self._settings.max_body_bytes, self._settings.body_timeout)


def _not_allowed(exchange: Exchange) -> RixinError:
    return RixinError(Kind.METHOD_NOT_ALLOWED, f"{exchange.path[:200]} does not take {exchange.method}.")
