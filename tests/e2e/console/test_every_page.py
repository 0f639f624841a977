"""Every page of the console in a real browser: languages, themes, barriers and weight."""

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import SCREENSHOTS, serious, state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)
FIRST_LOAD = 380_000
"""Bytes of the overview's first load, compressed; 366,000 when this was written."""
PAGES = {
    "": ("Overview", "概览"),
    "playground": ("Playground", "体验"),
    "keys": ("Keys", "密钥"),
    "models": ("Models", "模型"),
    "providers": ("Providers", "上游"),
    "requests": ("Requests", "请求"),
    "usage": ("Usage", "用量"),
    "files": ("Files", "文件"),
    "knowledge": ("Knowledge", "知识库"),
    "connect": ("Connect", "接入"),
    "skills": ("Skills", "技能"),
    "team": ("Team", "团队"),
    "settings": ("Settings", "设置"),
    "no/such/page": (None, None),
}
LANGUAGES = ("en", "zh")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page(browser: Browser, site: Server, owner: dict[str, str], language: str, theme: str) -> None:
    """Shows itself in each language and theme, without serious barriers."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    findings: dict[str, list[str]] = {}
    with visited(browser, site, storage_state=state(site, owner, language=language, theme=theme)) as page:
        for path, names in PAGES.items():
            page.goto(f"{site.url}/console/{path}")
            title = names[LANGUAGES.index(language)]
            if title is not None:
                expect(page.get_by_role("heading", level=1)).to_have_text(title)
            expect(page.locator("[role=status]")).to_have_count(0)
            assert page.locator("html").get_attribute("lang") == language
            assert page.locator("html").get_attribute("data-theme") == theme
            page.wait_for_load_state("networkidle")
            page.screenshot(path=SCREENSHOTS / f"{path.replace('/', '-') or 'overview'}-{language}-{theme}.png")
            if found := serious(page):
                findings[path] = found
    assert findings == {}


def test_the_theme_follows_the_system(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Unless the user has chosen one."""
    with visited(browser, site, storage_state=state(site, owner), color_scheme="dark") as page:
        page.goto(f"{site.url}/console/keys")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.emulate_media(color_scheme="light")
        expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_the_keyboard_reaches_the_content(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """The first stop skips the navigation."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/keys")
        expect(page.get_by_role("heading", level=1)).to_have_text("Keys")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()


def test_the_first_load_is_small(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """All that the overview loads, charts included."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/")
        expect(page.locator(".chart canvas")).to_be_visible()
        sizes: dict[str, int] = page.evaluate(
            "Object.fromEntries(performance.getEntriesByType('resource').map((one) => [one.name, one.encodedBodySize]))"
        )
        total = sum(sizes.values())
        assert 100_000 < total < FIRST_LOAD, sizes
