"""Providers in the console, in a real browser."""

import asyncio
import json
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page, expect

from tests.e2e.console.making import made
from tests.e2e.console.visit import HOSTILE, SCREENSHOTS, serious, state, visited
from tests.profiles.strict_upstream import Rules
from tests.support.server import START_DEADLINE, Server
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, Wait, answer, completion
from tests.upstreams.strict import StrictUpstream

pytestmark = pytest.mark.timeout(900)

NOWHERE = "http://127.0.0.1:9/v1"
"""Where nothing listens: requests are refused at once."""
KEYS = ("sk-a-key-that-is-limited-1111", "sk-a-key-that-is-refused-2222")
IMPORTED: dict[str, Any] = {
    "id": "imported",
    "baseUrl": NOWHERE,
    "envKey": "IMPORTED_API_KEY",
    "defaultModel": "imported-model",
    "features": {"mergeSystemMessages": True},
}


class PausingUpstream(StrictUpstream):
    """A strict upstream that answers a few calls, and the others once it may go on."""

    def __init__(self, rules: dict[str, Rules], calls: int) -> None:
        super().__init__(rules)
        self.may_go_on = asyncio.Event()
        self._calls = calls

    def reply_to(self, request: Request) -> Reply:
        """Keeps a request and chooses its reply."""
        reply = super().reply_to(request)
        return reply if len(self.posted) <= self._calls else [Wait(self.may_go_on), *reply]


@contextmanager
def beside(upstream: ScriptedUpstream) -> Generator[ScriptedUpstream]:
    """An upstream in a thread of its own."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(upstream):
        yield upstream


def ask(server: Server, model: str, **fields: Any) -> requests.Response:
    """A chat request."""
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **fields}
    return requests.post(f"{server.url}/v1/chat/completions", json=body, headers=server.headers, timeout=120)


def until_ready(server: Server) -> None:
    """Waits until its own model is loaded: before that a name that nobody serves may still come to be one.

    `/readyz` does not tell, once any other provider can answer.
    """
    deadline = time.monotonic() + START_DEADLINE
    while ask(server, "nobody").status_code != 404:
        assert time.monotonic() < deadline, "the model was never loaded"
        time.sleep(0.1)  # another process tells nobody


def told(server: Server, name: str) -> dict[str, Any]:
    """What the admin API tells of a provider."""
    return requests.get(f"{server.url}/admin/v1/providers/{name}", headers=server.headers, timeout=60).json()


def choose(page: Page, label: str, option: str) -> None:
    """Chooses of a list that can be searched."""
    field = page.get_by_role("combobox", name=label, exact=True)
    field.fill(option)
    page.locator(".ant-select-item-option", has_text=re.compile(f"^{re.escape(option)}$")).click()


def test_a_provider_is_added_and_its_failure_explained(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """From its address; what failed is in the log, with a reason."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/providers")
        page.get_by_role("button", name="Add a provider").click()
        dialog = page.get_by_role("dialog", name="Add a provider")
        dialog.get_by_label("Name").fill("nowhere")
        dialog.get_by_label("Address").fill(NOWHERE)
        dialog.get_by_label("Models").fill("lost")
        page.keyboard.press("Enter")
        expect(dialog.get_by_text(re.compile("^This is "))).to_be_visible()
        dialog.get_by_role("button", name="Add a provider").click()
        expect(page.get_by_role("heading", name="Doctor")).to_be_visible()
        answered = ask(site, "lost", user=HOSTILE[:60])
        assert answered.status_code >= 500
        page.goto(f"{site.url}/console/requests?status=5xx")
        page.locator(".ant-table-row button").first.click()
        page.get_by_role("button", name="Explain why it failed").click()
        expect(page.get_by_role("alert").first).to_be_visible()


