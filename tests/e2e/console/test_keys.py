"""Keys in the console, in a real browser."""

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)


def test_a_key_is_made_used_and_disabled(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """It is shown once, and counts until it is disabled."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/keys")
        page.get_by_role("button", name="Create a key").click()
        dialog = page.get_by_role("dialog", name="Create a key")
        dialog.get_by_label("Name").fill("laptop")
        dialog.get_by_role("button", name="Create a key").click()
        shown = page.get_by_role("region", name="API key")
        expect(shown).to_be_visible()
        key = shown.inner_text().strip()
        page.get_by_role("button", name="Done").click()
        expect(page.get_by_text(key)).to_have_count(0)
        headers = {"authorization": f"Bearer {key}"}
        assert requests.get(f"{site.url}/v1/models", headers=headers, timeout=60).status_code == 200
        switch = page.get_by_role("switch", name="Enabled: laptop")
        switch.click()
        expect(switch).not_to_be_checked()
        assert requests.get(f"{site.url}/v1/models", headers=headers, timeout=60).status_code == 401
