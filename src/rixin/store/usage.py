"""What each request used, one row each."""

from collections.abc import AsyncGenerator, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, Table, delete, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store.bulk_insert import insert_new
from rixin.store.database import Database
from rixin.store.schema import usage
from rixin.store.usage_row import UsageRow
from rixin.store.usage_sums import add_sums

LARGEST = 10**15
"""No figure of a row is larger, so that sums of them fit into the 64 bits that databases have."""

_PORTION = 1000
"""Rows that are read at a time where all are wanted."""


class UsageFilter(Struct, frozen=True, kw_only=True):
    """Which requests are wanted: those that fit whatever is given."""

    key_id: str | None = None
    user_id: str | None = None
    team_id: str | None = None
    model: str | None = None
    """The name that was asked for, or that it was resolved to."""
    provider: str | None = None
    least_status: int | None = None
    most_status: int | None = None
    error: str | None = None
    """A kind of error."""
    since: float | None = None
    """Arrived at this instant or later, in seconds since the epoch."""
    until: float | None = None
    """Arrived before this instant."""


EVERY = UsageFilter()
COLUMNS = tuple(usage.c[name] for name in UsageRow.__struct_fields__)


class UsageTable:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, rows: Sequence[UsageRow]) -> None:
        """Stores rows and adds them up, all or none. One that is there already (same id, same instant) counts once.

        Raises:
            RixinError: `OVERLOADED` when the database cannot be used.
            OverflowError: A figure is larger than any that can be true.
            UnicodeEncodeError: A text holds half a surrogate pair.
        """
        if not rows:
            return
        if any(max(row.prompt_tokens, row.completion_tokens, row.knowledge_tokens, row.cost) > LARGEST for row in rows):
            raise OverflowError("a usage row has a figure above any that can be true")
        try:
            async with self._database.begin("usage") as connection:
                await _add(connection, rows)
        except _KnownError:
            async with self._database.begin("usage") as connection:
                new = await _unknown(connection, rows)
                if new:
                    await _add(connection, new)

    async def recent(
        self, *, limit: int = 100, before: tuple[float, str] | None = None, wanted: UsageFilter = EVERY
    ) -> list[UsageRow]:
        """Rows, the latest first.

        Args:
            limit: At most so many.
            before: `(time, id)` of the last row of the page before this one.
            wanted: Which ones.
        """
        query = latest(select(*COLUMNS), wanted, limit, before)
        async with self._database.read() as connection:
            return [msgspec.convert(row, UsageRow, from_attributes=True) for row in await connection.execute(query)]

    async def all(self, wanted: UsageFilter = EVERY) -> AsyncGenerator[list[UsageRow]]:
        """All rows, the latest first, a portion at a time."""
        before = None
        while page := await self.recent(limit=_PORTION, before=before, wanted=wanted):
            yield page
            if len(page) < _PORTION:
                return
            before = (page[-1].time, page[-1].id)

    async def delete_before(self, instant: float, limit: int) -> int:
        """Deletes at most `limit` rows of requests that arrived before an instant, the oldest first. Sums stay.

        Returns:
            How many they were.
        """
        return await delete_oldest(self._database, usage, instant, limit)


def latest(
    query: Select[*tuple[object, ...]], wanted: UsageFilter, limit: int, before: tuple[float, str] | None
) -> Select[*tuple[object, ...]]:
    """A page of a query for usage rows, the latest first, that some index finds at once.

    Args:
        query: It selects at least the time and the id, by these names.
        wanted: Which rows.
        limit: At most so many.
        before: `(time, id)` of the last row of the page before this one.
    """
    conditions = _conditions(wanted)
    if before is not None:
        conditions.append(tuple_(usage.c.time, usage.c.id) < tuple_(*before))
    page = query.where(*conditions).order_by(usage.c.time.desc(), usage.c.id.desc()).limit(limit)
    if wanted.model is None:
        return page
    # No index serves two columns at once: a page by each of them, and the latest of both.
    resolved = page.where(usage.c.model == wanted.model)
    asked = page.where(usage.c.model_asked == wanted.model, usage.c.model != wanted.model)
    both = union_all(select(resolved.subquery()), select(asked.subquery())).subquery()
    return select(both).order_by(both.c.time.desc(), both.c.id.desc()).limit(limit)


async def delete_oldest(database: Database, table: Table, instant: float, limit: int) -> int:
    """Deletes rows from before an instant, as `UsageTable.delete_before`, of a table whose keys are time and id."""
    oldest = select(table.c.time, table.c.id).where(table.c.time < instant).order_by(table.c.time).limit(limit)
    async with database.begin(table.name) as connection:
        return (await connection.execute(delete(table).where(tuple_(table.c.time, table.c.id).in_(oldest)))).rowcount


class _KnownError(Exception):
    """Some of the rows are there already."""


async def _add(connection: AsyncConnection, rows: Sequence[UsageRow]) -> None:
    stored = await insert_new(connection, usage, [msgspec.structs.astuple(row) for row in rows])
    if stored != len(rows):
        raise _KnownError
    await add_sums(connection, rows)


async def _unknown(connection: AsyncConnection, rows: Sequence[UsageRow]) -> list[UsageRow]:
    """Those of some rows that are not stored yet, each of them once."""
    once = {(row.time, row.id): row for row in reversed(rows)}
    query = select(usage.c.time, usage.c.id).where(tuple_(usage.c.time, usage.c.id).in_([*once]))
    for time, name in await connection.execute(query):
        once.pop((time, name), None)
    return [*once.values()]


def _conditions(wanted: UsageFilter) -> list[ColumnElement[bool]]:
    """What a usage row must fulfil, but for its model."""
    equal = (
        (usage.c.key_id, wanted.key_id),
        (usage.c.user_id, wanted.user_id),
        (usage.c.team_id, wanted.team_id),
        (usage.c.provider, wanted.provider),
    )
    conditions = [column == value for column, value in equal if value is not None]
    if wanted.error is not None:
        # Said twice for the index of those that failed.
        conditions += [usage.c.error.is_not(None), usage.c.error == wanted.error]
    if wanted.least_status is not None:
        conditions.append(usage.c.status >= wanted.least_status)
        if wanted.least_status >= 400:
            conditions.append(usage.c.error.is_not(None))
    if wanted.most_status is not None:
        conditions.append(usage.c.status <= wanted.most_status)
    if wanted.since is not None:
        conditions.append(usage.c.time >= wanted.since)
    if wanted.until is not None:
        conditions.append(usage.c.time < wanted.until)
    return conditions
