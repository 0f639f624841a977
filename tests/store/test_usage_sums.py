"""Sums of usage by the hour and by the day."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import delete

from rixin.store import teams, users
from rixin.store.database import Database
from rixin.store.schema import usage, usage_sums
from rixin.store.usage import UsageTable
from rixin.store.usage_row import UsageRow
from rixin.store.usage_sums import DAY, HOUR, Grouping, SumFilter, UsageSums, UsageTotal

START = 20_000 * DAY

ROW = UsageRow(
    time=START + 0.5, id="1", key_id="key_1", key_name="Ada", dialect="openai_chat", operation="generate",
    model_asked="gpt-5", model="m1", provider="up", status=200, prompt_tokens=5, completion_tokens=4, cached_tokens=3,
    reasoning_tokens=2, knowledge_tokens=1, total_ms=2.5, cost=10,
)  # fmt: skip


async def test_sums_by_everything(database: Database) -> None:
    """Each row counts once in each group, with its figures; whoever has no user or team counts as nobody's."""
    other = replace(
        ROW, id="2", time=START + HOUR, key_id="key_2", key_name="Bob", user_id="u", team_id="t", model="m2",
        provider="down", error="internal", estimated=True,
    )  # fmt: skip
    late = replace(ROW, id="3", time=START + DAY)
    await UsageTable(database).add([ROW, other, late])
    sums = UsageSums(database)
    twice, once = (2, 0, 0, 10, 8, 6, 4, 2, 20), (1, 1, 1, 5, 4, 3, 2, 1, 10)
    day_one = (2, 1, 1, 10, 8, 6, 4, 2, 20)
    single = (1, 0, 0, 5, 4, 3, 2, 1, 10)
    expected: dict[Grouping, list[UsageTotal]] = {
        "key": [UsageTotal("key_1", "Ada", "USD", *twice), UsageTotal("key_2", "Bob", "USD", *once)],
        "user": [UsageTotal("", "", "USD", *twice), UsageTotal("u", "u", "USD", *once)],
        "team": [UsageTotal("", "", "USD", *twice), UsageTotal("t", "t", "USD", *once)],
        "model": [UsageTotal("m1", "m1", "USD", *twice), UsageTotal("m2", "m2", "USD", *once)],
        "provider": [UsageTotal("down", "down", "USD", *once), UsageTotal("up", "up", "USD", *twice)],
        "day": [
            UsageTotal("2024-10-04", "2024-10-04", "USD", *day_one),
            UsageTotal("2024-10-05", "2024-10-05", "USD", *single),
        ],
        "hour": [
            UsageTotal("2024-10-04T00:00Z", "2024-10-04T00:00Z", "USD", *single),
            UsageTotal("2024-10-04T01:00Z", "2024-10-04T01:00Z", "USD", *once),
            UsageTotal("2024-10-05T00:00Z", "2024-10-05T00:00Z", "USD", *single),
        ],
    }
    for group_by, totals in expected.items():
        assert await sums.totals(START, START + 2 * DAY, group_by) == totals
    assert await sums.totals(0, START, "day") == []


async def test_users_and_teams_are_told_by_name(database: Database) -> None:
    """As they are called by now; who is gone, by the id."""
    async with database.begin() as connection:
        user = users.User(id="u", name="Ada", email="ada@example.com", role="member", created_at=START)
        await users.add(connection, user, None)
        await teams.add(connection, teams.Team(id="t", name="Navy", created_at=START))
    known = replace(ROW, user_id="u", team_id="t")
    await UsageTable(database).add(
        [known, replace(known, id="2"), replace(ROW, id="3", user_id="gone", team_id="gone")]
    )
    sums = UsageSums(database)
    named: dict[Grouping, list[tuple[str, str, int]]] = {
        "user": [("gone", "gone", 1), ("u", "Ada", 2)],
        "team": [("gone", "gone", 1), ("t", "Navy", 2)],
    }
    for group_by, expected in named.items():
        totals = await sums.totals(START, START + DAY, group_by)
        assert [(total.group, total.name, total.requests) for total in totals] == expected


