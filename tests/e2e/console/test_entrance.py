"""The first start, setting up and logging in, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import OWNER, PATIENCE, serious, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)


def test_from_the_first_start_to_the_first_answer(browser: Browser, launch: Callable[..., Server]) -> None:
    """The set-up token makes the owner, who asks the embedded model at once and reads in the log what that took."""
    server = launch()
    with visited(browser, server) as page:
        page.goto(f"{server.url}/console/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Set up Rixin")
        assert serious(page) == []
        page.get_by_label("Set-up token").fill((server.data_dir / "setup-token").read_text(encoding="utf-8").strip())
        page.get_by_label("Name", exact=True).fill(OWNER["name"])
        page.get_by_label("E-mail address").fill(OWNER["email"])
        page.get_by_label("Password").fill(OWNER["password"])
        page.get_by_role("button", name="Make the owner").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        page.get_by_role("link", name="Playground", exact=True).click()
        page.get_by_role("textbox", name="Message").fill("Name the capital of France.")
        page.keyboard.press("Enter")
        expect(page.get_by_text("tokens/s")).to_be_visible(timeout=2 * PATIENCE)
        assert "Paris" in page.get_by_role("log").inner_text()
        page.get_by_role("link", name="Requests", exact=True).click()
        expect(page.get_by_text("200", exact=True)).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        page.get_by_label("E-mail address").fill(OWNER["email"])
        page.get_by_label("Password").fill("another one")
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Password").fill(OWNER["password"])
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("navigation")).to_be_visible()
