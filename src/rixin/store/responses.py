"""Responses that clients may come back to: sealed, each one its owner's only, for a while, within a size."""

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, select

from rixin.store.database import Database
from rixin.store.room import delete_expired, make_room, topic_of
from rixin.store.schema import responses


class StoredRow(Struct, frozen=True, kw_only=True):
    """One response. Instants are seconds since the epoch."""

    owner: str
    id: str
    created_at: float
    expires_at: float
    sealed: bytes


class ResponseTable:
    """The responses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, row: StoredRow, max_bytes: int) -> int:
        """Stores a response, in place of its owner's one of the same id. The owner's oldest others make room for it.

        Args:
            row: The response.
            max_bytes: What all of its owner's responses may take, this one included.

        Returns:
            How many others had to go before their time.

        Raises:
            RixinError: `OVERLOADED` when the database cannot be used.
        """
        mine = responses.c.owner == row.owner
        async with self._database.begin(topic_of(responses, row.owner)) as connection:
            await connection.execute(delete(responses).where(mine, responses.c.expires_at <= row.created_at))
            await connection.execute(delete(responses).where(mine, responses.c.id == row.id))
            evicted = await make_room(connection, responses, mine, responses.c.created_at, max_bytes - len(row.sealed))
            await connection.execute(insert(responses).values(**msgspec.structs.asdict(row), size=len(row.sealed)))
            return evicted

    async def get(self, owner: str, identity: str, now: float) -> bytes | None:
        """What was sealed; None where the owner has no such response at this instant."""
        query = select(responses.c.sealed).where(
            responses.c.owner == owner, responses.c.id == identity, responses.c.expires_at > now
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def delete(self, owner: str, identity: str, now: float) -> bool:
        """Deletes a response, and tells whether the owner had it at this instant."""
        query = delete(responses).where(
            responses.c.owner == owner, responses.c.id == identity, responses.c.expires_at > now
        )
        async with self._database.begin(topic_of(responses, owner)) as connection:
            return (await connection.execute(query)).rowcount > 0

    async def delete_expired(self, now: float, limit: int) -> int:
        """Deletes at most `limit` responses whose time is over, and tells how many they were."""
        return await delete_expired(self._database, responses, now, limit)
