"""What requests used together, by the hour and by the day: sums that are kept up to date with every row.

There is one for each hour and each day, key, user, team, model, provider and currency that had a request. What is asked
for is summed of whole days where it can be, and of hours before and after them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, Row, Table, cast, delete, func, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store.bulk_insert import add_up
from rixin.store.database import Database
from rixin.store.schema import teams, usage_sums, users
from rixin.store.usage_row import UsageRow

HOUR = 3600
DAY = 86400
"""Seconds."""

Grouping: TypeAlias = Literal["key", "user", "team", "model", "provider", "hour", "day"]

_GROUPS: dict[Grouping, str] = {
    "key": "key_id",
    "user": "user_id",
    "team": "team_id",
    "model": "model",
    "provider": "provider",
    "hour": "start",
    "day": "start",
}
_NAMED: dict[Grouping, Table] = {"user": users, "team": teams}
"""Who is called by another name than what the groups are."""
_SUMS = (
    "requests",
    "errors",
    "estimated",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "knowledge_tokens",
    "cost",
)


class SumFilter(Struct, frozen=True, kw_only=True):
    """Whose requests are summed: those that fit whatever is given; an empty text stands for nobody."""

    key_id: str | None = None
    user_id: str | None = None
    team_id: str | None = None
    model: str | None = None
    """The name that requests were resolved to."""
    provider: str | None = None


EVERYBODY = SumFilter()


class UsageTotal(Struct, frozen=True):
    """The sum of a group of requests, whose costs are in one currency."""

    group: str
    """The id of the key, user or team, the model, the provider, or the hour or day as `2026-11-21T09:00Z`, in UTC."""
    name: str
    """What the key was called, or the user or team is called by now; what the group is where that is no other."""
    currency: str
    requests: int
    errors: int
    estimated: int
    """How many of the requests have tokens that are our own estimate."""
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    knowledge_tokens: int
    cost: int
    """In micro-units of the currency."""


class UsageSums:
    """The sums."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totals(
        self, since: int, until: int, group_by: Grouping, wanted: SumFilter = EVERYBODY
    ) -> list[UsageTotal]:
        """Sums over the requests that arrived from `since` until before `until`, in the order of their groups.

        Args:
            since: In seconds since the epoch, the start of an hour; of a day where days are asked for.
            until: As `since`.
            group_by: What has a sum of its own.
            wanted: Whose requests.
        """
        group = _GROUPS[group_by]
        conditions = [
            usage_sums.c[name] == value
            for name in SumFilter.__struct_fields__
            if (value := getattr(wanted, name)) is not None
        ]
        names = (group, "key_name", "currency", *_SUMS)
        parts = [
            select(*(usage_sums.c[name] for name in names)).where(within, *conditions)
            for within in _spans(since, until, group_by)
        ]
        rows = union_all(*parts).subquery()
        named = _NAMED.get(group_by)
        called = rows.c.key_name if group_by == "key" else rows.c[group]
        query = (
            select(
                rows.c[group],
                func.max(called if named is None else func.coalesce(named.c.name, called)),
                rows.c.currency,
                *(cast(func.sum(rows.c[name]), BigInteger) for name in _SUMS),
            )
            .select_from(rows if named is None else rows.outerjoin(named, named.c.id == rows.c[group]))
            .group_by(rows.c[group], rows.c.currency)
            .order_by(rows.c[group], rows.c.currency)
        )
        async with self._database.read() as connection:
            return [_total(row, group_by) for row in await connection.execute(query)]

    async def delete_before(self, instant: float, limit: int) -> int:
        """Deletes at most `limit` sums of hours and days that began before an instant, the oldest first.

        Returns:
            How many they were.
        """
        key = tuple_(*usage_sums.primary_key.columns)
        async with self._database.begin("usage") as connection:
            deleted = 0
            for span in (HOUR, DAY):
                oldest = (
                    select(*usage_sums.primary_key.columns)
                    .where(usage_sums.c.span == span, usage_sums.c.start < instant)
                    .order_by(usage_sums.c.start)
                    .limit(limit - deleted)
                )
                deleted += (await connection.execute(delete(usage_sums).where(key.in_(oldest)))).rowcount
            return deleted


async def add_sums(connection: AsyncConnection, rows: Sequence[UsageRow]) -> None:
    """Adds rows that were not stored before to the sums of their hours and days."""
    sums: dict[tuple[int | str, ...], list[int | str]] = {}
    for row in rows:
        figures = (
            1,
            row.error is not None,
            row.estimated,
            row.prompt_tokens,
            row.completion_tokens,
            row.cached_tokens,
            row.reasoning_tokens,
            row.knowledge_tokens,
            row.cost,
        )
        whose = (row.key_id, row.user_id or "", row.team_id or "", row.model, row.provider, row.currency)
        for span in (HOUR, DAY):
            key = (span, int(row.time // span) * span, *whose)
            known = sums.get(key)
            if known is None:
                sums[key] = [row.key_name, *map(int, figures)]
            else:
                known[0] = row.key_name
                for place, figure in enumerate(figures, 1):
                    known[place] += figure  # pyright: ignore[reportOperatorIssue, reportArgumentType] - a figure it is
    await add_up(connection, usage_sums, [(*key, *sums[key]) for key in sorted(sums)])


def _spans(since: int, until: int, group_by: Grouping) -> list[ColumnElement[bool]]:
    """Which sums make up a time, each part of it once."""
    if group_by == "day":
        return [_span(DAY, since, until)]
    first, last = -(-since // DAY) * DAY, until // DAY * DAY
    if group_by == "hour" or first >= last:
        return [_span(HOUR, since, until)]
    return [_span(HOUR, since, first), _span(DAY, first, last), _span(HOUR, last, until)]


def _span(span: int, since: int, until: int) -> ColumnElement[bool]:
    return (usage_sums.c.span == span) & (usage_sums.c.start >= since) & (usage_sums.c.start < until)


def _total(row: Row[*tuple[Any, ...]], group_by: Grouping) -> UsageTotal:
    group, name, currency, *sums = row
    if group_by in ("hour", "day"):
        form = "%Y-%m-%d" if group_by == "day" else "%Y-%m-%dT%H:00Z"
        group = name = f"{datetime.fromtimestamp(group, UTC):{form}}"
    return UsageTotal(group, name, currency, *sums)
