"""Responses that clients come back to, with what they were made of: sealed, for a day, within a size for each owner."""

import asyncio
from typing import Self, cast

import msgspec
import structlog
import zstandard
from msgspec import Raw, Struct

from rixin.clock import Clock
from rixin.conversations.envelope import Box
from rixin.conversations.sweeping import sweep_always
from rixin.core.json import JsonObject
from rixin.store.responses import ResponseTable, StoredRow

PURPOSE = "stored responses"
"""The purpose of the key that seals them."""
MAX_AGE = 86400.0
"""Seconds for which a response is kept."""
MAX_BYTES = 64 * 2**20
"""What one owner's responses may take, compressed; the oldest make room."""

log = structlog.get_logger("rixin.conversations")


class StoredResponse(Struct, frozen=True):
    """A response and everything that its model was given."""

    response: Raw
    """The response object, as its client was told it."""
    input: Raw
    """The items that it answers, those of the responses before it included; each has an id."""

    @classmethod
    def of(cls, response: bytes, items: list[JsonObject]) -> Self:
        """A response object and the items that it answers."""
        return cls(Raw(response), Raw(_ENCODER.encode(items)))

    @property
    def items(self) -> list[JsonObject]:
        """The items that it answers."""
        return cast("list[JsonObject]", msgspec.json.decode(self.input))

    @property
    def history(self) -> list[JsonObject]:
        """The items that a conversation goes on from: those that it answers, and its own."""
        output = msgspec.json.decode(self.response, type=_Output).output
        return [*self.items, *cast("list[JsonObject]", msgspec.json.decode(output))]


class _Output(Struct):
    output: Raw = Raw(b"[]")


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(StoredResponse)


class StoredResponses:
    """Keeps responses for their owners.

    Args:
        table: Where they are stored.
        box: Seals them.
        clock: Time.
        max_bytes: What one owner's responses may take.
    """

    def __init__(self, table: ResponseTable, box: Box, clock: Clock, *, max_bytes: int = MAX_BYTES) -> None:
        self._table = table
        self._box = box
        self._clock = clock
        self._max_bytes = max_bytes

    async def put(self, owner: str, identity: str, stored: StoredResponse) -> bool:
        """Keeps a response, and tells whether there is room for it at all.

        It can be had, by every process, once this returns.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used.
        """
        sealed = await asyncio.to_thread(self._sealed, owner, identity, stored)
        if len(sealed) > self._max_bytes:
            return False
        now = self._clock.now()
        row = StoredRow(owner=owner, id=identity, created_at=now, expires_at=now + MAX_AGE, sealed=sealed)
        evicted = await self._table.put(row, self._max_bytes)
        if evicted:
            log.info("stored responses made room", owner=owner, evicted=evicted)
        return True

    async def get(self, owner: str, identity: str) -> StoredResponse | None:
        """A response; None where this owner has none of that id."""
        sealed = await self._table.get(owner, identity, self._clock.now())
        return None if sealed is None else await asyncio.to_thread(self._opened, owner, identity, sealed)

    async def delete(self, owner: str, identity: str) -> bool:
        """Deletes a response, and tells whether this owner had it."""
        return await self._table.delete(owner, identity, self._clock.now())

    async def run(self) -> None:
        """Deletes what is too old, every hour, until it is cancelled."""
        await sweep_always(self._table, self._clock)

    def _sealed(self, owner: str, identity: str, stored: StoredResponse) -> bytes:
        plain = zstandard.ZstdCompressor().compress(_ENCODER.encode(stored))
        return self._box.seal(plain, f"{owner}/{identity}")

    def _opened(self, owner: str, identity: str, sealed: bytes) -> StoredResponse:
        plain = self._box.open(sealed, f"{owner}/{identity}")
        return _DECODER.decode(zstandard.ZstdDecompressor().decompress(plain))
