"""A great many rows."""

import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store.database import Database
from rixin.store.requests import RequestTable
from rixin.store.schema import usage
from rixin.store.usage import UsageFilter, UsageTable
from tests.support.databases import execute
from tests.support.ledger_runs import Question, fill, lists, measure, sums

ROWS = 1_000_000 if os.environ.get("RIXIN_TEST_ALL") else 100_000
"""A million takes minutes to make."""
SLOWEST = 10_000.0
"""Milliseconds: ten times what the slowest question about a million rows takes beside other tests on two cores."""
DEAREST = {"sqlite": 150, "postgresql": 25}
"""What a list costs at most for each row that it finds, however many there are: steps of SQLite's machine, which takes
40 to show a row and 3 to pass over one; or rows and pages that PostgreSQL looks at."""
FEWEST = 10
"""Rows that a list is taken to find that finds fewer."""

Query: TypeAlias = tuple[str, Any]
"""SQL, and its parameters."""


@pytest.mark.timeout(900)
async def test_questions_about_a_million_requests_are_answered_at_once(database: Database) -> None:
    """Every list is found by an index, and would not be without it; no sum reads a request.

    The times are shown, and bound by a hang limit only.
    """
    await fill(database, ROWS)
    execute(database.place, "ANALYZE usage")
    took = await measure(database, ROWS)
    for name, milliseconds in took.items():
        print(f"{name}: {milliseconds:.1f} ms")  # noqa: T201 - figures to read, not to assert
    assert max(took.values()) < SLOWEST

    listing = {name: await heard(ask) for name, ask in (lists(database) | finds(database)).items()}
    async with database.read() as connection:
        dearest = DEAREST[connection.dialect.name]
        costs = {name: await cost(connection, queries) for name, queries in listing.items()}
        assert {name: each for name, each in costs.items() if each > dearest} == {}
        for name, ask in sums(database, ROWS).items():
            assert not [query for query in await heard(ask) if "usage" in await tables(connection, query)], name
    for index in usage.indexes:
        async with without(database, str(index.name)) as connection:
            assert max([await cost(connection, queries) for queries in listing.values()]) > dearest, index.name


def finds(database: Database) -> dict[str, Question]:
    """Questions that find nothing, which without an index takes a look at every row."""
    rows, requests = UsageTable(database), RequestTable(database)

    async def listed(wanted: UsageFilter) -> None:
        assert await rows.recent(wanted=wanted) == []

    async def found() -> None:
        assert await requests.find("none") is None

    return {
        "of a user who never asked": lambda: listed(UsageFilter(user_id="none")),
        "of a team that never asked": lambda: listed(UsageFilter(team_id="none")),
        "of a provider that nobody asked": lambda: listed(UsageFilter(provider="none")),
        "by an id": found,
    }


async def heard(ask: Question) -> list[Query]:
    """The queries that reach a database while it is asked."""
    queries: list[Query] = []

    def hear(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            queries.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        await ask()
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    assert queries
    return queries


async def cost(connection: AsyncConnection, queries: list[Query]) -> float:
    """What a list costs the database, as `DEAREST`."""
    steps = rows = 0
    if connection.dialect.name == "postgresql":
        for query in queries:
            plan = await explained(connection, query)
            rows += plan[0]["Actual Rows"]
            steps += plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"]
            for step in plan:
                if "Relation Name" in step:
                    passed_over = step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Index Recheck", 0)
                    steps += (step["Actual Rows"] + passed_over) * step["Actual Loops"]
        return steps / max(rows, FEWEST)

    def tick() -> None:
        nonlocal steps
        steps += 10

    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.set_progress_handler(tick, 10)
    for statement, parameters in queries:
        rows += len((await connection.exec_driver_sql(statement, parameters)).all())
    await driver.set_progress_handler(None, 0)
    return steps / max(rows, FEWEST)


async def tables(connection: AsyncConnection, query: Query) -> set[str]:
    """The names of what the database reads to answer a query."""
    if connection.dialect.name == "postgresql":
        return {step["Relation Name"] for step in await explained(connection, query) if "Relation Name" in step}
    plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query[0]}", query[1])
    return {found[1] for *_, step in plan if (found := re.match(r"(?:SCAN|SEARCH) (\w+)", step))}


async def explained(connection: AsyncConnection, query: Query) -> list[dict[str, Any]]:
    """What PostgreSQL does to answer a query, the last step first."""
    found = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query[0]}", query[1])
    steps = [found.scalar_one()[0]["Plan"]]
    for step in steps:
        steps += step.get("Plans", ())
    return steps


class _UndoneError(Exception):
    """Ends a transaction of which nothing stays."""


@asynccontextmanager
async def without(database: Database, index: str) -> AsyncGenerator[AsyncConnection]:
    """A database that has lost an index, for as long as the block takes."""
    with suppress(_UndoneError):
        async with database.begin("usage") as connection:
            await connection.exec_driver_sql(f"DROP INDEX {index}")
            yield connection
            raise _UndoneError
