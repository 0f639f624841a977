"""What tables have in common whose rows are their owners' only.

Where they are there for a while, and within a size, the table has the columns `owner`, `id`, `size` and `expires_at`.
"""

from sqlalchemy import ColumnElement, Table, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store.database import Database

_EVICTED_AT_ONCE = 100


def topic_of(table: Table, owner: str) -> str:
    """What an owner's transactions on a table take turns on: they count what there is."""
    return f"{table.name}/{owner}"


async def make_room(
    connection: AsyncConnection, table: Table, others: ColumnElement[bool], oldest: ColumnElement[float], room: int
) -> int:
    """Deletes rows, the oldest first, until the rest takes no more than `room` bytes.

    Args:
        connection: In whose transaction.
        table: Which.
        others: The rows that have to share the room; any of them may go.
        oldest: The column that tells how old a row is.
        room: Bytes that they may take.

    Returns:
        How many rows had to go.
    """
    used: int = (await connection.execute(select(func.coalesce(func.sum(table.c.size), 0)).where(others))).scalar_one()
    evicted = 0
    while used > room:
        leaving: list[str] = []
        query = select(table.c.id, table.c.size).where(others).order_by(oldest).limit(_EVICTED_AT_ONCE)
        for identity, size in (await connection.execute(query)).all():
            if used <= room:
                break
            leaving.append(identity)
            used -= size
        if not leaving:
            break
        await connection.execute(delete(table).where(others, table.c.id.in_(leaving)))
        evicted += len(leaving)
    return evicted


async def delete_expired(database: Database, table: Table, now: float, limit: int) -> int:
    """Deletes at most `limit` rows whose time is over, of all owners, and tells how many they were."""
    query = select(table.c.owner, table.c.id).where(table.c.expires_at <= now).order_by(table.c.expires_at).limit(limit)
    deleted = 0
    async with database.begin(table.name) as connection:
        over = [(owner, identity) for owner, identity in await connection.execute(query)]
        for owner, identity in over:
            this = and_(table.c.owner == owner, table.c.id == identity)
            # Its owner may have prolonged it meanwhile.
            deleted += (await connection.execute(delete(table).where(this, table.c.expires_at <= now))).rowcount
    return deleted
