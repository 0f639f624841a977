"""What was used and what it cost, in a real browser."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, expect

from tests.e2e.console.making import grace_of_the_navy, made
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


def ask(site: Server, key: str, model: str) -> None:
    """Has a model answer."""
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": f"Bearer {key}"}
    asked = requests.post(f"{site.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
    assert asked.status_code == 200, asked.text


@pytest.fixture(scope="module")
def robot(site: Server, owner: dict[str, str]) -> str:
    """The key of somebody in a team that has asked once, after another one that has asked twice."""
    grace, navy = grace_of_the_navy(site)
    laptop = made(site, "/keys", name="laptop")["key"]
    ask(site, laptop, "m")
    ask(site, laptop, "m")
    key: str = made(site, "/keys", name="robot", user=grace, team=navy)["key"]
    ask(site, key, "n")
    return key


@pytest.mark.usefixtures("robot")
def test_sums_are_grouped_and_taken_home(browser: Browser, site: Server, owner: dict[str, str], tmp_path: Path) -> None:
    """By model, key, provider, user and team, with their cost; the file that is downloaded says the same."""
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
        for grouping, name in (("User", "Grace"), ("Team", "Navy")):
            page.get_by_role("radiogroup", name="Group by").get_by_text(grouping, exact=True).click()
            row = page.get_by_role("row").filter(has=page.get_by_role("cell", name=name, exact=True))
            expect(row.get_by_role("cell", name="1,200", exact=True)).to_be_visible()
    with (tmp_path / "usage.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert {name: rows[name]["prompt_tokens"] for name in ("laptop", "robot")} == {"laptop": "2400", "robot": "1200"}


def test_the_overview_tells_the_day(browser: Browser, site: Server, owner: dict[str, str], robot: str) -> None:
    """Requests, tokens, spend and failures; what is asked meanwhile is counted without a click."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/")
        told = {
            name: page.locator(".tile", has=page.get_by_text(name, exact=True)).locator("dd")
            for name in ("Requests", "Tokens", "Spend", "Errors")
        }
        expect(told["Requests"]).to_have_text(re.compile(r"^3\D"))
        expect(told["Tokens"]).to_contain_text("3.6K in, 102 out")
        expect(told["Spend"]).to_contain_text("0.00254 USD")
        expect(told["Errors"]).to_contain_text("0 failed")
        ask(site, robot, "m")
        expect(told["Requests"]).to_have_text(re.compile(r"^4\D"))
        expect(told["Spend"]).to_contain_text("0.00380 USD")
