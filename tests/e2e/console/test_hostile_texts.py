"""Texts that would be markup, wherever the console shows what others wrote."""

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import HOSTILE, state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)


def test_hostile_texts_are_inert(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Names, prompts and answers are shown as they were written, and never run."""
    turn: dict[str, object] = {"images": [], "reasoning": HOSTILE, "error": HOSTILE, "model": HOSTILE, "figures": {}}
    turns: list[dict[str, object]] = [
        {"id": role, "role": role, "text": HOSTILE, **turn} for role in ("user", "assistant")
    ]
    kept: list[dict[str, object]] = [
        {"id": "1", "title": "hostile", "time": 1, "panes": [{"model": "local", "turns": turns}]}
    ]
    headers = {"authorization": f"Bearer {site.key}"}
    made = requests.post(f"{site.url}/admin/v1/keys", json={"name": HOSTILE[:60]}, headers=headers, timeout=60)
    assert made.status_code == 201, made.text
    with visited(browser, site, storage_state=state(site, owner, conversations=kept)) as page:
        page.goto(f"{site.url}/console/keys")
        expect(page.get_by_text(HOSTILE[:60]).first).to_be_visible()
        page.goto(f"{site.url}/console/playground")
        page.get_by_role("button", name="History").click()
        page.get_by_role("button", name="hostile", exact=True).click()
        log = page.get_by_role("log")
        expect(log.locator(".turn-text").first).to_contain_text("onerror")
        log.get_by_text("Reasoning", exact=True).first.click()
        expect(log.locator("details").first).to_contain_text("onerror")
        assert log.locator("img, script, a[href^='javascript']").count() == 0
