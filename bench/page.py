"""Sections of the documentation that a program fills."""

import re
from pathlib import Path

from bench.build import HOME

DOCS = HOME.parent / "docs"
PERFORMANCE = DOCS / "performance.md"


def fill_section(page: Path, section: str, text: str) -> None:
    """Writes what stands between `<!-- section -->` and `<!-- end of section -->`.

    Raises:
        ValueError: The page has no such section.
    """
    before = page.read_text(encoding="utf-8")
    marked = re.compile(rf"(<!-- {re.escape(section)} -->\n).*?(<!-- end of {re.escape(section)} -->)", re.DOTALL)
    after, count = marked.subn(lambda marks: f"{marks[1]}{text}\n{marks[2]}", before)
    if count != 1:
        raise ValueError(f"{page.name} has no section {section}")
    page.write_text(after, encoding="utf-8")
