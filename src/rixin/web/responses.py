"""Stored responses: `GET` and `DELETE /v1/responses/{id}`, and `GET /v1/responses/{id}/input_items`."""

from urllib.parse import unquote

import msgspec

from rixin.accounts.account import Account
from rixin.errors import invalid
from rixin.service.responses import ResponseService
from rixin.web.exchange import Exchange
from rixin.web.routes import nothing_at

_TRUE = frozenset({"1", "true"})


class ResponsesHandler:
    """Answers for the responses of whoever asks."""

    def __init__(self, responses: ResponseService) -> None:
        self._responses = responses

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the response's id, and what of it is asked for."""
        name, _, part = rest.partition("/")
        identity = unquote(name)
        if part not in ("", "input_items") or (part and exchange.method == "DELETE"):
            raise nothing_at(exchange.path)
        if exchange.method == "DELETE":
            await self._responses.delete(account.id, identity)
            body = msgspec.json.encode({"id": identity, "object": "response", "deleted": True})
        else:
            query = exchange.query
            if part:
                body = msgspec.json.encode(await self._responses.input_items(account.id, identity, query))
            elif query.get("stream", "").lower() in _TRUE:
                raise invalid("invalid stream, a stored response is complete: ask for it without.", "stream")
            else:
                body = await self._responses.get(account.id, identity)
        await exchange.respond(200, body)
