"""The description of the API in a real browser."""

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import SCREENSHOTS, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)


def test_the_description_is_shown(browser: Browser, site: Server) -> None:
    """Of both halves of the API, by files of this server alone and within the page's policy."""
    with visited(browser, site) as page:
        page.goto(f"{site.url}/docs")
        for path in ("/admin/v1/providers", "/v1/chat/completions"):
            page.get_by_placeholder("Filter by tag or path").fill(path)
            expect(page.locator(f".opblock-summary-path[data-path='{path}']").first).to_be_visible()
        page.locator(".opblock-summary-path[data-path='/v1/chat/completions']").first.click()
        expect(page.locator(".opblock-body").get_by_text("Responses", exact=True).first).to_be_visible()
        page.screenshot(path=SCREENSHOTS / "api-reference.png")
