"""Responses that clients may come back to: sealed, each one its owner's only, for a while, within a size."""

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, insert, select

from rixin.store.database import Database
from rixin.store.schema import responses

_EVICTED_AT_ONCE = 100


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
        async with self._database.begin() as connection:
            await connection.execute(delete(responses).where(mine, responses.c.expires_at <= row.created_at))
            await connection.execute(delete(responses).where(mine, responses.c.id == row.id))
            used: int = (
                await connection.execute(select(func.coalesce(func.sum(responses.c.size), 0)).where(mine))
            ).scalar_one()
            evicted = 0
            while used + len(row.sealed) > max_bytes:
                oldest = (
                    await connection.execute(
                        select(responses.c.id, responses.c.size)
                        .where(mine)
                        .order_by(responses.c.created_at)
                        .limit(_EVICTED_AT_ONCE)
                    )
                ).all()
                leaving: list[str] = []
                for identity, size in oldest:
                    if used + len(row.sealed) <= max_bytes:
                        break
                    leaving.append(identity)
                    used -= size
                if not leaving:
                    break
                await connection.execute(delete(responses).where(mine, responses.c.id.in_(leaving)))
                evicted += len(leaving)
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
        async with self._database.begin() as connection:
            return (await connection.execute(query)).rowcount > 0

    async def delete_expired(self, now: float, limit: int) -> int:
        """Deletes at most `limit` responses whose time is over, and tells how many they were."""
        async with self._database.begin() as connection:
            query = (
                select(responses.c.owner, responses.c.id)
                .where(responses.c.expires_at <= now)
                .order_by(responses.c.expires_at)
                .limit(limit)
            )
            over = [(owner, identity) for owner, identity in await connection.execute(query)]
            for owner, identity in over:
                await connection.execute(
                    delete(responses).where(responses.c.owner == owner, responses.c.id == identity)
                )
        return len(over)
