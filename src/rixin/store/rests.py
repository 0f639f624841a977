"""What upstreams are left alone, and until when, as all processes know it.

It is little, most of the time nothing, and always read as a whole: one text of `meta`.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store.database import Database
from rixin.store.schema import meta

NAME = "rests"
MAX_RESTS = 1000
"""Rests that are told to others; the ones that end last count."""

_named = meta.c.name == NAME


class Resting(Struct, frozen=True, array_like=True):
    """Who is left alone."""

    provider: str
    base_url: str
    """Where the provider was; at another address it is another upstream."""
    model: str | None
    """For which model; None where it is for all."""
    key: str | None
    """The digest of the one key that rests; None where the provider's model does, whatever the key."""


class Rest(Struct, frozen=True, array_like=True):
    """How long."""

    until: float
    """Seconds since the epoch."""
    step: int
    """How often it has come to this without being better since."""
    kind: str
    """As which kind of error it is told."""


class _Entry(Struct, frozen=True, array_like=True):
    who: Resting
    rest: Rest


_decode = msgspec.json.Decoder(list[_Entry]).decode


class RestTable:
    """The rests.

    Methods raise `RixinError`: `OVERLOADED` when the database cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, now: float) -> dict[Resting, Rest]:
        """Those that are not over."""
        async with self._database.read() as connection:
            return await _read(connection, now)

    async def add(self, rests: Mapping[Resting, Rest], now: float) -> None:
        """Tells of more. Of two for the same the one that ends later counts."""
        async with self._database.begin(NAME) as connection:
            known = await _read(connection, now)
            for who, rest in rests.items():
                if who not in known or known[who].until < rest.until:
                    known[who] = rest
            last = sorted(known.items(), key=lambda item: item[1].until)[-MAX_RESTS:]
            value = msgspec.json.encode([_Entry(*item) for item in last]).decode()
            await connection.execute(delete(meta).where(_named))
            await connection.execute(insert(meta).values(name=NAME, value=value))


async def _read(connection: AsyncConnection, now: float) -> dict[Resting, Rest]:
    found = (await connection.execute(select(meta.c.value).where(_named))).scalar_one_or_none()
    return {} if found is None else {entry.who: entry.rest for entry in _decode(found) if entry.rest.until > now}