def test_what_is_set_by_hand_stays(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """The address tells preset, name and rewrites; a name and rules of one's own outlive every other address."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/providers")
        page.get_by_role("button", name="Add a provider").click()
        dialog = page.get_by_role("dialog", name="Add a provider")
        address, name = dialog.get_by_label("Address"), dialog.get_by_label("Name")
        address.fill("https://token.sensenova.cn/v1")
        expect(dialog.get_by_text("This is SenseNova")).to_be_visible()
        expect(name).to_have_value("sensenova")
        rewrites = dialog.get_by_role("region", name="What is rewritten")
        expect(rewrites).to_contain_text("makes one system message of all and puts it first (preset sensenova)")
        address.fill("https://api.deepseek.com/v1")
        expect(name).to_have_value("deepseek")
        name.fill("by-hand")
        dialog.get_by_role("button", name="Clear and customise").click()
        expect(rewrites).not_to_contain_text("preset deepseek")
        choose(page, "Add a rule", "developer_role")
        dialog.get_by_role("combobox", name="developer_role", exact=True).click()
        page.locator(".ant-select-item-option", has_text="makes system messages of developer messages").click()
        expect(rewrites).to_contain_text("makes system messages of developer messages (settings)")
        assert serious(page) == []
        address.fill(NOWHERE)
        expect(rewrites).to_contain_text("makes system messages of developer messages (settings)")
        expect(name).to_have_value("by-hand")
        dialog.get_by_role("button", name="Add a provider").click()
        expect(page.get_by_role("heading", name="Doctor")).to_be_visible()
        found = told(site, "by-hand")
        assert (found["base_url"], found["preset"]) == (NOWHERE, "generic")
        assert found["profile"] == {"developer_role": "system"}
        page.get_by_role("button", name="Edit").click()
        dialog = page.get_by_role("dialog", name="Edit")
        dialog.get_by_label("Priority").fill("7")
        dialog.get_by_role("button", name="Save").click()
        expect(page.get_by_text("priority 7, weight 1")).to_be_visible()
        changed = told(site, "by-hand")
        assert (changed["profile"], changed["options"]) == ({"developer_role": "system"}, {"priority": 7})
    # As long as it has not told its models, any name may be one of them.
    requests.delete(f"{site.url}/admin/v1/providers/by-hand", headers=site.headers, timeout=60).raise_for_status()


def test_keys_are_told_with_their_rests(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Which rest until when and why, never one whole; an error of the upstream's is text."""

    def reply(request: Request) -> Reply:
        if request.method == "GET":
            return answer(json.dumps({"data": [{"id": "pooled"}]}))
        if KEYS[0] in request.headers["authorization"]:
            error = {"message": HOSTILE, "type": "rate_limit_error"}
            return answer(json.dumps({"error": error}), status=429, retry_after="900")
        error = {"message": HOSTILE, "type": "authentication_error"}
        return answer(json.dumps({"error": error}), status=401)

    with beside(ScriptedUpstream(reply)) as upstream, visited(browser, site, storage_state=state(site, owner)) as page:
        made(site, "/providers", name="pooled", base_url=upstream.url, api_keys=KEYS, models=["pooled", HOSTILE])
        assert ask(site, "pooled").status_code >= 400
        page.goto(f"{site.url}/console/providers?provider=pooled")
        pool = page.get_by_role("region", name="Keys, by now")
        expect(pool.get_by_role("listitem").filter(has_text="...1111")).to_contain_text("rate_limited")
        expect(pool.get_by_role("listitem").filter(has_text="...2222")).to_contain_text("upstream_credential")
        expect(pool).to_contain_text("Rests until")
        expect(page.get_by_role("dialog").get_by_text(HOSTILE)).to_be_visible()
        assert not any(key in page.content() for key in KEYS)
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_text("2 of 2 keys rest")).to_be_visible()


