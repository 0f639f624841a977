"""The page that wires agents, in a real browser on the server's machine, and in one that comes through a proxy."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from rixin.clients.connect.agents import AGENTS
from tests.e2e.console.visit import SCREENSHOTS, serious, state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)
MINE = '{\n  "theme": "dark"\n}\n'
PROXIED = {"x-forwarded-for": "192.0.2.7"}


@pytest.fixture
def settings(home: Path) -> Path:
    """The settings of Claude Code in the home of whoever runs the server."""
    file = home / ".claude" / "settings.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(MINE, encoding="utf-8")
    return file


def test_the_owner_wires_an_agent_and_gives_its_files_back(
    browser: Browser, site: Server, owner: dict[str, str], settings: Path
) -> None:
    """With a key that is made on the way; the difference is shown before anything is written."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/connect")
        page.get_by_role("button", name="Claude Code").click()
        page.get_by_role("button", name="Make a key").click()
        expect(page.get_by_text("Made a key called claude")).to_be_visible()
        command = page.get_by_role("region", name="By one command").inner_text()
        assert command.startswith(f"rixin connect claude --url {site.url} --key sk-rx-")
        key = command.split()[6]
        expect(page.get_by_role("region", name="~/.claude/settings.json")).to_contain_text(key)
        page.get_by_role("button", name="Show the difference").click()
        difference = page.get_by_role("region", name="The difference")
        expect(difference).to_contain_text("ANTHROPIC_BASE_URL")
        assert key not in difference.inner_text()
        assert settings.read_text(encoding="utf-8") == MINE
        page.get_by_role("button", name="Write it").click()
        expect(page.get_by_text(f"Written: {settings}")).to_be_visible()
        expect(page.get_by_text("nothing would change")).to_be_visible()
        written = json.loads(settings.read_text(encoding="utf-8"))
        assert (written["theme"], written["env"]["ANTHROPIC_AUTH_TOKEN"]) == ("dark", key)
        page.get_by_role("button", name="Give back", exact=True).click()
        page.get_by_role("tooltip").get_by_role("button", name="Give back").click()
        expect(page.get_by_text(f"Given back: {settings}")).to_be_visible()
        assert settings.read_text(encoding="utf-8") == MINE


def test_from_elsewhere_nothing_can_be_written(
    browser: Browser, site: Server, owner: dict[str, str], settings: Path
) -> None:
    """The commands and files of every agent are shown all the same."""
    with visited(browser, site, storage_state=state(site, owner), extra_http_headers=PROXIED) as page:
        page.goto(f"{site.url}/console/connect")
        for agent in AGENTS.values():
            page.get_by_role("list", name="Agent").get_by_role("button", name=agent.title).click()
            expect(page.get_by_text("You have come from another machine")).to_be_visible()
            command = page.get_by_role("region", name="By one command")
            expect(command).to_contain_text(f"rixin connect {agent.name} --url {site.url}")
            files = page.get_by_role("region", name=re.compile(r"^~\W"))
            expect(files.filter(has_text="RIXIN-API-KEY").first).to_be_visible()
            expect(files.filter(has_text=site.url).first).to_be_visible()
            for name in ("Show the difference", "Write it", "Give back"):
                expect(page.get_by_role("button", name=name)).to_have_count(0)
    assert settings.read_text(encoding="utf-8") == MINE


@pytest.mark.parametrize(
    ("language", "theme", "names"),
    [("en", "light", ("Make a key", "Show the difference")), ("zh", "dark", ("新建密钥", "查看差异"))],
)
def test_a_difference_has_no_serious_barriers(
    browser: Browser, site: Server, owner: dict[str, str], language: str, theme: str, names: tuple[str, str]
) -> None:
    """In each language and theme."""
    with visited(browser, site, storage_state=state(site, owner, language=language, theme=theme)) as page:
        page.goto(f"{site.url}/console/connect")
        for name in names:
            page.get_by_role("button", name=name).click()
        expect(page.locator(".diff").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"connect-difference-{language}-{theme}.png", full_page=True)
        assert serious(page) == []
