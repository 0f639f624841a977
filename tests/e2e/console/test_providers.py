"""Providers in the console, in a real browser."""

import re

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import HOSTILE, state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)

NOWHERE = "http://127.0.0.1:9/v1"
"""Where nothing listens: requests are refused at once."""


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
        body = {"model": "lost", "messages": [{"role": "user", "content": HOSTILE}]}
        headers = {"authorization": f"Bearer {site.key}"}
        answer = requests.post(f"{site.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
        assert answer.status_code >= 500
        page.goto(f"{site.url}/console/requests?status=5xx")
        page.get_by_role("table").get_by_role("button").or_(page.locator(".ant-table-row button")).first.click()
        page.get_by_role("button", name="Explain why it failed").click()
        expect(page.get_by_role("alert").first).to_be_visible()
