"""The request log over the admin API."""

import time

import pytest

from rixin.engines.trace import Keeping, Trace
from rixin.errors import Kind, RixinError
from rixin.settings import Server
from rixin.store.usage_row import UsageRow
from tests.web.admin.site import AdminSite, admin_site

pytestmark = pytest.mark.asyncio(loop_scope="module")


def record(site: AdminSite, request_id: str, at: float, failure: Kind | None = None, **fields: object) -> None:
    """A request of one call."""
    status = 200 if failure is None else RixinError(failure, "").status
    row = UsageRow(
        time=at, id=request_id, key_id=str(fields.get("key", "key_1")), key_name="Ada", dialect="openai_chat",
        operation="generate", model_asked=str(fields.get("asked", "gpt")), model=str(fields.get("model", "m")),
        provider="p", status=status, error=None if failure is None else failure.value, total_ms=5.0,
    )  # fmt: skip
    trace = Trace(site.services.clock, site.services.clock.monotonic(), Keeping(bodies=True))
    attempt = trace.on_attempt("p", "openai_chat", "m", b'{"messages":["hello"],"api_key":"x"}')
    attempt.on_answer(status, {"x-request-id": "up-1"})
    attempt.on_data(b'{"error":"No."}')
    attempt.on_end(None if failure is None else RixinError(failure, "No."))
    site.services.requests.record(row, trace, b'{"messages":["hello"]}')


async def test_requests_are_listed_and_filtered(fresh_site: AdminSite) -> None:
    """The latest first, by key, either model name, status or its class, kind of error and time."""
    record(fresh_site, "a", 1.0)
    record(fresh_site, "b", 2.0, Kind.RATE_LIMITED, key="key_2")
    record(fresh_site, "c", 3.0, Kind.UPSTREAM_INVALID, model="other")
    expected = {
        "": ["c", "b", "a"],
        "key=key_2": ["b"],
        "model=other": ["c"],
        "model=gpt": ["c", "b", "a"],
        "status=429": ["b"],
        "status=5xx": ["c"],
        "status=2xx": ["a"],
        "error=rate_limited": ["b"],
        "since=2&until=3": ["b"],
        "key=key_1&status=4xx": [],
    }
    for query, ids in expected.items():
        answer = await fresh_site.ask("GET", f"/requests?{query}")
        assert [row["id"] for row in answer.body["data"]] == ids, query
    row = (await fresh_site.ask("GET", "/requests?status=429")).body["data"][0]
    assert (row["key_id"], row["status"], row["error"], row["attempt_count"]) == ("key_2", 429, "rate_limited", 1)
    assert row["bodies_size"] == 0


async def test_pages_go_on_where_they_ended(fresh_site: AdminSite) -> None:
    """`next` leads through all of them, ten thousand as fast as ten; the time is shown."""
    for number in range(10_000):
        record(fresh_site, f"{number:05}", float(number // 7))
    began = time.perf_counter()
    seen: list[str] = []
    query = "limit=1000"
    pages = 0
    while True:
        page = (await fresh_site.ask("GET", f"/requests?{query}")).body
        seen += [row["id"] for row in page["data"]]
        pages += 1
        if page["next"] is None:
            break
        query = f"limit=1000&before={page['next']}"
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 10_000
    took = time.perf_counter() - began
    print(f"{pages} pages of 1000 took {took:.2f} s, the writing included")  # noqa: T201 - a figure to read


@pytest.mark.parametrize(
    ("query", "param"),
    [("status=abc", "status"), ("status=6xx", "status"), ("error=bad", "error"), ("limit=0", "limit"),
     ("before=x", "before"), ("since=-1", "since")],
)  # fmt: skip
async def test_a_wrong_filter_is_named(site: AdminSite, query: str, param: str) -> None:
    """With the parameter that is at fault."""
    answer = await site.ask("GET", f"/requests?{query}")
    assert (answer.status, answer.body["error"]["param"]) == (400, param)


async def test_a_request_is_shown_with_its_calls(fresh_site: AdminSite) -> None:
    """All that is known of it; without bodies where none are kept; an unknown one is a 404."""
    record(fresh_site, "a:1", 1.0, Kind.RATE_LIMITED)
    answer = await fresh_site.ask("GET", "/requests/a:1")
    assert answer.status == 200
    assert answer.body["error"] == "rate_limited"
    assert answer.body["body"] is None
    (attempt,) = answer.body["attempts"]
    assert (attempt["engine"], attempt["status"], attempt["error"], attempt["upstream_id"]) == (
        "p", 429, "rate_limited", "up-1",
    )  # fmt: skip
    assert (attempt["sent"], attempt["answer"]) == (None, None)
    assert (await fresh_site.ask("GET", "/requests/none")).status == 404


async def test_kept_bodies_are_shown_redacted(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Those of the client, of each call, and of its error."""
    folder = tmp_path_factory.mktemp("kept")
    async with admin_site(folder, Server(data_dir=folder, keep_bodies="errors")) as site:
        record(site, "a", 1.0, Kind.RATE_LIMITED)
        record(site, "b", 2.0)
        shown = (await site.ask("GET", "/requests/a")).body
        assert shown["body"] == '{"messages":["hello"]}'
        assert shown["attempts"][0]["sent"] == '{"messages":["hello"],"api_key":"[redacted]"}'
        assert shown["attempts"][0]["answer"] == '{"error":"No."}'
        assert (await site.ask("GET", "/requests/b")).body["body"] is None
        sizes = [row["bodies_size"] > 0 for row in (await site.ask("GET", "/requests")).body["data"]]
        assert sizes == [False, True]
