"""Every page of the console in a real browser: languages, themes, barriers, complaints and weight."""

import json
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.e2e.console.making import made
from tests.e2e.console.visit import SCREENSHOTS, serious, state, visited
from tests.support.server import ROOT, Server

pytestmark = pytest.mark.timeout(900)
FIRST_LOAD = 380_000
"""Bytes of the overview's first load, compressed; 366,000 when this was written."""
PAGES: dict[str, dict[str, Any]] = json.loads((ROOT / "console" / "src" / "pages.json").read_text(encoding="utf-8"))
"""By name, what the console's own router and navigation are made of."""
LANGUAGES = ("en", "zh")
LOOKS = [(language, theme) for language in LANGUAGES for theme in ("light", "dark")]
NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture(scope="module")
def opened(site: Server, owner: dict[str, str]) -> dict[str, str]:
    """One of each kind of thing that pages open: a model, a provider out of reach, what failed there, a base."""

    def made(path: str, body: dict[str, Any]) -> requests.Response:
        answer = requests.post(
            f"{site.url}{path}", json=body, cookies=owner, headers={"x-rixin-csrf": "1"}, timeout=120
        )
        assert answer.status_code in (201, 502), answer.text
        return answer

    made("/admin/v1/providers", {"name": "nowhere", "base_url": NOWHERE, "models": ["far"]})
    failed = made("/v1/chat/completions", {"model": "far", "messages": [{"role": "user", "content": "Hello?"}]})
    base = made("/admin/v1/knowledge-bases", {"description": "Harbours", "files": []})
    return {
        "model": "far",
        "provider": "nowhere",
        "request": failed.headers["x-request-id"],
        "base": base.json()["id"],
    }


def addresses(name: str, opened: dict[str, str]) -> list[str]:
    """A page, each of its parts, and the page with something open."""
    page = PAGES[name]
    places = [page["path"], *(f"{page['path']}?part={part}" for part in page["parts"])]
    return places if page["opens"] is None else [*places, f"{page['path']}?{page['opens']}={opened[page['opens']]}"]


def look(page: Page, name: str, language: str, theme: str) -> list[str]:
    """Waits until a page shows itself in a language and a theme, keeps a picture of it, and tells its barriers."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[role=status]")).to_have_count(0)
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("html").get_attribute("data-theme") == theme
    page.wait_for_load_state("networkidle")
    page.screenshot(path=SCREENSHOTS / f"{name}-{language}-{theme}.png")
    return serious(page)


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_every_page(
    browser: Browser, site: Server, owner: dict[str, str], opened: dict[str, str], language: str, theme: str
) -> None:
    """Shows itself in each language and theme, without serious barriers, and without a complaint of the browser."""
    findings: dict[str, list[str]] = {}
    with visited(browser, site, refused=(), storage_state=state(site, owner, language=language, theme=theme)) as page:
        for name in PAGES:
            for place, address in enumerate(addresses(name, opened)):
                page.goto(f"{site.url}/console/{address}")
                current = page.locator("nav a[aria-current=page]")
                expect(page.get_by_role("heading", level=1, include_hidden=True)).to_have_text(current.inner_text())
                assert current.inner_text().isascii() == (language == "en")
                if "=" in address and "part=" not in address:
                    expect(page.get_by_role("dialog").or_(page.locator("[aria-current=true]")).first).to_be_visible()
                findings[address] = look(page, name + (f"-{place}" if place else ""), language, theme)
    assert {address: found for address, found in findings.items() if found} == {}


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_the_entrance_and_nowhere(
    browser: Browser, site: Server, owner: dict[str, str], untouched: Server, language: str, theme: str
) -> None:
    """Show themselves likewise: setting up, logging in, and an address where no page is."""
    chosen = {"language": language, "theme": theme}
    with visited(browser, untouched, refused={401}, storage_state=state(untouched, {}, **chosen)) as page:
        page.goto(f"{untouched.url}/console/")
        expect(page.locator("#token")).to_be_visible()
        assert look(page, "set-up", language, theme) == []
    with visited(browser, site, refused={401}, storage_state=state(site, {}, **chosen)) as page:
        page.goto(f"{site.url}/console/")
        expect(page.locator("input[type=password]")).to_be_visible()
        assert look(page, "log-in", language, theme) == []
    with visited(browser, site, refused=(), storage_state=state(site, owner, **chosen)) as page:
        page.goto(f"{site.url}/console/no/such/page")
        expect(page.locator("main").get_by_role("link")).to_be_visible()
        assert look(page, "nowhere", language, theme) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_the_pointer_is_on_can_be_read(browser: Browser, site: Server, owner: dict[str, str], theme: str) -> None:
    """The buttons that are filled with a colour, one that makes and one that deletes, at rest and pointed at."""
    made(site, "/keys", name=theme)
    with visited(browser, site, storage_state=state(site, owner, theme=theme)) as page:
        page.goto(f"{site.url}/console/keys")
        page.get_by_role("button", name="Create a key").hover()
        assert serious(page) == []
        page.get_by_role("button", name=f"Delete {theme}").click()
        delete = page.get_by_role("tooltip").get_by_role("button", name="Delete", exact=True)
        expect(delete).to_be_visible()
        assert serious(page) == []
        delete.hover()
        assert serious(page) == []


def test_the_navigation_leads_to_every_page(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """By clicks, without another load of the console."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/")
        links = page.get_by_role("navigation").get_by_role("link")
        expect(links).to_have_count(len(PAGES))
        page.evaluate("window.same = true")
        for link, wanted in zip(links.all(), PAGES.values(), strict=True):
            link.click()
            expect(page).to_have_url(f"{site.url}/console/{wanted['path']}")
            expect(page.get_by_role("heading", level=1)).to_have_text(link.inner_text())
        assert page.evaluate("window.same")


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
