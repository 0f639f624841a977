"""The request log as it is stored: usage rows, and beside each of them what they do not tell of its request.

A usage row and its detail have the same time and id. Details are deleted after a while, and usage stays.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Row, and_, func, select, tuple_, update

from rixin.store.bulk_insert import insert_new
from rixin.store.database import Database
from rixin.store.schema import requests, usage
from rixin.store.usage import COLUMNS, UsageFilter, delete_oldest, latest
from rixin.store.usage_row import UsageRow

_TOPIC = "requests"
_SAME_REQUEST = and_(requests.c.time == usage.c.time, requests.c.id == usage.c.id)


class RequestDetail(Struct, frozen=True, kw_only=True):
    """What the usage row of the same time and id does not tell of a request."""

    time: float
    id: str
    attempts: str
    """JSON of its writer's own."""
    attempt_count: int
    bodies: bytes | None = None
    """Sealed."""


class ListedRequest(Struct, frozen=True):
    """A request in a list. What its attempts and bodies are is told by its detail."""

    usage: UsageRow
    attempts: int | None
    """How many calls of engines it took; None where its detail is not there any more, or was never needed."""
    bodies_size: int
    """Bytes that its bodies take in the store; 0 where none are kept."""


class RequestTable:
    """Usage rows with their details."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, details: Sequence[RequestDetail]) -> None:
        """Stores details, all or none. One that is there already (same id, same instant) is not stored again.

        Raises:
            RixinError: `OVERLOADED` when the database cannot be used.
            OverflowError: A number does not fit into 64 bits.
            UnicodeEncodeError: A text holds half a surrogate pair.
        """
        if not details:
            return
        rows = [
            (detail.time, detail.id, detail.attempts, detail.attempt_count, len(detail.bodies or b""), detail.bodies)
            for detail in details
        ]
        async with self._database.begin(_TOPIC) as connection:
            await insert_new(connection, requests, rows)

    async def list(
        self, wanted: UsageFilter, *, limit: int = 100, before: tuple[float, str] | None = None
    ) -> list[ListedRequest]:
        """Requests, the latest first.

        Args:
            wanted: Which ones.
            limit: At most so many.
            before: `(time, id)` of the last one of the page before this one.
        """
        query = select(*COLUMNS, requests.c.attempt_count, requests.c.bodies_size).select_from(
            usage.outerjoin(requests, _SAME_REQUEST)
        )
        async with self._database.read() as connection:
            return [_listed(row) for row in await connection.execute(latest(query, wanted, limit, before))]

    async def find(self, request_id: str, user: str | None = None) -> tuple[UsageRow, RequestDetail | None] | None:
        """A request by its id, of a user or anybody; the latest, where clients chose the same id more than once."""
        query = select(*COLUMNS).where(usage.c.id == request_id).order_by(usage.c.time.desc()).limit(1)
        if user is not None:
            query = query.where(usage.c.user_id == user)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).one_or_none()
            if found is None:
                return None
            row = msgspec.convert(found, UsageRow, from_attributes=True)
            query = select(requests).where(requests.c.time == row.time, requests.c.id == row.id)
            detail = (await connection.execute(query)).one_or_none()
        return row, None if detail is None else msgspec.convert(detail, RequestDetail, from_attributes=True)

    async def bodies_size(self) -> int:
        """Bytes that all bodies take together."""
        query = select(func.coalesce(func.sum(requests.c.bodies_size), 0)).where(requests.c.bodies_size > 0)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one()

    async def delete_before(self, instant: float, limit: int) -> int:
        """Deletes at most `limit` details of requests that arrived before an instant, the oldest first.

        Returns:
            How many they were.
        """
        return await delete_oldest(self._database, requests, instant, limit)

    async def drop_bodies(self, limit: int) -> int:
        """Drops the bodies of at most `limit` requests, the oldest first; attempts stay.

        Returns:
            Bytes that they took.
        """
        query = (
            select(requests.c.time, requests.c.id, requests.c.bodies_size)
            .where(requests.c.bodies_size > 0)
            .order_by(requests.c.time)
            .limit(limit)
        )
        async with self._database.begin(_TOPIC) as connection:
            oldest = (await connection.execute(query)).all()
            if oldest:
                chosen = tuple_(requests.c.time, requests.c.id).in_([(time, name) for time, name, _ in oldest])
                await connection.execute(update(requests).where(chosen).values(bodies=None, bodies_size=0))
            return sum(size for _, _, size in oldest)


def _listed(row: Row[*tuple[Any, ...]]) -> ListedRequest:
    return ListedRequest(msgspec.convert(row, UsageRow, from_attributes=True), row.attempt_count, row.bodies_size or 0)
