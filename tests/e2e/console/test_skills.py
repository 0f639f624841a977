"""The page of skills in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.clients.skills.sources import make_repository, write_skill
from tests.e2e.console.visit import HOSTILE, SCREENSHOTS, serious, state, visited
from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)


def test_a_skill_is_looked_at_installed_and_removed(
    browser: Browser, site: Server, owner: dict[str, str], home: Path
) -> None:
    """Rixin's own, for Codex; a file of it that was edited is told."""
    folder = home / ".codex" / "skills" / "rixin"
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/skills")
        page.get_by_role("tab", name="codex").click()
        page.get_by_role("button", name="Install skills").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Look at what it brings").click()
        dialog.get_by_text("What it tells the agent").click()
        expect(dialog.get_by_text("name: rixin")).to_be_visible()
        assert not folder.exists()
        dialog.get_by_role("button", name="Install 1 skill").click()
        expect(dialog.get_by_text("rixin: added")).to_be_visible()
        assert (folder / "SKILL.md").is_file()
        page.keyboard.press("Escape")
        row = page.get_by_role("row").filter(has_text="rixin")
        expect(row.get_by_text("As installed")).to_be_visible()
        row.get_by_role("button", name="Remove rixin").click()
        page.get_by_role("tooltip").get_by_role("button", name="Remove").click()
        expect(page.get_by_text("rixin: removed")).to_be_visible()
        expect(row).to_have_count(0)
    assert not folder.exists()


def test_from_elsewhere_there_are_commands_only(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """And the reason."""
    with visited(browser, site, storage_state=state(site, owner), extra_http_headers={"via": "1.1 proxy"}) as page:
        page.goto(f"{site.url}/console/skills")
        expect(page.get_by_text("You have come from another machine")).to_be_visible()
        expect(page.get_by_role("region").first).to_contain_text("rixin skills install")
        expect(page.get_by_role("button", name="Install skills")).to_have_count(0)


@pytest.mark.parametrize(
    ("language", "theme", "names"),
    [("en", "light", ("Install skills", "Look at what it brings")), ("zh", "dark", ("安装技能", "查看内容"))],
)
def test_what_a_skill_says_is_inert(
    browser: Browser,
    site: Server,
    owner: dict[str, str],
    tmp_path: Path,
    language: str,
    theme: str,
    names: tuple[str, str],
) -> None:
    """It is a stranger's text; it is shown without serious barriers."""
    repository = make_repository(tmp_path / "repository")
    write_skill(repository.path, "hostile", {"notes.md": HOSTILE})
    text = f"---\nname: hostile\ndescription: {HOSTILE!r}\n---\n\n{HOSTILE}\n"
    (repository.path / "hostile" / "SKILL.md").write_text(text, encoding="utf-8")
    repository.commit()
    with visited(browser, site, storage_state=state(site, owner, language=language, theme=theme)) as page:
        page.goto(f"{site.url}/console/skills")
        page.get_by_role("button", name=names[0]).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox").first.fill(repository.url)
        dialog.get_by_role("button", name=names[1]).click()
        expect(dialog.get_by_role("article")).to_contain_text("onerror")
        for folded in dialog.locator("summary").all():
            folded.click()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"skill-{language}-{theme}.png")
        assert serious(page) == []
        assert dialog.locator("script, img, a[href^='javascript']").count() == 0
