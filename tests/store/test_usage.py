"""Usage rows as they are stored."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import delete

from rixin.store.database import Database
from rixin.store.schema import usage
from rixin.store.usage import UsageTable
from rixin.store.usage_row import UsageRow

DAY = 86400.0

ROW = UsageRow(
    time=20_000 * DAY + 0.1,
    id="request-1",
    key_id="key_1",
    key_name="Ada",
    user_id="user_1",
    team_id="team_1",
    dialect="openai_chat",
    operation="generate",
    model_asked="gpt-5",
    model="local",
    provider="llama_cpp",
    status=200,
    error=None,
    stream=True,
    prompt_tokens=5,
    completion_tokens=4,
    cached_tokens=3,
    reasoning_tokens=2,
    knowledge_tokens=1,
    estimated=True,
    queue_ms=None,
    first_token_ms=1.5,
    total_ms=2.5,
    changes="seed(ignored)",
    cost=12,
    currency="CNY",
    price_prompt=1_000_000,
    price_completion=2_000_000,
    price_cached=500_000,
    price_request=10,
)


def test_the_struct_and_the_table_agree() -> None:
    """Rows are written as tuples, so the table's columns are the struct's fields in their order."""
    assert [column.name for column in usage.columns] == [*UsageRow.__struct_fields__]


async def test_a_row_comes_back_as_it_was(database: Database) -> None:
    """Every field survives, whichever of them are set."""
    table = UsageTable(database)
    bare = UsageRow(
        time=1.0, id="", key_id="", key_name="", dialect="", operation="", model_asked="", model="", provider="",
        status=400, error="invalid_request", total_ms=0.0,
    )  # fmt: skip
    await table.add([ROW, bare])
    assert await table.recent() == [ROW, bare]


async def test_a_row_written_twice_counts_once(database: Database) -> None:
    """A batch may be written again when nobody knows whether it was; a client's own request id may come again."""
    table = UsageTable(database)
    await table.add([ROW])
    again = replace(ROW, time=ROW.time + 0.001)
    await table.add([ROW, again])
    assert await table.recent() == [again, ROW]


async def test_a_batch_is_stored_whole_or_not_at_all(database: Database) -> None:
    """A row that cannot be stored takes its batch with it, for the caller to try the others."""
    table = UsageTable(database)
    with pytest.raises(OverflowError):
        await table.add([ROW, replace(ROW, id="2", prompt_tokens=2**51)])
    with pytest.raises(UnicodeEncodeError):
        await table.add([ROW, replace(ROW, id="3", model_asked="\ud800")])
    assert await table.recent() == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(times=st.lists(st.sampled_from([1.0, 1.5, 2.0]), max_size=12), limit=st.integers(min_value=1, max_value=5))
async def test_pages_join_without_gap_or_overlap(database: Database, times: list[float], limit: int) -> None:
    """Going on from the last row of each page shows every row once, the latest first, though many share an instant."""
    async with database.begin() as connection:
        await connection.execute(delete(usage))
    rows = [replace(ROW, time=time, id=str(number)) for number, time in enumerate(times)]
    table = UsageTable(database)
    await table.add(rows)
    seen: list[UsageRow] = []
    before = None
    while page := await table.recent(limit=limit, before=before):
        assert len(page) <= limit
        seen += page
        before = (page[-1].time, page[-1].id)
    assert seen == sorted(rows, key=lambda row: (row.time, row.id), reverse=True)