def test_what_the_doctor_finds_is_taken_over(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Findings come one by one; their difference to what is known is chosen from and stored by a click."""
    rules = Rules(refused=frozenset({"seed", "store"}), several_systems=True)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(PausingUpstream({"strict-model": rules}, calls=6)) as upstream,
        visited(browser, site, storage_state=state(site, owner)) as page,
    ):
        made(site, "/providers", name="strict", base_url=upstream.url, models=["strict-model"])
        page.goto(f"{site.url}/console/providers?provider=strict")
        page.get_by_role("button", name="Examine").click()
        row = page.get_by_role("row").filter(has_text="system_policy")
        expect(page.get_by_role("status").filter(has_text=re.compile("Examining: [1-9]"))).to_be_visible()
        expect(page.get_by_role("listitem").filter(has_text="takes it").first).to_be_visible()
        expect(row).to_have_count(0)
        portal.call(upstream.may_go_on.set)
        expect(row).to_contain_text("makes one system message of all", timeout=300_000)
        expect(row.locator("del")).to_have_text("–")
        expect(row.locator("ins")).to_have_text("merge_head")
        assert serious(page) == []
        row.get_by_role("checkbox").uncheck()
        page.get_by_role("button", name=re.compile("^Take over")).click()
        expect(page.get_by_text("Taken over: it counts for the next request.")).to_be_visible()
        (override,) = told(site, "strict")["overrides"]
        assert override["profile"]["drop_params"] == ["seed", "store"]
        assert "system_policy" not in override["profile"]


def test_what_was_learned_is_forgotten(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """A fix that a refusal taught is listed with what it does, and goes when it is told to."""
    rules = Rules(refused=frozenset({"seed"}))
    with (
        beside(StrictUpstream({"taught": rules})) as upstream,
        visited(browser, site, storage_state=state(site, owner)) as page,
    ):
        made(site, "/providers", name="teacher", base_url=upstream.url, models=["taught"])
        assert ask(site, "taught", seed=7).status_code == 200
        page.goto(f"{site.url}/console/providers?provider=teacher")
        learned = page.get_by_role("region", name="Learned fixes")
        expect(learned).to_contain_text("never sends seed")
        learned.get_by_role("button", name="Forget seed of taught").click()
        expect(learned).to_contain_text("Nothing yet.")


def test_providers_are_imported(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """mimo2codex's file is shown before anything is stored; then what is chosen is added, with its key."""
    hostile = {**IMPORTED, "id": "other", "defaultModel": HOSTILE}
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/providers")
        page.get_by_role("button", name="Import").click()
        dialog = page.get_by_role("dialog", name="Import")
        dialog.get_by_label("The configuration").fill("{")
        dialog.get_by_role("button", name="Show what would be added").click()
        expect(dialog.get_by_role("alert")).to_contain_text("not valid JSON")
        dialog.get_by_label("The configuration").fill(json.dumps({"providers": [IMPORTED, hostile]}))
        dialog.get_by_role("button", name="Show what would be added").click()
        expect(dialog.get_by_text(HOSTILE)).to_be_visible()
        expect(dialog.get_by_role("row").filter(has_text="imported-model")).to_contain_text("system_policy")
        assert serious(page) == []
        dialog.get_by_role("checkbox", name="other", exact=True).uncheck()
        dialog.get_by_label("Keys of imported").fill("sk-imported-key-3333")
        dialog.get_by_role("button", name="Add 1 provider").click()
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("row").filter(has_text="imported")).to_contain_text("...3333")
        found = told(site, "imported")
        assert (found["models"], found["profile"]["system_policy"]) == (["imported-model"], "merge_head")
        assert told(site, "other")["error"]["type"] == "not_found"


def test_a_provider_is_disabled_enabled_and_deleted(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """It is not asked while it is disabled, and gone once it is deleted."""

    def reply(request: Request) -> Reply:
        listed = answer(json.dumps({"data": [{"id": "switched"}]}))
        return listed if request.method == "GET" else answer(completion(model="switched"))

    with beside(ScriptedUpstream(reply)) as upstream, visited(browser, site, storage_state=state(site, owner)) as page:
        until_ready(site)
        made(site, "/providers", name="switched", base_url=upstream.url, models=["switched"])
        page.goto(f"{site.url}/console/providers")
        switch = page.get_by_role("switch", name="Enabled: switched")
        expect(switch).to_be_checked()
        assert ask(site, "switched").status_code == 200
        switch.click()
        expect(page.get_by_role("row").filter(has_text="switched")).to_contain_text("Disabled")
        assert ask(site, "switched").status_code == 404
        switch.click()
        expect(page.get_by_role("row").filter(has_text="switched")).to_contain_text("Served")
        assert ask(site, "switched").status_code == 200
        page.get_by_role("button", name="switched", exact=True).click()
        page.get_by_role("button", name="Delete").click()
        page.get_by_role("tooltip").get_by_role("button", name="Delete").click()
        expect(page.get_by_role("switch", name="Enabled: switched")).to_have_count(0)


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_a_provider_is_shown_without_barriers(
    browser: Browser, site: Server, owner: dict[str, str], language: str, theme: str
) -> None:
    """Its page in each language and theme."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    name = f"shown-{language}"
    made(
        site, "/providers", name=name, base_url=NOWHERE, api_keys=KEYS, models=["m"], profile={"drop_params": ["seed"]}
    )
    with visited(browser, site, storage_state=state(site, owner, language=language, theme=theme)) as page:
        page.goto(f"{site.url}/console/providers?provider={name}")
        expect(page.get_by_text({"en": "never sends seed", "zh": "从不发送 seed"}[language])).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"provider-{language}-{theme}.png")
        assert serious(page) == []
