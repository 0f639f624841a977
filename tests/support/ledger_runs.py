"""A ledger with a great many rows, and how long what is asked of it takes."""

import statistics
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from sqlalchemy import text

from rixin.store.database import Database
from rixin.store.usage import UsageFilter, UsageTable
from rixin.store.usage_sums import DAY, Grouping, UsageSums

START = 20_000 * DAY
DAYS = 90
"""Over which the rows are spread."""

_COLUMNS = """time, id, key_id, key_name, user_id, team_id, dialect, operation, model_asked, model, provider, status,
error, stream, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, knowledge_tokens, estimated, queue_ms,
first_token_ms, total_ms, changes, cost, currency, price_prompt, price_completion, price_cached, price_request"""
_ROWS = """
INSERT INTO usage ({columns})
WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {last})
SELECT {start} + n * {apart}, CAST(n AS TEXT),
       CASE WHEN n % {rare} = {rare} / 2 THEN 'rare' ELSE 'key-' || (n % 200) END, 'name',
       'user-' || (n % 50), 'team-' || (n % 10), 'openai_chat', 'generate', 'asked-' || (n % 7),
       'model-' || (n / 200 % 10), 'provider-' || (n / 200 % 3), CASE WHEN n % 50 = 0 THEN 502 ELSE 200 END,
       CASE WHEN n % 50 = 0 THEN 'upstream_unreachable' END, true, 1000 + n % 100, 200, 0, 0, 0, false, NULL, 300.5,
       2000.5, '', 1500, 'USD', 1000000, 2000000, 1000000, 0
FROM numbers
"""
_SUMS = """
INSERT INTO usage_sums
SELECT {span}, CAST(time - {half} AS BIGINT) / {span} * {span}, key_id, user_id, team_id, model, provider, currency,
       MAX(key_name), COUNT(*), COUNT(error), 0, SUM(prompt_tokens), SUM(completion_tokens), 0, 0, 0, SUM(cost)
FROM usage
GROUP BY CAST(time - {half} AS BIGINT) / {span} * {span}, key_id, user_id, team_id, model, provider, currency
"""
_PORTION = 250_000


async def fill(database: Database, count: int) -> None:
    """Makes rows of 200 keys, 10 models and 3 providers, and their sums."""
    apart = f"CAST({DAYS * DAY / count!r} AS DOUBLE PRECISION)"
    for first in range(0, count, _PORTION):
        last = min(first + _PORTION, count)
        rows = _ROWS.format(columns=_COLUMNS, first=first, last=last, start=START, apart=apart, rare=count // 10)
        async with database.begin("usage") as connection:
            await connection.execute(text(rows))
    for span in (3600, DAY):
        async with database.begin("usage") as connection:
            # What SQLite cuts off is what PostgreSQL rounds.
            half = 0 if connection.dialect.name == "sqlite" else 0.4999999
            await connection.execute(text(_SUMS.format(span=span, half=half)))


Question: TypeAlias = Callable[[], Awaitable[None]]
"""Asks a database. Raises `AssertionError` where the answer is not what the rows are."""


async def measure(database: Database, count: int, *, repeat: int = 5) -> dict[str, float]:
    """How many milliseconds what people ask takes, the median of several times.

    Raises:
        AssertionError: An answer is not what the rows are.
    """
    took: dict[str, float] = {}
    for name, ask in (lists(database) | sums(database, count)).items():
        times: list[float] = []
        for _ in range(repeat):
            began = time.perf_counter()
            await ask()
            times.append((time.perf_counter() - began) * 1000)
        took[name] = statistics.median(times)
    return took


def lists(database: Database) -> dict[str, Question]:
    """What lists of requests people ask for, by names that tell of which."""
    rows, middle = UsageTable(database), (START + DAYS * DAY / 2, "")

    async def listed(expected: int, wanted: UsageFilter, before: tuple[float, str] | None = None) -> None:
        assert len(await rows.recent(limit=100, before=before, wanted=wanted)) == expected

    return {
        "the latest 100": lambda: listed(100, UsageFilter()),
        "100 from the middle": lambda: listed(100, UsageFilter(), middle),
        "of a key": lambda: listed(100, UsageFilter(key_id="key-7")),
        "of a key that asked ten times": lambda: listed(10, UsageFilter(key_id="rare")),
        "of a user": lambda: listed(100, UsageFilter(user_id="user-7")),
        "of a team": lambda: listed(100, UsageFilter(team_id="team-7")),
        "of a model, by either name": lambda: listed(100, UsageFilter(model="model-3")),
        "of a model that nobody asked for": lambda: listed(0, UsageFilter(model="none")),
        "of a provider": lambda: listed(100, UsageFilter(provider="provider-1"), middle),
        "that failed": lambda: listed(100, UsageFilter(least_status=500)),
        "of a key, that failed": lambda: listed(0, UsageFilter(key_id="rare", error="internal")),
        "of a day": lambda: listed(100, UsageFilter(since=START + 9 * DAY, until=START + 10 * DAY)),
    }


def sums(database: Database, count: int) -> dict[str, Question]:
    """What sums of so many requests people ask for, by names that tell of which."""
    kept, until = UsageSums(database), START + DAYS * DAY

    async def summed(days: int, by: Grouping) -> None:
        totals = await kept.totals(until - days * DAY, until, by)
        assert abs(sum(total.requests for total in totals) - count * days / DAYS) < 2

    return {
        "30 days by model": lambda: summed(30, "model"),
        "30 days by key": lambda: summed(30, "key"),
        "30 days by day": lambda: summed(30, "day"),
        "90 days by user": lambda: summed(90, "user"),
        "a day by hour": lambda: summed(1, "hour"),
    }
