"""Where the API's description is served. It is put together when somebody asks for it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from rixin.web.lazy import Lazy
from rixin.web.reference.handlers import DocumentHandler, PageHandler
from rixin.web.routes import Endpoint

if TYPE_CHECKING:
    from rixin.core.json import JsonObject
    from rixin.web.admin.app import AdminApp


def reference(table: Callable[[], Sequence[Endpoint]], admin: "Lazy[AdminApp]") -> list[Endpoint]:
    """The routes of the description.

    Args:
        table: All wire routes, these included.
        admin: The admin API, whose description is part of it.
    """

    async def make() -> bytes:
        return await asyncio.to_thread(_encoded, table(), (await admin.value()).document)

    page = PageHandler()
    return [
        Endpoint.public("/openapi.json", DocumentHandler(Lazy(make))),
        Endpoint.public("/docs", page),
        Endpoint.public("/docs/", page),
    ]


def _encoded(endpoints: Sequence[Endpoint], admin: "JsonObject") -> bytes:
    # A server whose description nobody asks for is spared it.
    from rixin.web.reference.document import join, wire_document  # noqa: PLC0415 - as above

    return msgspec.json.encode(join(wire_document(endpoints), admin))
