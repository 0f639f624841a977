"""The request log as it is stored."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import text

from rixin.store.database import Database
from rixin.store.requests import ListedRequest, RequestDetail, RequestTable, UsageFilter
from rixin.store.usage import UsageTable
from rixin.store.usage_row import UsageRow

ROW = UsageRow(
    time=1000.0, id="r", key_id="key_1", key_name="Ada", dialect="openai_chat", operation="generate", model_asked="gpt",
    model="local", provider="p", status=200, total_ms=5.0,
)  # fmt: skip
EVERY = UsageFilter()


def detail(row: UsageRow, bodies: bytes | None = None) -> RequestDetail:
    """A detail of a row."""
    return RequestDetail(time=row.time, id=row.id, attempts="[{}]", attempt_count=1, bodies=bodies)


async def fill(database: Database, rows: list[UsageRow], details: list[RequestDetail]) -> RequestTable:
    """A log of these."""
    await UsageTable(database).add(rows)
    table = RequestTable(database)
    await table.add(details)
    return table


async def test_a_request_is_found_with_its_detail(database: Database) -> None:
    """By its id, whole; one without a detail is found too, and an unknown one is not."""
    bare = replace(ROW, id="bare")
    table = await fill(database, [ROW, bare], [detail(ROW, b"sealed")])
    assert await table.find("r") == (ROW, detail(ROW, b"sealed"))
    assert await table.find("bare") == (bare, None)
    assert await table.find("none") is None


async def test_of_equal_ids_the_latest_is_found(database: Database) -> None:
    """Clients may choose ids; each row keeps its own detail."""
    later = replace(ROW, time=ROW.time + 1)
    table = await fill(database, [ROW, later], [detail(ROW, b"1"), detail(later, b"2")])
    assert await table.find("r") == (later, detail(later, b"2"))


async def test_a_detail_written_twice_is_there_once(database: Database) -> None:
    """A batch may be written again when nobody knows whether it was."""
    table = await fill(database, [ROW], [detail(ROW, b"1"), detail(ROW, b"2")])
    assert await table.find("r") == (ROW, detail(ROW, b"1"))


FAILED = {
    "ok": replace(ROW, id="ok", time=1.0),
    "limited": replace(ROW, id="limited", time=2.0, status=429, error="rate_limited", key_id="key_2"),
    "broken": replace(ROW, id="broken", time=3.0, status=502, error="upstream_invalid", model="other"),
    "late": replace(ROW, id="late", time=4.0, status=200, error="upstream_interrupted", model_asked="other"),
}


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (UsageFilter(), ["late", "broken", "limited", "ok"]),
        (UsageFilter(key_id="key_2"), ["limited"]),
        (UsageFilter(model="other"), ["late", "broken"]),
        (UsageFilter(least_status=200, most_status=200), ["late", "ok"]),
        (UsageFilter(least_status=400, most_status=499), ["limited"]),
        (UsageFilter(least_status=400), ["broken", "limited"]),
        (UsageFilter(error="upstream_invalid"), ["broken"]),
        (UsageFilter(since=2.0, until=4.0), ["broken", "limited"]),
        (UsageFilter(key_id="key_1", model="other", error="upstream_interrupted"), ["late"]),
        (UsageFilter(key_id="nobody"), []),
    ],
)
async def test_requests_are_filtered(database: Database, wanted: UsageFilter, ids: list[str]) -> None:
    """By key, either name of the model, status, kind of error and time, all of which must fit."""
    table = await fill(database, list(FAILED.values()), [detail(FAILED["late"], b"12345")])
    listed = await table.list(wanted)
    assert [request.usage.id for request in listed] == ids
    assert [request.usage for request in listed] == [FAILED[name] for name in ids]
    for request in listed:
        assert (request.attempts, request.bodies_size) == ((1, 5) if request.usage.id == "late" else (None, 0))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(times=st.lists(st.sampled_from([1.0, 1.5, 2.0]), max_size=12), limit=st.integers(min_value=1, max_value=5))
async def test_pages_join_without_gap_or_overlap(database: Database, times: list[float], limit: int) -> None:
    """Going on from the last row of each page shows every fitting row once, though many share an instant."""
    async with database.begin() as connection:
        await connection.execute(text("DELETE FROM usage"))
    rows = [
        replace(ROW, time=at, id=str(number), error="internal" if number % 3 else None)
        for number, at in enumerate(times)
    ]
    table = await fill(database, rows, [])
    seen: list[UsageRow] = []
    before = None
    while page := await table.list(UsageFilter(error="internal"), limit=limit, before=before):
        assert len(page) <= limit
        seen += [request.usage for request in page]
        before = (seen[-1].time, seen[-1].id)
    fitting = [row for row in rows if row.error]
    assert seen == sorted(fitting, key=lambda row: (row.time, row.id), reverse=True)


async def test_old_details_are_deleted_in_portions(database: Database) -> None:
    """The oldest first, as many as were said; usage stays."""
    rows = [replace(ROW, id=str(number), time=float(number)) for number in range(10)]
    table = await fill(database, rows, [detail(row) for row in rows])
    assert [await table.delete_before(7.0, 5) for _ in range(3)] == [5, 2, 0]
    listed = await table.list(EVERY)
    assert [(request.usage.id, request.attempts) for request in listed] == [
        (str(number), 1 if number >= 7 else None) for number in reversed(range(10))
    ]


async def test_old_bodies_are_dropped_in_portions(database: Database) -> None:
    """The oldest first, with the bytes that it freed; attempts stay."""
    rows = [replace(ROW, id=str(number), time=float(number)) for number in range(5)]
    bodies = [b"x" * (number * 10) or None for number in range(5)]
    table = await fill(database, rows, [detail(row, body) for row, body in zip(rows, bodies, strict=True)])
    assert await table.bodies_size() == 100
    assert [await table.drop_bodies(2) for _ in range(3)] == [30, 70, 0]
    assert await table.bodies_size() == 0
    assert await table.list(EVERY) == [ListedRequest(row, 1, 0) for row in reversed(rows)]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (EVERY, "PRIMARY KEY"),
        (UsageFilter(key_id="k"), "usage_by_key"),
        (UsageFilter(error="internal"), "usage_failed"),
        (UsageFilter(least_status=500), "usage_failed"),
        (UsageFilter(provider="p"), "usage_by_provider"),
        (UsageFilter(user_id="u"), "usage_by_user"),
        (UsageFilter(team_id="t"), "usage_by_team"),
    ],
)
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_page_is_read_by_an_index(
    database: Database, wanted: UsageFilter, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No list is sorted, and none that asks for a key or for failures reads the other requests."""
    table = await fill(database, [ROW], [])
    plans: list[str] = []
    from sqlalchemy.ext.asyncio import AsyncConnection

    execute = AsyncConnection.execute

    async def explained(self: AsyncConnection, query: object) -> object:
        compiled = str(query.compile(compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]
        rows = await execute(self, text(f"EXPLAIN QUERY PLAN {compiled}"))
        plans.extend(row[-1] for row in rows)
        return await execute(self, query)  # type: ignore[arg-type]

    monkeypatch.setattr(AsyncConnection, "execute", explained)
    await table.list(wanted, before=(2000.0, "x"))
    assert index in plans[0]
    assert not any("TEMP B-TREE" in plan for plan in plans), plans


async def test_paging_through_ten_thousand(database: Database) -> None:
    """Every page costs the same; the time is shown, and bound by a hang limit only."""
    rows = [replace(ROW, id=f"{number:06}", time=float(number // 3)) for number in range(10_000)]
    table = await fill(database, rows, [detail(row, b"x" * 500) for row in rows])
    began = time.perf_counter()
    before, seen = None, 0
    while page := await table.list(EVERY, limit=100, before=before):
        seen += len(page)
        before = (page[-1].usage.time, page[-1].usage.id)
    took = time.perf_counter() - began
    assert seen == 10_000
    print(f"100 pages of 100 took {took:.3f} s")  # noqa: T201 - a figure to read, not to assert
