"""The page of files in a real browser."""

import re
from typing import Any, cast

import pytest
import requests
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.e2e.console.visit import SCREENSHOTS, serious, state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)
SLOW = 200_000
"""Bytes per second of a line."""
HOSTILE_NAME = "<img src=x onerror='window.hit=1'>.txt"
DROPPED = """names => {
  const data = new DataTransfer();
  for (const name of names) data.items.add(new File(['text of ' + name], name, { type: 'text/plain' }));
  return data;
}"""


def drop(page: Page, *names: str) -> None:
    """Drops files on the place for them."""
    page.locator(".ant-upload-drag .ant-upload-btn").dispatch_event(
        "drop", {"dataTransfer": page.evaluate_handle(DROPPED, list(names))}
    )


def test_files_are_uploaded_opened_and_deleted(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Several at once, each with how far it is; what is downloaded is what was sent."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/files")
        page.get_by_role("button", name="Upload files").click()
        drop(page, "one.txt", "two.txt")
        expect(page.get_by_role("progressbar", name="Progress of one.txt")).to_be_visible()
        expect(page.get_by_text("Uploaded", exact=True)).to_have_count(2)
        page.get_by_role("button", name="Done").click()
        expect(page.get_by_role("button", name="one.txt", exact=True)).to_be_visible()
        page.get_by_role("button", name="two.txt", exact=True).click()
        with page.expect_download() as begun:
            page.get_by_role("link", name="Download").click()
        assert begun.value.suggested_filename == "two.txt"
        assert begun.value.path().read_text(encoding="utf-8") == "text of two.txt"
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Delete two.txt").click()
        page.get_by_role("tooltip").get_by_role("button", name="Delete").click()
        expect(page.get_by_role("button", name="two.txt", exact=True)).to_have_count(0)
        expect(page.get_by_role("button", name="one.txt", exact=True)).to_be_visible()


def test_an_upload_tells_how_far_it_is(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """On a slow line it is a part of the way; then it is there."""
    line = {"offline": False, "latency": 0, "downloadThroughput": -1}
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/files")
        page.get_by_role("button", name="Upload files").click()
        network = cast("Any", page.context.new_cdp_session(page))  # its own type is known in part
        network.send("Network.emulateNetworkConditions", {**line, "uploadThroughput": SLOW})
        large = FilePayload(name="large.txt", mimeType="text/plain", buffer=b"large\n" * 700_000)
        page.get_by_role("dialog").locator("input[type=file]").set_input_files([large])
        bar = page.get_by_role("progressbar", name="Progress of large.txt")
        expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))
        network.send("Network.emulateNetworkConditions", {**line, "uploadThroughput": -1})
        expect(page.get_by_text("Uploaded", exact=True)).to_be_visible()
        expect(bar).to_have_attribute("aria-valuenow", "100")


def test_a_refused_upload_says_why(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """In the words of the server; it can be tried again, or taken from the list."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/files")
        page.get_by_role("button", name="Upload files").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("For", exact=True).click()
        page.get_by_title("vision", exact=True).click()
        drop(page, "no image.txt")
        expect(dialog.get_by_text("should be an image")).to_be_visible()
        dialog.get_by_role("button", name="Try again: no image.txt").click()
        expect(dialog.get_by_text("should be an image")).to_be_visible()
        dialog.get_by_role("button", name="Clear the list").click()
        expect(dialog.get_by_text("no image.txt")).to_have_count(0)


def test_an_owner_sees_everybodys_files(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """With whose they are, unless only their own are wanted."""
    headers = {"authorization": f"Bearer {site.key}"}
    sent = {"file": ("by a program.txt", b"text")}
    answer = requests.post(
        f"{site.url}/v1/files", data={"purpose": "user_data"}, files=sent, headers=headers, timeout=60
    )
    assert answer.status_code == 200, answer.text
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/files")
        row = page.get_by_role("row").filter(has_text="by a program.txt")
        expect(row.get_by_text("first", exact=True)).to_be_visible()
        page.get_by_label("Whose files").click()
        page.get_by_title("Mine", exact=True).click()
        expect(row).to_have_count(0)


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_hostile_names_are_inert(
    browser: Browser, site: Server, owner: dict[str, str], language: str, theme: str
) -> None:
    """In the list, in the details and in the question before deletion; without serious barriers."""
    answer = requests.post(
        f"{site.url}/v1/files",
        data={"purpose": "user_data"},
        files={"file": (HOSTILE_NAME, b"<script>window.hit=1</script>")},
        cookies=owner,
        headers={"x-rixin-csrf": "1"},
        timeout=60,
    )
    assert answer.json()["filename"] == HOSTILE_NAME
    with visited(browser, site, storage_state=state(site, owner, language=language, theme=theme)) as page:
        page.goto(f"{site.url}/console/files")
        page.get_by_role("row").filter(has_text=HOSTILE_NAME).get_by_role("button").last.click()
        expect(page.get_by_role("tooltip")).to_contain_text(HOSTILE_NAME)
        page.keyboard.press("Escape")
        page.get_by_role("button", name=HOSTILE_NAME, exact=True).first.click()
        drawer = page.get_by_role("dialog")
        expect(drawer.get_by_text(HOSTILE_NAME)).to_be_visible()
        expect(drawer.get_by_role("link")).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"file-{language}-{theme}.png")
        assert serious(page) == []
        assert page.locator("main script, [role=dialog] script, img[src=x]").count() == 0
