"""Usage over the admin API: who may ask for whose, and files for spreadsheets."""

import csv
import io
from typing import Any

import pytest

from rixin.store.usage_row import UsageRow
from tests.web.admin.site import AdminSite

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROW = UsageRow(
    time=1_700_000_000.0, id="r0", key_id="key_1", key_name="one", dialect="openai_chat", operation="generate",
    model_asked="gpt-5", model="m0", provider="up", status=200, prompt_tokens=10, completion_tokens=5, total_ms=2.0,
)  # fmt: skip


def keep(site: AdminSite, **fields: Any) -> None:
    """Records a request like the usual one."""
    known = {name: getattr(ROW, name) for name in UsageRow.__struct_fields__}
    site.services.ledger.record(UsageRow(**known | fields))


async def lines(site: AdminSite, path: str) -> list[dict[str, str]]:
    """The lines of a file by its columns."""
    answer = await site.ask("GET", path)
    assert answer.status == 200, answer
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="usage')
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


async def test_all_requests_come_in_one_file(fresh_site: AdminSite) -> None:
    """However many pages the list of them has; a name that a client chose is no formula."""
    for number in range(2500):
        keep(fresh_site, id=f"r{number:04}", time=ROW.time + number)
    keep(fresh_site, id="=cmd()", time=ROW.time + 9999, model_asked='say "hi", you')
    found = await lines(fresh_site, "/usage/recent.csv")
    assert len(found) == 2501
    assert (found[0]["id"], found[0]["model_asked"]) == ("'=cmd()", 'say "hi", you')
    assert [row["id"] for row in found[1:]] == [f"r{number:04}" for number in reversed(range(2500))]
    assert found[-1]["cost"] == "0"


async def test_sums_come_as_a_file_too(fresh_site: AdminSite) -> None:
    """The same figures as the JSON has."""
    keep(fresh_site)
    keep(fresh_site, id="r1", model="m1", error="internal", status=500)
    query = f"since={ROW.time}&until={ROW.time + 1}&group_by=model"
    found = await lines(fresh_site, f"/usage/summary.csv?{query}")
    summary = (await fresh_site.ask("GET", f"/usage/summary?{query}")).body["data"]
    assert found == [{name: str(value) for name, value in row.items()} for row in summary]
    assert [(row["group"], row["requests"], row["errors"]) for row in found] == [("m0", "1", "0"), ("m1", "1", "1")]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("key=key_2", ["r1"]),
        ("user=u1", ["r2"]),
        ("team=t1", ["r3"]),
        ("model=m1", ["r4"]),
        ("model=opus", ["r5"]),
        ("provider=down", ["r6"]),
        ("status=5xx", ["r7"]),
        ("error=interrupted", ["r8"]),
        (f"since={ROW.time + 9}", ["r9"]),
        (f"until={ROW.time + 1}", ["r0"]),
        ("key=key_2&user=u1", []),
    ],
)
async def test_requests_are_found_by_whatever_is_known_of_them(
    fresh_site: AdminSite, query: str, ids: list[str]
) -> None:
    """Key, user, team, model by either name, provider, status, error and time; in lists and files alike."""
    others: list[dict[str, object]] = [
        {}, {"key_id": "key_2"}, {"user_id": "u1"}, {"team_id": "t1"}, {"model": "m1"}, {"model_asked": "opus"},
        {"provider": "down"}, {"status": 502, "error": "upstream_invalid"}, {"status": 0, "error": "interrupted"}, {},
    ]  # fmt: skip
    for number, fields in enumerate(others):
        keep(fresh_site, id=f"r{number}", time=ROW.time + number, **fields)
    page = (await fresh_site.ask("GET", f"/usage/recent?{query}")).body
    assert [row["id"] for row in page["data"]] == ids
    assert [row["id"] for row in await lines(fresh_site, f"/usage/recent.csv?{query}")] == ids
