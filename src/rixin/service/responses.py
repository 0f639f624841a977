"""Responses that clients go on from, ask for again, or delete."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

import msgspec
import structlog
from msgspec import Raw

from rixin.conversations.stored_responses import StoredResponse, StoredResponses
from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Generate
from rixin.dialects.base import Call
from rixin.dialects.decoding import decode_any, decode_fields, is_null
from rixin.dialects.openai_responses.errors import PREVIOUS
from rixin.dialects.openai_responses.history import REFERENCE, by_id, continued, named, read_items, references, resolved
from rixin.errors import Kind, RixinError, invalid

log = structlog.get_logger("rixin.service")

MOST_ITEMS = 100
"""Items on a page."""
SOME_ITEMS = 20
"""Items on a page of which nobody said how many."""

_REQUEST_ID = 32
"""Characters of a request id of ours, which the ids of its response and items are made of."""
_ENCODER = msgspec.json.Encoder()


class ResponseService:
    """The `Keeper` of responses: puts stored history in front of what a client sends, and stores what it was answered.

    Args:
        stored: Keeps responses; None where the server keeps none.
    """

    def __init__(self, stored: StoredResponses | None) -> None:
        self._stored = stored

    async def prepare(self, call: Call, owner: str) -> Call:
        """A call with everything that it refers to.

        The items of `previous_response_id` stand before its own, without that response's instructions; references are
        replaced by what they name. `store` becomes false where nothing is stored.

        Raises:
            RixinError: `NOT_FOUND` for what the owner does not have; `INVALID_REQUEST` where nothing is kept.
        """
        fields = decode_fields(call.body)
        if (conversation := _text(fields, "conversation")) is not None:
            raise RixinError(
                Kind.NOT_FOUND,
                f"Conversation with id '{conversation[:100]}' not found: this server keeps none. Go on from a response "
                f"with {PREVIOUS}.",
                param="conversation",
            )
        previous = _text(fields, PREVIOUS)
        changed: dict[str, Raw] = {}
        if previous is not None or REFERENCE.encode() in bytes(fields.get("input", b"")):
            given = _given(fields)
            if not _is_input(given):
                return call  # the parser says what is wrong with it
            changed["input"] = Raw(_ENCODER.encode(await self._whole(read_items(given), previous, owner)))
        if self._stored is None and bytes(fields.get("store", b"")) != b"false":
            changed["store"] = Raw(b"false")
        if not changed:
            return call
        return msgspec.structs.replace(call, body=_ENCODER.encode({**fields, **changed}))

    def held(self, request: Generate, owner: str) -> AbstractAsyncContextManager[object]:  # noqa: ARG002 - see below
        """Nothing: any number of responses may go on from one."""
        return nullcontext()

    def wants(self, request: Generate) -> bool:
        """Whether the answer to a request is to be stored."""
        return self._stored is not None and request.extra.get("store") is not False

    async def keep(self, request: Generate, owner: str, answer: bytes) -> None:
        """Stores a response object, if it is wanted; see `Keeper.keep`. It can be had once this returns."""
        if self._stored is None or request.origin is None or not self.wants(request):
            return
        identity = msgspec.json.decode(answer, type=_Identified).id
        try:
            # The conversation may be long; other requests need not wait while it is put together.
            stored = await asyncio.to_thread(_record, identity, answer, request.origin.body)
            kept = await self._stored.put(owner, identity, stored)
        except RixinError as error:
            # The answer is the client's all the same; going on from it will say that it is not there.
            log.warning("a response could not be stored", id=identity, detail=error.detail or error.message)
            return
        if not kept:
            log.warning("a response is too large to be stored", id=identity)

    async def get(self, owner: str, identity: str) -> bytes:
        """A response object. Raises `NOT_FOUND` where the owner has none of this id."""
        return bytes((await self._find(owner, identity)).response)

    async def delete(self, owner: str, identity: str) -> None:
        """Deletes a response. Raises `NOT_FOUND` where the owner has none of this id."""
        if self._stored is None or not await self._stored.delete(owner, identity):
            raise _unknown(identity)

    async def input_items(self, owner: str, identity: str, query: Mapping[str, str]) -> JsonObject:
        """A page of the items that a response answers, the last one first unless `order` says otherwise.

        Args:
            owner: Who asks.
            identity: The response's id.
            query: `limit`, `order`, `after` and `before`, as the client sent them.

        Raises:
            RixinError: `NOT_FOUND` where the owner has no such response, `INVALID_REQUEST` naming a wrong parameter.
        """
        limit, order = _limit(query.get("limit")), query.get("order", "desc")
        if order not in ("asc", "desc"):
            raise invalid("invalid order, should be one of: asc, desc.", "order")
        items = (await self._find(owner, identity)).items
        if order == "desc":
            items = items[::-1]
        if (after := query.get("after")) is not None:
            items = items[_place(items, after, "after") + 1 :]
        if (before := query.get("before")) is not None:
            items = items[: _place(items, before, "before")]
        page: list[JsonValue] = [*items[:limit]]
        return {
            "object": "list",
            "data": page,
            "first_id": items[0]["id"] if page else None,
            "last_id": items[len(page) - 1]["id"] if page else None,
            "has_more": len(items) > limit,
        }

    async def _find(self, owner: str, identity: str) -> StoredResponse:
        stored = None if self._stored is None else await self._stored.get(owner, identity)
        if stored is None:
            raise _unknown(identity)
        return stored

    async def _whole(self, own: list[JsonObject], previous: str | None, owner: str) -> list[JsonObject]:
        """The items that a call amounts to, from its own."""
        before: list[JsonObject] = [] if previous is None else await self._history(previous, owner)
        wanted = references(own)
        known = by_id([*before, *(item for place, item in enumerate(own) if place not in wanted)])
        for identity in wanted.values():
            if identity not in known:
                known |= await self._items_beside(identity, owner)
        return [*continued(before), *resolved(own, known.get)]

    async def _history(self, previous: str, owner: str) -> list[JsonObject]:
        if self._stored is None:
            raise invalid(
                f"{PREVIOUS} needs stored responses, and this server keeps none (server.store_responses is off). "
                "Send the whole conversation in `input`.",
                PREVIOUS,
            )
        stored = await self._stored.get(owner, previous)
        if stored is None:
            raise RixinError(Kind.NOT_FOUND, f"Previous response with id '{previous[:100]}' not found.", param=PREVIOUS)
        return stored.history

    async def _items_beside(self, identity: str, owner: str) -> dict[str, JsonObject]:
        """The items of the response that an item belongs to, by their ids."""
        tail = identity.rpartition("_")[2][:_REQUEST_ID]
        stored = None if self._stored is None else await self._stored.get(owner, f"resp_{tail}")
        if stored is None:
            return {}
        return by_id(stored.history)


class _Identified(msgspec.Struct):
    id: str


def _record(identity: str, resource: bytes, body: bytes) -> StoredResponse:
    """A response object with the items of the body that it answers."""
    return StoredResponse.of(resource, named(read_items(_given(decode_fields(body))), identity))


def _given(fields: Mapping[str, Raw]) -> JsonValue:
    """The field `input` as it was sent."""
    given = fields.get("input")
    return None if given is None else decode_any(given)


def _is_input(given: JsonValue) -> bool:
    if isinstance(given, list):
        return all(isinstance(item, dict) for item in given)
    return given is None or isinstance(given, str)


def _unknown(identity: str) -> RixinError:
    return RixinError(Kind.NOT_FOUND, f"Response with id '{identity[:100]}' not found.")


def _text(fields: Mapping[str, Raw], name: str) -> str | None:
    """A field that names something; of the wrong type it is for the parser to refuse."""
    raw = fields.get(name)
    if raw is None or is_null(raw):
        return None
    value = decode_any(raw)
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else None


def _limit(text: str | None) -> int:
    if text is None:
        return SOME_ITEMS
    if not text.isdecimal() or not 1 <= int(text) <= MOST_ITEMS:
        raise invalid(f"invalid limit, should in [1,{MOST_ITEMS}].", "limit")
    return int(text)


def _place(items: list[JsonObject], identity: str, param: str) -> int:
    place = next((place for place, item in enumerate(items) if item.get("id") == identity), None)
    if place is None:
        raise invalid(f"invalid {param}, the response has no item of this id.", param)
    return place
