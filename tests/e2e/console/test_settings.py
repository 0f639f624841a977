"""The page of settings in a real browser: oneself, what is set, and what the server is made of."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import SCREENSHOTS, serious, state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)
MEMBER = {"email": "bob@example.com", "name": "Bob", "role": "member", "password": "a long password of nine words"}


def login(site: Server, password: str = MEMBER["password"]) -> dict[str, str]:
    """The cookie of the member, by name."""
    body = {"email": MEMBER["email"], "password": password}
    answer = requests.post(f"{site.url}/admin/v1/login", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return {cookie.name: cookie.value or "" for cookie in answer.cookies}


@pytest.fixture(scope="module")
def member(site: Server, owner: dict[str, str]) -> None:
    """A member of the server."""
    headers = {"x-rixin-csrf": "1"}
    answer = requests.post(f"{site.url}/admin/v1/users", json=MEMBER, cookies=owner, headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text


@pytest.mark.usefixtures("member")
def test_people_change_their_password_and_end_their_logins(browser: Browser, site: Server) -> None:
    """Members too, who see nothing else there."""
    here, there = login(site), login(site)
    with visited(browser, site, storage_state=state(site, here)) as page:
        page.goto(f"{site.url}/console/settings")
        expect(page.get_by_role("tab")).to_have_count(1)
        expect(page.get_by_text("this one")).to_be_visible()
        page.get_by_role("button", name=re.compile("^End the login of")).first.click()
        expect(page.get_by_role("button", name=re.compile("^End the login of"))).to_have_count(0)
        session = f"{site.url}/admin/v1/session"
        assert requests.get(session, cookies=there, timeout=60).status_code == 401
        page.get_by_label("Your password so far").fill("not this one")
        page.get_by_label("The new one").fill("another password of nine words")
        page.get_by_role("button", name="Change it").click()
        expect(page.get_by_text("Your password is another one.")).to_be_visible()
        page.get_by_label("Your password so far").fill(MEMBER["password"])
        page.get_by_role("button", name="Change it").click()
        expect(page.get_by_text("Your password is changed.")).to_be_visible()
        assert requests.get(session, cookies=here, timeout=60).status_code == 200
        login(site, "another password of nine words")


def test_the_settings_are_told_with_where_they_come_from(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """A file that comes later is read when it is asked for, and what counts at once is in force."""
    file = Path(site.data_dir.parent) / "rixin.toml"
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/settings?part=set")
        expect(page.get_by_text(f"There is no file {file} yet")).to_be_visible()
        port = page.get_by_role("row").filter(has_text="server.port")
        expect(port.get_by_text("Command line")).to_be_visible()
        folder = page.get_by_role("row").filter(has_text="server.models_dir")
        expect(folder.get_by_text("RIXIN_MODELS_DIR")).to_be_visible()
        file.write_text('[aliases]\n"my-*" = "local"\n[oidc]\nclient_secret = "hunter2"\n', encoding="utf-8")
        page.get_by_role("button", name="Read the file again").click()
        expect(page.get_by_text("Read. Providers, aliases and routes count at once.")).to_be_visible()
        aliases = page.get_by_role("row").filter(has_text="aliases")
        expect(aliases.get_by_text("my-*")).to_be_visible()
        expect(page.get_by_text("Another value waits for the next start.")).to_be_visible()
        assert "hunter2" not in page.content()
        file.write_text("[server", encoding="utf-8")
        page.get_by_role("button", name="Read the file again").click()
        expect(page.get_by_text("It does not count")).to_be_visible()
        file.unlink()


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_every_part_is_without_serious_barriers(
    browser: Browser, site: Server, owner: dict[str, str], language: str, theme: str
) -> None:
    """Oneself, what is set, and what the server is made of."""
    with visited(browser, site, storage_state=state(site, owner, language=language, theme=theme)) as page:
        for part in ("you", "set", "server"):
            page.goto(f"{site.url}/console/settings?part={part}")
            expect(page.locator("main table, main dl, main .ant-descriptions").first).to_be_visible()
            page.wait_for_load_state("networkidle")
            page.screenshot(path=SCREENSHOTS / f"settings-{part}-{language}-{theme}.png", full_page=True)
            assert serious(page) == []


def test_language_and_theme_are_chosen_there(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """They count at once."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/settings")
        main = page.locator("main")
        main.get_by_role("radiogroup", name="Theme").get_by_title("Dark", exact=True).click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        main.get_by_role("radiogroup", name="Language").get_by_title("中文", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("设置")


def test_the_bare_address_leads_to_the_console(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """A browser's, while programs are told that the server lives."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(site.url)
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        assert urlsplit(page.url).path == "/console/"
    assert requests.get(site.url, timeout=60).json()["status"] == "ok"
