"""Users, teams and the audit log in the console, in a real browser."""

from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import SCREENSHOTS, choose, serious, state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)

TAMPERED = {"rows": 9, "head": "0", "problems": [{"sequence": 7, "message": "Row 7 was changed."}]}
EMAIL, FIRST, SECOND = "lin@example.com", "a first password", "quite another password"


def log_in(site: Server, password: str) -> int:
    """The status of a login."""
    answer = requests.post(f"{site.url}/admin/v1/login", json={"email": EMAIL, "password": password}, timeout=60)
    return answer.status_code


def test_a_user_is_made_changed_and_removed(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """With a password, another role, another password; disabled, they do not come in."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/team")
        page.get_by_role("button", name="Add a user").click()
        dialog = page.get_by_role("dialog", name="Add a user")
        dialog.get_by_label("Name").fill("Lin")
        dialog.get_by_label("E-mail address").fill(EMAIL)
        dialog.get_by_label("Password").fill(FIRST)
        dialog.get_by_role("button", name="Add a user").click()
        row = page.get_by_role("row", name="Lin")
        expect(row.get_by_text(EMAIL)).to_be_visible()
        assert log_in(site, FIRST) == 200
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("button", name="Add a user")).to_be_focused()
        choose(page, "Role of Lin", "Auditor")
        expect(row.get_by_title("Auditor")).to_be_visible()
        row.get_by_role("button", name="Password of Lin").click()
        dialog = page.get_by_role("dialog", name="Password of Lin")
        dialog.get_by_label("Password", exact=True).fill(SECOND)
        dialog.get_by_role("button", name="Set password").click()
        expect(dialog).to_have_count(0)
        assert (log_in(site, FIRST), log_in(site, SECOND)) == (401, 200)
        switch = row.get_by_role("switch", name="Enabled: Lin")
        switch.click()
        expect(switch).not_to_be_checked()
        assert log_in(site, SECOND) == 401
        assert serious(page) == []
        row.get_by_role("button", name="Delete Lin").click()
        page.get_by_role("tooltip").get_by_role("button", name="Delete", exact=True).click()
        expect(row).to_have_count(0)


def test_a_team_has_members_and_a_plan(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """It is made, given a plan, filled and emptied, and removed."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/team?part=teams")
        page.get_by_role("button", name="Add a team").click()
        dialog = page.get_by_role("dialog", name="Add a team")
        dialog.get_by_label("Name").fill("Research")
        dialog.get_by_role("button", name="Add a team").click()
        row = page.get_by_role("row", name="Research")
        expect(row).to_be_visible()
        # The dialog gives the focus back when it has gone, and a list that is open then would close.
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("button", name="Add a team")).to_be_focused()
        choose(row, "Plan of Research", "sensenova-token-plan")
        expect(row.get_by_title("sensenova-token-plan")).to_be_visible()
        row.get_by_role("button", name="Members of Research").click()
        drawer = page.get_by_role("dialog", name="Members of Research")
        choose(drawer, "Add somebody", "ada@example.com")
        choose(drawer, "Role of Ada", "Admin")
        expect(drawer.get_by_role("listitem").get_by_title("Admin")).to_be_visible()
        expect(page.locator(".ant-select-dropdown:not(.ant-select-dropdown-hidden)")).to_have_count(0)
        assert serious(page) == []
        page.screenshot(path=SCREENSHOTS / "team-members.png")
        teams = requests.get(f"{site.url}/admin/v1/teams", headers=site.headers, timeout=60).json()["data"]
        research = next(team for team in teams if team["name"] == "Research")
        assert research["plan"] == "sensenova-token-plan"
        drawer.get_by_role("button", name="Remove Ada").click()
        expect(drawer.get_by_text("Nobody is in this team yet.")).to_be_visible()
        page.keyboard.press("Escape")
        row.get_by_role("button", name="Delete Research").click()
        page.get_by_role("tooltip").get_by_role("button", name="Delete", exact=True).click()
        expect(row).to_have_count(0)


def test_the_audit_log_is_filtered_and_verified(browser: Browser, launch: Callable[..., Server]) -> None:
    """By what was done; whether it is whole is asked with a click."""
    server = launch()
    made = requests.post(f"{server.url}/admin/v1/keys", json={"name": "noted"}, headers=server.headers, timeout=60)
    token = (server.data_dir / "setup-token").read_text(encoding="utf-8").strip()
    owner = {"token": token, "email": EMAIL, "name": "Lin", "password": FIRST}
    entered = requests.post(f"{server.url}/admin/v1/setup", json=owner, timeout=60)
    cookies = {cookie.name: cookie.value or "" for cookie in entered.cookies}
    with visited(browser, server, storage_state=state(server, cookies)) as page:
        page.goto(f"{server.url}/console/team?part=audit")
        search = page.get_by_role("searchbox", name="What, such as key.create")
        search.fill("login")
        search.press("Enter")
        expect(page.get_by_role("cell", name="key.create")).to_have_count(0)
        search.fill("key.create")
        search.press("Enter")
        expect(page.get_by_role("cell", name=made.json()["id"])).to_be_visible()
        page.get_by_role("button", name="Verify").click()
        expect(page.get_by_text("Intact:")).to_be_visible()
        assert serious(page) == []
        page.screenshot(path=SCREENSHOTS / "team-audit.png")
        # How rows that were touched are found is tested with the log; here, that it is said.
        page.route("**/admin/v1/audit/verify", lambda route: route.fulfill(json=TAMPERED))
        page.get_by_role("button", name="Verify").click()
        expect(page.get_by_text("Row 7 was changed.")).to_be_visible()
