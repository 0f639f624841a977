"""The overview's quota meters of more keys than are looked at, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from rixin.web.admin.quotas import MOST_BEARERS
from tests.e2e.console.making import made
from tests.e2e.console.visit import SCREENSHOTS, serious, state, visited
from tests.support.server import Server, start

pytestmark = pytest.mark.timeout(600)

PLAN = '[plans.small]\nlimits = [{ unit = "requests", amount = 4, window = 18000.0 }]\n'
SHOWN = 12


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a plan."""
    running, stop = start(tmp_path_factory.mktemp("quotas") / "data", config=PLAN)
    yield running
    assert stop() == 0, "".join(running.output)


def make_keys(server: Server, first: int, count: int) -> None:
    """Makes keys that have the plan."""
    for number in range(first, first + count):
        made(server, "/keys", name=f"key-{number}", plan="small")


def test_meters_say_when_they_are_not_all(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """How many more there are; and, once there are more keys than are looked at, that some may be used up further."""
    make_keys(site, 0, SHOWN + 1)
    with visited(browser, site, storage_state=state(site, owner, language="en")) as page:
        page.goto(f"{site.url}/console/")
        expect(page.get_by_role("meter")).to_have_count(SHOWN)
        card = page.get_by_role("region", name="Quotas")
        expect(card).to_contain_text("1 more is used up less.")
        expect(card).not_to_contain_text("than are looked at")
        make_keys(site, SHOWN + 1, MOST_BEARERS)
        expect(card).to_contain_text("There are more keys, users or teams than are looked at")
        page.get_by_role("radiogroup", name="Language").get_by_title("中文", exact=True).click()
        expect(page.get_by_role("region", name="配额")).to_contain_text("未显示的可能用得更多")
        assert serious(page) == []
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "overview-quotas-not-all.png")
