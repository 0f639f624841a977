"""Takes the pictures of docs/pictures, in Debian's Chromium, of a server of its own.

`python -m tests.e2e.console.pictures` takes all, with names those that are named. Look at what it has taken.
"""

import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.console.showcase import QUESTION, Showcase, showcase
from tests.e2e.console.visit import PATIENCE, state, visited
from tests.support.server import ROOT

FOLDER = ROOT / "docs" / "pictures"
ASKED = "Write a Python function for the n-th Fibonacci number, as code, and tell in two short points how it works."


class Picture(Struct, frozen=True):
    """A picture: its name, how the console looks on it, and what has it show what is to be seen."""

    name: str
    language: str
    theme: str
    show: Callable[[Page, Showcase], None]
    height: int = 860


def main() -> None:
    """Takes what the command line names."""
    wanted = [picture for picture in PICTURES if picture.name in sys.argv[1:] or not sys.argv[1:]]
    FOLDER.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE)
    with (
        tempfile.TemporaryDirectory(prefix="rixin-pictures-") as folder,
        showcase(Path(folder)) as shown,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for picture in wanted:
            held = state(shown.server, shown.cookies, language=picture.language, theme=picture.theme)
            with visited(browser, shown.server, storage_state=held, reduced_motion="reduce") as page:
                page.set_viewport_size({"width": 1360, "height": picture.height})
                picture.show(page, shown)
                page.mouse.move(0, 0)
                page.wait_for_load_state("networkidle")
                with Image.open(io.BytesIO(page.screenshot())) as taken:
                    taken.convert("RGB").save(FOLDER / f"{picture.name}.webp", quality=88, method=6)
        browser.close()


def overview(page: Page, shown: Showcase) -> None:
    """A week's traffic, quotas and health."""
    page.goto(f"{shown.server.url}/console/")
    expect(page.locator(".chart canvas").first).to_be_visible()
    expect(page.get_by_role("meter").first).to_be_visible()


def playground(page: Page, shown: Showcase) -> None:
    """An answer of the embedded model, in Markdown, with its tokens and times."""
    page.goto(f"{shown.server.url}/console/playground")
    model = page.get_by_role("combobox", name="Model")
    model.fill("local")
    page.keyboard.press("Enter")
    page.locator(".composer textarea").fill(ASKED)
    page.keyboard.press("Enter")
    expect(page.locator(".turn-foot").last).to_contain_text("/s", timeout=4 * PATIENCE)


def providers(page: Page, shown: Showcase) -> None:
    """What is rewritten for one of them, and whose word that is."""
    page.goto(f"{shown.server.url}/console/providers?provider=deepseek")
    expect(page.locator("#rewrites")).to_be_visible()


def models(page: Page, shown: Showcase) -> None:
    """What this machine runs, and all that can be asked for."""
    page.goto(f"{shown.server.url}/console/models")
    expect(page.locator("[data-row-key=local]")).to_be_visible()


def request(page: Page, shown: Showcase) -> None:
    """Why an upstream refused one."""
    page.goto(f"{shown.server.url}/console/requests?request={shown.request}")
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button").filter(has_not=page.locator("svg")).first.click()
    expect(drawer.get_by_role("alert")).to_be_visible()


def knowledge(page: Page, shown: Showcase) -> None:
    """The passages that answer a question."""
    page.goto(f"{shown.server.url}/console/knowledge?base={shown.base}")
    expect(page.get_by_text("VALID", exact=True)).to_be_visible(timeout=4 * PATIENCE)
    question = page.locator("section[aria-label] input").first
    question.fill(QUESTION)
    question.press("Enter")
    expect(page.get_by_role("article").first).to_contain_text("18:45")


def connect(page: Page, shown: Showcase) -> None:
    """The difference that wiring an agent makes."""
    page.goto(f"{shown.server.url}/console/connect")
    page.get_by_role("button", name="Claude Code").click()
    page.locator("#connect-key").fill("sk-rx-of-your-own")


PICTURES = (
    Picture("overview", "en", "light", overview, height=1000),
    Picture("overview-zh", "zh", "dark", overview, height=1000),
    Picture("playground", "en", "dark", playground, height=1000),
    Picture("providers", "en", "light", providers),
    Picture("models", "zh", "light", models),
    Picture("request", "en", "dark", request),
    Picture("knowledge", "zh", "dark", knowledge),
    Picture("connect", "en", "light", connect),
)


if __name__ == "__main__":
    main()
