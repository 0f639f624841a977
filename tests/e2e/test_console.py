"""The web console in a real browser, in front of a real server with the embedded model.

Screenshots of every page stay in `.cache/screenshots/`.
"""

import json
import os
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from rixin.web import console_files
from tests.support.server import ROOT, Server, start

AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / ".cache" / "screenshots"
PATIENCE = 60_000
FIRST_LOAD = 500_000
"""Bytes of the overview's first load, compressed."""
OWNER = {"email": "ada@example.com", "name": "Ada", "password": "a long password of nine words"}
PAGES = {
    "": ("Overview", "概览"),
    "playground": ("Playground", "体验"),
    "keys": ("Keys", "密钥"),
    "models": ("Models", "模型"),
    "providers": ("Providers", "上游"),
    "requests": ("Requests", "请求"),
    "usage": ("Usage", "用量"),
    "team": ("Team", "团队"),
    "no/such/page": (None, None),
}
LANGUAGES = ("en", "zh")
HOSTILE = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>[x](javascript:window.hit=1)"
NOWHERE = "http://127.0.0.1:9/v1"
"""Where nothing listens: requests are refused at once."""
WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', ({ violatedDirective, sourceFile }) =>
  window.violations.push(violatedDirective + ' ' + sourceFile));
"""

pytestmark = pytest.mark.timeout(600)


def needed(present: bool, missing: str) -> None:
    """Skips where something is missing that is made by a command; fails where all must run."""
    if not present:
        if os.environ.get("RIXIN_TEST_ALL"):
            pytest.fail(missing)
        pytest.skip(missing)


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    """Debian's Chromium."""
    needed(console_files.is_built() and AXE.is_file(), "the console is not built; `make console` does it")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose owner is made, with a provider that cannot be reached and a failed request of its."""
    running, stop = start(tmp_path_factory.mktemp("console") / "data")
    yield running
    assert stop() == 0, "".join(running.output)


@pytest.fixture(scope="module")
def owner(site: Server) -> dict[str, str]:
    """The cookie of the owner, by name."""
    token = (site.data_dir / "setup-token").read_text(encoding="utf-8").strip()
    answer = requests.post(f"{site.url}/admin/v1/setup", json={"token": token, **OWNER}, timeout=60)
    assert answer.status_code == 201, answer.text
    return {cookie.name: cookie.value or "" for cookie in answer.cookies}


@contextmanager
def visited(browser: Browser, server: Server, **wishes: Any) -> Generator[Page]:
    """A page of a fresh browser that has heard of nothing outside of the server, nor broken its policy."""
    context: BrowserContext = browser.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB", **wishes)
    context.add_init_script(WATCH)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    elsewhere: list[str] = []
    failures: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url) if not ours(request.url, server) else None)
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    assert not elsewhere
    assert not failures
    assert page.evaluate("window.violations") == []
    assert page.evaluate("window.hit") is None
    context.close()


def ours(url: str, server: Server) -> bool:
    """Whether an address is the server's, or the page's own."""
    return url.startswith((server.url + "/", "data:", "blob:"))


def state(server: Server, cookies: dict[str, str], **stored: object) -> dict[str, Any]:
    """What a browser holds whose user has logged in, and what they chose."""
    return {
        "cookies": [{"name": name, "value": value, "url": server.url} for name, value in cookies.items()],
        "origins": [
            {
                "origin": server.url,
                "localStorage": [{"name": f"rixin.{key}", "value": json.dumps(value)} for key, value in stored.items()],
            }
        ],
    }


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people from using a page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {[(node['target'], node['any'][:1]) for node in violation['nodes'][:3]]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


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
        expect(log.get_by_text("onerror").first).to_be_visible()
        assert log.locator("img, script, a[href^='javascript']").count() == 0


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
