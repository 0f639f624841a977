"""The page of knowledge bases in a real browser, in front of the real embedding model."""

from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, FilePayload, expect

from tests.e2e.console.visit import HOSTILE, SCREENSHOTS, serious, state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)
PATIENCE = 120_000
"""Milliseconds until a small document can be searched; the embedding model is loaded meanwhile."""
FACT = "The ferry to Skarn leaves at noon from pier four."


def asked(site: Server, owner: dict[str, str], path: str, **wishes: Any) -> dict[str, Any]:
    """What the server answers to the owner."""
    answer = requests.post(f"{site.url}{path}", cookies=owner, headers={"x-rixin-csrf": "1"}, timeout=60, **wishes)
    assert answer.status_code < 300, answer.text
    return answer.json()


def test_a_base_is_made_filled_and_searched(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """From a document that is uploaded to the passage that answers a question, with how it was found."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/knowledge")
        page.get_by_role("button", name="Make a knowledge base").click()
        page.get_by_role("dialog").get_by_label("What it is about").fill("harbour")
        page.get_by_role("dialog").get_by_role("button", name="Make a knowledge base").click()
        expect(page.get_by_role("heading", name="harbour")).to_be_visible()
        page.get_by_role("button", name="Add files").click()
        chosen = FilePayload(name="ferry.txt", mimeType="text/plain", buffer=f"{FACT}\n".encode())
        page.get_by_role("dialog").locator("input[type=file]").set_input_files([chosen])
        expect(page.get_by_text("Uploaded", exact=True)).to_be_visible()
        page.get_by_role("button", name="Done").click()
        row = page.get_by_role("row").filter(has_text="ferry.txt")
        expect(row.get_by_text("VALID", exact=True)).to_be_visible(timeout=PATIENCE)
        test = page.get_by_role("region", name="Search test")
        test.get_by_label("A question").fill("When does the ferry leave?")
        test.get_by_role("button", name="Search").click()
        hit = test.get_by_role("article").first
        expect(hit).to_contain_text(FACT)
        expect(hit).to_contain_text("score 1.000")
        expect(hit).to_contain_text("words: no. 1")
        expect(hit).to_contain_text("meaning: no. 1")
        row.get_by_role("button", name="Take out ferry.txt").click()
        page.get_by_role("tooltip").get_by_role("button", name="Take out").click()
        expect(row).to_have_count(0)
        page.get_by_role("button", name="Change", exact=True).click()
        page.get_by_label("What it is about").fill("boats")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="boats")).to_be_visible()
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("tooltip").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("boats")).to_have_count(0)


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_hostile_texts_are_inert(
    browser: Browser, site: Server, owner: dict[str, str], language: str, theme: str
) -> None:
    """Descriptions, names of files, passages and what is wrong with a document; without serious barriers."""
    files = [
        asked(site, owner, "/v1/files", data={"scheme": "KNOWLEDGE_BASE_1"}, files={"file": (name, content)})["id"]
        for name, content in (
            ("<img src=x onerror='window.hit=1'>.md", f"# {HOSTILE}\n\n{HOSTILE}\n".encode()),
            ("<script>window.hit=1.pdf", b"%PDF-1.4 broken"),
        )
    ]
    base = asked(site, owner, "/admin/v1/knowledge-bases", json={"description": HOSTILE, "files": files})["id"]
    with visited(browser, site, storage_state=state(site, owner, language=language, theme=theme)) as page:
        page.goto(f"{site.url}/console/knowledge?base={base}")
        rows = page.get_by_role("row")
        expect(rows.filter(has_text="onerror").get_by_text("VALID", exact=True)).to_be_visible(timeout=PATIENCE)
        expect(rows.filter(has_text=".pdf").get_by_text("INVALID", exact=True)).to_be_visible(timeout=PATIENCE)
        expect(rows.filter(has_text=".pdf").get_by_text("damaged")).to_be_visible()
        question = page.locator("section[aria-label] input").first
        question.fill("onerror")
        question.press("Enter")
        expect(page.get_by_role("article").first).to_contain_text("window.hit=1")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"knowledge-base-{language}-{theme}.png", full_page=True)
        assert serious(page) == []
        assert page.locator("main script, main img, main a[href^='javascript']").count() == 0
