"""Keys in the console, in a real browser."""

import time

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.console.making import grace_of_the_navy, made
from tests.e2e.console.visit import SCREENSHOTS, choose, serious, state, visited
from tests.e2e.test_native import encode_jwt_token
from tests.support.hang import HANG
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)

LAST_USED = 4
"""The column that tells it."""


def models(site: Server, key: str) -> int:
    """The status of a question that any key may ask."""
    return requests.get(f"{site.url}/v1/models", headers={"authorization": f"Bearer {key}"}, timeout=60).status_code


def maker(page: Page, site: Server) -> Locator:
    """The form for a new key."""
    page.goto(f"{site.url}/console/keys")
    page.get_by_role("button", name="Create a key").click()
    return page.get_by_role("dialog", name="Create a key")


def shown(page: Page, name: str) -> str:
    """What is shown once."""
    region = page.get_by_role("region", name=name, exact=True)
    expect(region).to_be_visible()
    return region.inner_text().strip()


def test_a_key_is_made_used_and_disabled(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """It is shown once and copied, has the scopes and the plan that were chosen, and counts until it is disabled; it
    counts again when it is enabled, until it is deleted."""
    clipboard = ["clipboard-read", "clipboard-write"]
    with visited(browser, site, storage_state=state(site, owner), permissions=clipboard) as page:
        dialog = maker(page, site)
        dialog.get_by_label("Name").fill("laptop")
        choose(dialog, "Scopes", "metrics: read metrics")
        choose(dialog, "Plan", "sensenova-token-plan")
        dialog.get_by_role("button", name="Create a key").click()
        key = shown(page, "API key")
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == key
        page.get_by_role("button", name="Done").click()
        expect(page.get_by_text(key)).to_have_count(0)
        row = page.get_by_role("row", name="laptop")
        expect(row).to_contain_text("sensenova-token-plan")
        last_used = row.get_by_role("cell").nth(LAST_USED)
        expect(last_used).to_have_text("–")
        assert models(site, key) == 200
        metrics = requests.get(f"{site.url}/metrics", headers={"authorization": f"Bearer {key}"}, timeout=60)
        assert metrics.status_code == 200
        switch = page.get_by_role("switch", name="Enabled: laptop")
        switch.click()
        expect(switch).not_to_be_checked()
        assert models(site, key) == 401
        switch.click()
        expect(switch).to_be_checked()
        assert models(site, key) == 200
        until = time.monotonic() + HANG
        while last_used.inner_text() == "–":  # it is written now and then
            assert time.monotonic() < until
            page.reload()
            expect(switch).to_be_visible()
        page.get_by_role("button", name="Delete laptop").click()
        page.get_by_role("tooltip").get_by_role("button", name="Delete", exact=True).click()
        expect(switch).to_have_count(0)
        assert models(site, key) == 401


def test_a_key_is_kept_to_what_its_maker_chooses(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """User, team, models, dialects, networks and a life; a network that is none is refused at its field."""
    grace_of_the_navy(site)
    with visited(browser, site, storage_state=state(site, owner)) as page:
        dialog = maker(page, site)
        dialog.get_by_label("Name").fill("kept")
        choose(dialog, "For the user", "Grace · grace@example.com")
        choose(dialog, "For the team", "Navy")
        choose(dialog, "Expires", "in 7 days")
        choose(dialog, "Models", "local")
        choose(dialog, "Dialects", "Messages")
        networks = dialog.get_by_label("Networks")
        networks.fill("everywhere ")
        dialog.get_by_role("button", name="Create a key").click()
        expect(dialog.get_by_text("networks[0] must be an address").first).to_be_visible()
        networks.press("Backspace")
        networks.fill("127.0.0.0/8 ")
        assert serious(page) == []
        page.screenshot(path=SCREENSHOTS / "keys-maker.png")
        dialog.get_by_role("button", name="Create a key").click()
        key = shown(page, "API key")
        page.get_by_role("button", name="Done").click()
        row = page.get_by_role("row", name="kept")
        for text in ("Grace", "Navy", "local", "Messages", "127.0.0.0/8"):
            expect(row).to_contain_text(text)
        page.screenshot(path=SCREENSHOTS / "keys-kept.png")
    asked = {"model": "local", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    answer = requests.post(
        f"{site.url}/v1/chat/completions", json=asked, headers={"authorization": f"Bearer {key}"}, timeout=60
    )
    assert answer.status_code == 403


def test_an_access_key_is_a_pair(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Both halves are shown once, and a token that is signed with them counts; the id stays in the list."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        dialog = maker(page, site)
        dialog.get_by_label("Name").fill("pair")
        choose(dialog, "Kind", "Access key")
        dialog.get_by_role("button", name="Create a key").click()
        identity, secret = shown(page, "Access key id"), shown(page, "Secret access key")
        assert models(site, encode_jwt_token(identity, secret)) == 200
        page.get_by_role("button", name="Done").click()
        expect(page.get_by_text(secret)).to_have_count(0)
        expect(page.get_by_role("row", name="pair").get_by_text(identity)).to_be_visible()


def test_a_key_gives_no_more_than_its_maker_has(browser: Browser, site: Server) -> None:
    """A member is offered no scope of the admins; what the server refuses it says at the field."""
    password = "a password of some length"
    made(site, "/users", email="joan@example.com", name="Joan", role="member", password=password)
    team = made(site, "/teams", name="Strangers")
    answer = requests.post(
        f"{site.url}/admin/v1/login", json={"email": "joan@example.com", "password": password}, timeout=60
    )
    cookies = {cookie.name: cookie.value or "" for cookie in answer.cookies}
    with visited(browser, site, storage_state=state(site, cookies)) as page:
        # She sees no team that she is not in: the page is told of one, as a list may be that has changed since.
        page.route("**/admin/v1/teams?*", lambda route: route.fulfill(json={"data": [team], "next": None}))
        dialog = maker(page, site)
        dialog.get_by_label("Name").fill("wide")
        dialog.get_by_label("Scopes").click()
        expect(page.locator(".ant-select-item-option")).to_have_count(1)
        page.keyboard.press("Escape")
        choose(dialog, "For the team", "Strangers")
        dialog.get_by_role("button", name="Create a key").click()
        expect(dialog.get_by_text("There is no such user or team").first).to_be_visible()
