"""The pictures of docs/console.md: what one command takes is what the page shows."""

import re

from PIL import Image

from tests.e2e.console.pictures import FOLDER, PICTURES

LARGEST = 150_000
"""Bytes of a picture."""


def test_the_page_shows_what_is_taken() -> None:
    """Each picture once, in the pages that people read first, and no other one."""
    docs = FOLDER.parent
    taken = {f"{picture.name}.webp" for picture in PICTURES}
    assert {path.name for path in FOLDER.iterdir()} == taken
    page = (docs / "console.md").read_text(encoding="utf-8")
    readmes = [(docs.parent / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")]
    shown = [name for text in (page, *readmes) for name in re.findall(r"pictures/([\w-]+\.webp)\)", text)]
    assert set(shown) == taken


def test_pictures_are_small() -> None:
    """Enough for whoever reads on a slow line, and wide enough to be read."""
    for path in FOLDER.iterdir():
        assert path.stat().st_size < LARGEST, path
        with Image.open(path) as picture:
            assert picture.width >= 1280
