"""The console's texts in a real browser: which are loaded, and when."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.console.visit import state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)

CHUNK = re.compile(r"/assets/(en|zh)\.(\w+)-[\w-]+\.js$")
"""What a chunk of texts is called: its language and its name."""
WATCH = r"""
window.keys = [];
const raw = /^[a-z][A-Za-z]+\.[a-zA-Z_]+$|\{\{/;
const look = (node) => {
  if (node.nodeType === Node.TEXT_NODE && raw.test(node.data.trim())) window.keys.push(node.data);
  for (const child of node.childNodes) look(child);
};
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) {
    if (target.nodeType === Node.TEXT_NODE) look(target);
    for (const node of addedNodes) look(node);
  }
}).observe(document, { childList: true, characterData: true, subtree: true });
"""
"""Takes down whatever is ever shown by its key, or with a place that nothing was put into."""


def loads(page: Page) -> set[tuple[str, str]]:
    """The chunks of texts that a page loads from now on: a set that grows."""
    found: set[tuple[str, str]] = set()

    def note(url: str) -> None:
        if match := CHUNK.search(url):
            found.add((match[1], match[2]))

    page.on("request", lambda request: note(request.url))
    return found


def test_only_what_is_said_is_loaded(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Texts of the language in use and of the pages that are looked at; no key is ever shown in place of a text."""
    with visited(browser, site, storage_state=state(site, owner, language="zh")) as page:
        page.add_init_script(WATCH)
        texts = loads(page)
        page.goto(f"{site.url}/console/")
        expect(page.get_by_role("heading", level=1)).to_have_text("概览")
        expect(page.locator(".chart canvas")).to_be_visible()
        assert texts == {("zh", "common"), ("zh", "overview"), ("zh", "health")}
        page.get_by_role("radiogroup", name="语言").get_by_title("English", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        texts.clear()
        page.get_by_role("link", name="Usage").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Usage")
        assert texts == {("en", "usage")}
        page.get_by_role("radiogroup", name="Language").get_by_title("中文", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("用量")
        assert texts == {("en", "usage"), ("zh", "usage")}
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("用量")
        assert page.evaluate("window.keys") == []


def test_texts_that_cannot_be_loaded(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Are said to be out of reach, in the language that is shown, which stays; asked again, they come."""
    with visited(browser, site, storage_state=state(site, owner, language="en")) as page:
        page.goto(f"{site.url}/console/settings")
        main = page.locator("main")
        language = main.get_by_role("radiogroup", name="Language")
        expect(language).to_be_visible()
        page.route(CHUNK, lambda route: route.abort())
        language.get_by_title("中文", exact=True).click()
        expect(main.get_by_role("alert")).to_have_text("The server cannot be reached.")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        assert page.evaluate("localStorage.getItem('rixin.language')") == '"en"'
        page.unroute(CHUNK)
        language.get_by_title("中文", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("设置")
        expect(main.get_by_role("alert")).to_have_count(0)
