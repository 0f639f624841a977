"""The request log in the console, in a real browser."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page, expect

from rixin.store.database import Database
from tests.e2e.console.visit import HOSTILE, SCREENSHOTS, choose, serious, state, visited
from tests.support.databases import served_place
from tests.support.ledger_runs import DAY, DAYS, START, fill
from tests.support.server import Server, start
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer

pytestmark = pytest.mark.timeout(900)

ROWS = 100_000
DEEP = 5_000
"""Rows that are scrolled through in the browser."""
NEWEST = START + DAYS * DAY
"""An instant after the last of them, and before what else is asked here."""
FAILS_EVERY = 50
MOST_DRAWN = 120
"""Rows that are elements of the page at a time."""
RULES = 'profile = { drop_params = ["user"] }\n'
LOG = ".ant-table-tbody-virtual-holder"
SCROLL = f"document.querySelector('{LOG}').scrollBy(0, 20_000)"


async def _fill(data_dir: Path) -> None:
    database = Database(served_place(data_dir))
    await database.prepare()
    await fill(database, ROWS)
    await database.aclose()


def refusal(request: Request) -> Reply:
    """What an upstream says that is never content."""
    if request.method == "GET":
        return answer(json.dumps({"data": [{"id": "refusing"}]}))
    error = {"message": f"invalid temperature: must be at most 1 {HOSTILE}", "type": "invalid_request_error"}
    return answer(json.dumps({"error": error}), status=400)


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a hundred thousand requests in its log, which keeps what failed."""
    data_dir = tmp_path_factory.mktemp("requests") / "data"
    data_dir.mkdir()
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(ScriptedUpstream(refusal)) as upstream:
        portal.call(_fill, data_dir)
        config = f'[server]\nkeep_bodies = "errors"\n[[providers]]\nname = "refusing"\nbase_url = "{upstream.url}"\n'
        running, stop = start(data_dir, config=config + 'models = ["refusing"]\nretries = 0\n' + RULES)
        yield running
        assert stop() == 0, "".join(running.output)


def shown(page: Page) -> int:
    """How many rows the page says that it has."""
    return int(page.locator(".told").inner_text().split(" ")[0].replace(",", ""))


def drawn(page: Page) -> list[int]:
    """The numbers of the rows that are elements of the page, from its top to its end."""
    keys: list[str] = page.evaluate("[...document.querySelectorAll('.ant-table-row')].map((row) => row.dataset.rowKey)")
    return [int(key.split(" ")[1]) for key in keys]


def scroll_until(page: Page, count: int) -> None:
    """Scrolls until the page has so many rows, each time as far as it has any."""
    while shown(page) < count:
        told = page.locator(".told").inner_text()
        page.evaluate(SCROLL)
        expect(page.locator(".told")).not_to_have_text(told)


def test_a_hundred_thousand_requests_scroll(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Pages come as one scrolls, without a gap; few rows are drawn at a time however many there are, and each page's
    time on the server is told. From far down a filter leads to the top of what it finds."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/requests?until={NEWEST}")
        expect(page.get_by_test_id("server-time")).to_contain_text("ms")
        expect(page.locator(".ant-table-row").first).to_be_visible()
        assert drawn(page)[0] == ROWS - 1
        elements = page.locator("*").count()
        for count in range(1_000, DEEP + 1, 1_000):
            scroll_until(page, count)
            rows = drawn(page)
            assert len(rows) < MOST_DRAWN
            assert rows == list(range(rows[0], rows[0] - len(rows), -1))
        assert drawn(page)[0] < ROWS - DEEP // 2
        assert page.locator("*").count() < 2 * elements
        assert serious(page) == []
        choose(page, "Status", "5xx")
        expect(page.locator(f"[data-row-key$=' {ROWS - FAILS_EVERY}']")).to_contain_text("502 upstream_unreachable")
        rows = drawn(page)
        assert rows == list(range(ROWS - FAILS_EVERY, ROWS - FAILS_EVERY * (len(rows) + 1), -FAILS_EVERY))
        scroll_until(page, 1_000)
        assert all(row % FAILS_EVERY == 0 for row in drawn(page))


