"""How tests look at the console: in a fresh browser that breaks none of its promises."""

import json
import re
from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page

from tests.support.server import ROOT, Server

AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / ".cache" / "screenshots"
"""Where screenshots of every page stay."""
PATIENCE = 60_000
"""Milliseconds that a page may take to show what it should; it takes a fraction of a second."""
OWNER = {"email": "ada@example.com", "name": "Ada", "password": "a long password of nine words"}
HOSTILE = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>[x](javascript:window.hit=1)"
"""What would set `window.hit`, were it ever taken for markup."""
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
"""How Chromium complains of an answer."""
STOPPED = "Failed to load resource: net::ERR_FAILED"
"""How it complains of a request that Playwright has aborted."""
REFUSALS = range(400, 500)
STILL = """() => Promise.allSettled(
  document.getAnimations()
    .filter((each) => each.playState === 'running' && each.effect.getComputedTiming().endTime !== Infinity)
    .map((each) => each.finished)
)"""
"""Waits for what moves to arrive: colours on their way are nobody's choice."""
WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', ({ violatedDirective, sourceFile }) =>
  window.violations.push(violatedDirective + ' ' + sourceFile));
"""


@contextmanager
def visited(
    browser: Browser, server: Server, also: str | None = None, refused: Collection[int] = REFUSALS, **wishes: Any
) -> Generator[Page]:
    """A page of a fresh browser that has heard of nothing outside of the server, nor broken its policy, nor complained.

    Args:
        browser: Which.
        server: Whose pages are looked at.
        also: The address of another server that it is sent to.
        refused: The statuses of answers that the browser may complain of: those with which a server refuses what a test
            does on purpose, unless they are told.
        wishes: What the browser holds, as Playwright has it.
    """
    context: BrowserContext = browser.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB", **wishes)
    context.add_init_script(WATCH)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    elsewhere: list[str] = []
    failures: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url) if not ours(request.url, server, also) else None)
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: failures.append(message.text) if complains(message, refused) else None)
    yield page
    assert not elsewhere, elsewhere
    assert not failures, failures
    assert page.evaluate("window.violations") == []
    assert page.evaluate("window.hit") is None
    context.close()


def ours(url: str, server: Server, also: str | None) -> bool:
    """Whether an address is the server's, the page's own, or another one's that it may go to."""
    return url.startswith((server.url + "/", "data:", "blob:", *([] if also is None else [also + "/"])))


def complains(message: ConsoleMessage, refused: Collection[int]) -> bool:
    """Whether a message of the browser's console is an error or a warning, and not of an answer that is expected or a
    request that a test has stopped.
    """
    status = REFUSED.match(message.text)
    expected = message.text == STOPPED or (status is not None and int(status[1]) in refused)
    return message.type in ("error", "warning") and not expected


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


def choose(where: Page | Locator, label: str, option: str) -> None:
    """Chooses in one of Ant Design's lists, which are shown at the end of the page."""
    page = where if isinstance(where, Page) else where.page
    # By keyboard: another list may still be open above this one, and closes when this one has the focus.
    box = where.get_by_role("combobox", name=label).first
    box.focus()
    box.press("Enter")
    shown = page.locator(".ant-select-dropdown:not(.ant-select-dropdown-hidden)")
    shown.locator(".ant-select-item-option").filter(has_text=option).first.click()


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people from using a page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(STILL)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {[(node['target'], node['any'][:1]) for node in violation['nodes'][:3]]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
