"""What each request used, one row each."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct
from sqlalchemy import Row, case, func, select, tuple_

from rixin.store.bulk_insert import insert_new
from rixin.store.database import Database
from rixin.store.schema import usage

SECONDS_PER_DAY = 86400

Grouping: TypeAlias = Literal["key", "model", "day"]

_GROUPS = {"key": usage.c.key_id, "model": usage.c.model, "day": usage.c.day}


class UsageRow(Struct, frozen=True, kw_only=True):
    """One request, when it was over. Neither what was said in it nor from where it came."""

    time: float
    """When it arrived, in seconds since the epoch."""
    id: str
    """The request id. A client may have chosen it, so others may be the same."""
    key_id: str
    key_name: str
    dialect: str
    operation: str
    model_asked: str
    """The name in the request."""
    model: str
    """The name that it was resolved to; empty where it came to none."""
    provider: str
    status: int
    error: str | None = None
    """The kind of error, where it failed."""
    stream: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    knowledge_tokens: int = 0
    estimated: bool = False
    """Whether the tokens are our own estimate."""
    queue_ms: float | None = None
    first_token_ms: float | None = None
    total_ms: float
    changes: str = ""
    """What was changed of the request on its way, as in `x-rixin-changes`."""


class UsageTotal(Struct, frozen=True):
    """The sum of a group of requests."""

    group: str
    """The key's id, the model, or the day as `2026-11-21` in UTC."""
    name: str
    """The key's name where the group is a key; what the group is otherwise."""
    requests: int
    errors: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    knowledge_tokens: int


class UsageTable:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, rows: Sequence[UsageRow]) -> None:
        """Stores rows, all or none. One that is there already (same id, same instant) is not stored again.

        Raises:
            RixinError: `OVERLOADED` when the database cannot be used.
            OverflowError: A number does not fit into 64 bits.
            UnicodeEncodeError: A text holds half a surrogate pair.
        """
        if not rows:
            return
        async with self._database.begin() as connection:
            await insert_new(connection, usage, [_values(row) for row in rows])

    async def recent(self, *, limit: int = 100, before: tuple[float, str] | None = None) -> list[UsageRow]:
        """Rows, the latest first.

        Args:
            limit: At most so many.
            before: `(time, id)` of the last row of the page before this one.
        """
        query = select(*(usage.c[name] for name in UsageRow.__struct_fields__))
        if before is not None:
            query = query.where(tuple_(usage.c.time, usage.c.id) < tuple_(*before))
        query = query.order_by(usage.c.time.desc(), usage.c.id.desc()).limit(limit)
        async with self._database.read() as connection:
            return [msgspec.convert(row, UsageRow, from_attributes=True) for row in await connection.execute(query)]

    async def summary(self, since: float, until: float, group_by: Grouping) -> list[UsageTotal]:
        """Sums over the requests that arrived from `since` until before `until`, in the order of their groups."""
        group = _GROUPS[group_by]
        query = (
            select(
                group,
                func.max(usage.c.key_name if group_by == "key" else group),
                func.count(),
                func.sum(case((usage.c.error.is_not(None), 1), else_=0)),
                func.sum(usage.c.prompt_tokens),
                func.sum(usage.c.completion_tokens),
                func.sum(usage.c.cached_tokens),
                func.sum(usage.c.reasoning_tokens),
                func.sum(usage.c.knowledge_tokens),
            )
            .where(usage.c.time >= since, usage.c.time < until)
            .group_by(group)
            .order_by(group)
        )
        async with self._database.read() as connection:
            return [_total(row, group_by) for row in await connection.execute(query)]


def _values(row: UsageRow) -> tuple[object, ...]:
    # The table's columns are the struct's fields in their order, and the day.
    return (*msgspec.structs.astuple(row), int(row.time // SECONDS_PER_DAY))


def _total(row: Row[*tuple[Any, ...]], group_by: Grouping) -> UsageTotal:
    group, name, *sums = row
    if group_by == "day":
        group = name = datetime.fromtimestamp(group * SECONDS_PER_DAY, UTC).date().isoformat()
    return UsageTotal(group, name, *sums)