def test_filters_find_rows_wherever_they_are(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """By model, provider, key or kind of error, and before an instant, which leads to the oldest at once."""
    fits: dict[str, tuple[str, Callable[[int], bool]]] = {
        "Model": ("model-3", lambda row: row // 200 % 10 == 3),
        "Provider": ("provider-2", lambda row: row // 200 % 3 == 2),
        "Key": ("rare", lambda row: row % (ROWS // 10) == ROWS // 20),
        "Kind of error": ("upstream_unreachable", lambda row: row % FAILS_EVERY == 0),
    }
    with visited(browser, site, storage_state=state(site, owner)) as page:
        for label, (wanted, fit) in fits.items():
            page.goto(f"{site.url}/console/requests?until={NEWEST}")
            expect(page.locator(f"[data-row-key$=' {ROWS - 1}']")).to_be_visible()
            page.get_by_label(label, exact=True).fill(wanted)
            page.keyboard.press("Enter")
            expect(page.locator(f"[data-row-key$=' {ROWS - 1}']")).to_have_count(0)
            expect(page.locator(".ant-table-row").nth(9)).to_be_visible()
            rows = drawn(page)
            assert all(map(fit, rows)), (label, rows)
        page.goto(f"{site.url}/console/requests?until=1728010000")
        expect(page.locator(".ant-table-row").first).to_contain_text("04/10/2024")


def test_every_row_is_reached_page_by_page(site: Server) -> None:
    """Keyset pages bring all of them once, whatever filter; the server tells how long each took."""
    seen: set[str] = set()
    times: list[float] = []
    cursor: str | None = None
    while True:
        parameters: dict[str, Any] = {"limit": 1000, "until": 1_900_000_000, **({"before": cursor} if cursor else {})}
        answered = requests.get(f"{site.url}/admin/v1/requests", parameters, headers=site.headers, timeout=120)
        assert answered.status_code == 200, answered.text
        times.append(float(answered.headers["server-timing"].removeprefix("total;dur=")))
        body = answered.json()
        seen.update(row["id"] for row in body["data"])
        cursor = body["next"]
        if cursor is None:
            break
    assert len(seen) >= ROWS
    assert max(times) < 60_000, "a page hangs"


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_a_failed_request_is_explained(
    browser: Browser, site: Server, owner: dict[str, str], language: str, theme: str
) -> None:
    """From the log: where its time went, what was changed, sent and came back, and the field at fault; all text."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    body = {"model": "refusing", "temperature": 1.7, "user": "ann", "messages": [{"role": "user", "content": HOSTILE}]}
    answered = requests.post(f"{site.url}/v1/chat/completions", json=body, headers=site.headers, timeout=120)
    assert answered.status_code == 400, answered.text
    identity = answered.headers["x-request-id"]
    with visited(browser, site, storage_state=state(site, owner, language=language, theme=theme)) as page:
        page.goto(f"{site.url}/console/requests?status=400")
        page.locator(".ant-table-row button").first.click()
        drawer = page.get_by_role("dialog")
        expect(drawer.get_by_text(identity)).to_be_visible()
        expect(drawer.get_by_text("invalid temperature").first).to_be_visible()
        expect(drawer.locator(".gantt-bar").first).to_be_visible()
        came, sent = {"en": ("What the client sent", "What was sent"), "zh": ("客户端发送的内容", "发送的内容")}[
            language
        ]
        expect(drawer.get_by_role("region", name=came, exact=True)).to_contain_text('"user": "ann"')
        drawer.get_by_text(sent, exact=True).first.click()
        attempt = drawer.get_by_role("region", name=sent, exact=True).first
        expect(attempt).to_contain_text("window.hit=1")
        expect(attempt).not_to_contain_text("ann")
        expect(drawer.locator(".ant-tag", has_text="(user)").first).to_be_visible()
        drawer.get_by_role("button", name={"en": "Explain why it failed", "zh": "解释失败原因"}[language]).click()
        cause = drawer.get_by_role("alert")
        expect(cause).to_contain_text("temperature")
        mended = {"en": "brings numbers into their range", "zh": "将数值调整到允许的范围内"}[language]
        expect(cause.get_by_role("listitem")).to_contain_text(mended)
        expect(cause.locator(".ant-tag", has_text="temperature")).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"request-{language}-{theme}.png")
        assert serious(page) == []
        assert drawer.locator("img[src=x], script").count() == 0


def test_what_is_not_kept_is_said_so(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Of a request that did not fail, where bodies are kept of those that do."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/requests?request={ROWS - 1}")
        drawer = page.get_by_role("dialog")
        expect(drawer.get_by_text("asked-")).to_be_visible()
        expect(drawer.get_by_text("Not kept.")).to_be_visible()
        expect(drawer.get_by_text("Sent as it came")).to_be_visible()
        expect(drawer.get_by_role("button", name="Explain why it failed")).to_have_count(0)
