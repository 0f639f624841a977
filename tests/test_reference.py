"""The reference pages say what the program does."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def generate(root: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Runs the generator of a checkout."""
    command = [sys.executable, str(root / "docs" / "generate.py"), *flags]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)


def test_the_pages_are_those_that_the_program_makes() -> None:
    """Nobody changed the program's help or settings without the pages."""
    done = generate(ROOT, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_stale_page_is_named(tmp_path: Path) -> None:
    """The check fails with the names of the pages that differ or lack, and writes nothing; a run mends them."""
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "generate.py", tmp_path / "docs")
    assert generate(tmp_path).returncode == 0
    page = tmp_path / "docs" / "reference" / "settings.md"
    right = page.read_text()
    page.write_text(right + "and more\n")
    done = generate(tmp_path, "--check")
    assert done.returncode == 1
    assert "docs/reference/settings.md" in done.stdout
    assert "cli.md" not in done.stdout
    assert page.read_text() != right
    assert generate(tmp_path).returncode == 0
    assert page.read_text() == right


@pytest.mark.parametrize("front", ["README.md", "README.zh-CN.md"])
def test_every_page_is_linked(front: str) -> None:
    """Whoever starts at the front page, in either language, finds all others."""
    linked = set(re.findall(r"\]\((docs/[^)#]+)", (ROOT / front).read_text(encoding="utf-8")))
    pages = (ROOT / "docs").glob("*.md"), (ROOT / "docs" / "reference").glob("*.md")
    assert {str(page.relative_to(ROOT)) for found in pages for page in found} <= linked


def test_every_setting_is_explained() -> None:
    """A setting without a sentence about it is a setting that nobody can use."""
    rows = re.findall(
        r"^\| `(\w+)` .*\|(.*)\|$", (ROOT / "docs" / "reference" / "settings.md").read_text(), re.MULTILINE
    )
    assert len(rows) > 40
    assert [name for name, about in rows if not about.strip() and name != "name"] == []


def test_every_command_is_explained_in_one_whole_sentence() -> None:
    """The lists of commands show no sentence that was cut."""
    commands = re.findall(r"^\* `\w+`: .*$", (ROOT / "docs" / "reference" / "cli.md").read_text(), re.MULTILINE)
    assert len(commands) > 15
    assert [line for line in commands if not line.endswith(".") or line.endswith("...")] == []
