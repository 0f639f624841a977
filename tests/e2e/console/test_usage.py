"""What was used and what it cost, in a real browser."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import state, visited
from tests.support.server import Server, start
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer

pytestmark = pytest.mark.timeout(900)

PRICES = '[prices."up/m"]\nprompt = 1\ncompletion = 2\n'
USAGE = {"prompt_tokens": 1200, "completion_tokens": 34, "total_tokens": 1234}


def reply(request: Request) -> Reply:
    """A short answer, with what it cost."""
    if request.method == "GET":
        return answer(json.dumps({"data": [{"id": "m"}, {"id": "n"}]}))
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    told = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}
    return answer(json.dumps(told))


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an upstream that counts, one of whose models has a price."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(ScriptedUpstream(reply)) as upstream:
        config = f'{PRICES}[[providers]]\nname = "up"\nbase_url = "{upstream.url}"\nmodels = ["m", "n"]\n'
        running, stop = start(tmp_path_factory.mktemp("usage") / "data", config=config)
        yield running
        assert stop() == 0, "".join(running.output)


def test_sums_are_grouped_and_taken_home(browser: Browser, site: Server, owner: dict[str, str], tmp_path: Path) -> None:
    """By model, by key and by provider, with their cost; the file that is downloaded says the same."""
    for name, model, count in (("laptop", "m", 2), ("robot", "n", 1)):
        wish = {"name": name}
        made = requests.post(f"{site.url}/admin/v1/keys", json=wish, headers=site.headers, timeout=60).json()
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        for _ in range(count):
            headers = {"authorization": f"Bearer {made['key']}"}
            asked = requests.post(f"{site.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
            assert asked.status_code == 200, asked.text
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/usage")
        priced = page.get_by_role("row").filter(has=page.get_by_role("cell", name="m", exact=True))
        for text in ("2", "2,400", "68", "0.002536 USD"):
            expect(priced.get_by_role("cell", name=text, exact=True)).to_be_visible()
        page.get_by_role("radiogroup", name="Group by").get_by_text("Key", exact=True).click()
        robot = page.get_by_role("row").filter(has=page.get_by_role("cell", name="robot", exact=True))
        expect(robot.get_by_role("cell", name="1,200", exact=True)).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        download.value.save_as(tmp_path / "usage.csv")
        page.get_by_role("radiogroup", name="Group by").get_by_text("Provider", exact=True).click()
        expect(page.get_by_role("cell", name="up", exact=True)).to_be_visible()
    with (tmp_path / "usage.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert {name: rows[name]["prompt_tokens"] for name in ("laptop", "robot")} == {"laptop": "2400", "robot": "1200"}