async def test_currencies_are_not_added(database: Database) -> None:
    """What was charged before the currency was changed has a sum of its own."""
    await UsageTable(database).add([ROW, replace(ROW, id="2", currency="CNY")])
    totals = await UsageSums(database).totals(START, START + DAY, "model")
    assert [(total.currency, total.cost) for total in totals] == [("CNY", 10), ("USD", 10)]


async def test_a_row_written_twice_is_summed_once(database: Database) -> None:
    """However a batch that was stored is mixed with others when it comes again."""
    table = UsageTable(database)
    rows = [replace(ROW, id=str(number)) for number in range(5)]
    await table.add(rows[:3])
    await table.add(rows)
    await table.add([*rows, *rows])
    assert [total.requests for total in await UsageSums(database).totals(START, START + DAY, "key")] == [5]


KEYS, MODELS, USERS = st.sampled_from(["k1", "k2"]), st.sampled_from(["m1", "m2"]), st.sampled_from([None, "u1", "u2"])
TIMES = st.integers(min_value=0, max_value=3 * DAY - 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    drawn=st.lists(st.tuples(TIMES, KEYS, MODELS, USERS, st.integers(0, 100)), max_size=30),
    since=st.integers(0, 72),
    until=st.integers(0, 72),
    model=st.sampled_from([None, "m1"]),
    user=st.sampled_from([None, "", "u1"]),
)
async def test_sums_are_those_of_the_rows(
    database: Database,
    drawn: list[tuple[int, str, str, str | None, int]],
    since: int,
    until: int,
    model: str | None,
    user: str | None,
) -> None:
    """Of whatever hours and whomever's requests: made of days and hours, no request is missed or counted twice."""
    async with database.begin() as connection:
        await connection.execute(delete(usage))
        await connection.execute(delete(usage_sums))
    rows = [
        replace(ROW, id=str(number), time=float(START + time), key_id=key, model=name, user_id=who, cost=cost)
        for number, (time, key, name, who, cost) in enumerate(drawn)
    ]
    table = UsageTable(database)
    await table.add(rows[:10])
    await table.add(rows[10:])
    expected: Counter[str] = Counter()
    for row in rows:
        inside = since * HOUR <= row.time - START < until * HOUR
        if inside and model in (None, row.model) and user in (None, row.user_id or ""):
            expected[row.key_id] += row.cost
    totals = await UsageSums(database).totals(
        START + since * HOUR, START + until * HOUR, "key", SumFilter(model=model, user_id=user)
    )
    assert {total.group: total.cost for total in totals if total.cost} == {
        key: cost for key, cost in expected.items() if cost
    }


async def test_old_sums_go_and_others_stay(database: Database) -> None:
    """A portion at a time, the oldest first, and none that began at the instant or after it."""
    table, sums = UsageTable(database), UsageSums(database)
    await table.add([replace(ROW, id=str(day), time=START + day * DAY + 7200.0) for day in range(4)])
    deleted = [await sums.delete_before(START + 2 * DAY, 3) for _ in range(3)]
    assert deleted == [3, 1, 0]
    assert [total.group for total in await sums.totals(START, START + 4 * DAY, "day")] == ["2024-10-06", "2024-10-07"]
    assert len(await table.recent()) == 4


async def test_old_rows_go_and_their_sums_stay(database: Database) -> None:
    """What is not listed any more still counts."""
    table, sums = UsageTable(database), UsageSums(database)
    await table.add([replace(ROW, id=str(day), time=START + day * DAY) for day in range(4)])
    assert [await table.delete_before(START + 2 * DAY, 1) for _ in range(3)] == [1, 1, 0]
    assert [row.id for row in await table.recent()] == ["3", "2"]
    assert [total.requests for total in await sums.totals(START, START + 4 * DAY, "key")] == [4]
