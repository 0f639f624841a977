"""The pictures of docs/gallery.md: whole, readable, and without an invented number."""

import importlib.util
import io
import os
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image, ImageChops, ImageStat

from rixin.core.requests import ImageFormat
from rixin.engines.draw.composing import compose
from rixin.engines.draw.pages import Drawing, draw_page
from rixin.engines.draw.subject import is_chinese
from rixin.engines.draw.templates import choose
from tests.engines.draw.conftest import faults, invented

DOCS = Path(__file__).parents[3] / "docs"
MOST_BYTES = 3 * 2**20
_UNLIKE = 0.5
"""Of 255, the mean difference of pixels that no codec makes; a title that is missing makes 2."""


def _gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gallery = _gallery()
ENTRIES = {entry.name: entry for entry in gallery.entries()}
SOME = list(ENTRIES)[:: 1 if os.environ.get("RIXIN_TEST_ALL") else 5]
"""For what takes seconds a picture: elsewhere than where all must run, a few stand for the rest."""


def drawn(name: str, kind: ImageFormat) -> Drawing:
    """A picture of the gallery in a format."""
    entry = ENTRIES[name]
    composition = compose(entry.prompt, entry.written)
    assert not composition.left_out
    template, palette = choose(style=entry.style, prompt=entry.prompt, quality=None, draw=0, number=0)
    width, height = entry.edges
    return draw_page(
        composition.specification, width=width, height=height, template=template, palette=palette, format=kind
    )


@pytest.mark.parametrize("name", ENTRIES)
def test_words_stand_whole_in_their_frames_and_can_be_read(name: str) -> None:
    """No word of a picture overlaps another, leaves its frame or the page, or has too little contrast."""
    drawing = drawn(name, "svg")
    assert faults(drawing, ENTRIES[name].edges) == []
    assert drawing.dropped == ()


@pytest.mark.parametrize("name", ENTRIES)
def test_numbers_stand_in_the_prompt(name: str) -> None:
    """Every number that a picture shows was given."""
    assert invented(drawn(name, "pdf").content, ENTRIES[name].prompt) == set()


@pytest.mark.parametrize("name", SOME)
async def test_the_pictures_are_what_is_drawn_today(name: str) -> None:
    """Those on the page were made by this code: nothing is left there that it has unlearned, or learned since."""
    with (
        Image.open(io.BytesIO(await gallery.draw(ENTRIES[name]))) as drawn_now,
        Image.open(DOCS / "gallery" / f"{name}.webp") as shown,
    ):
        assert drawn_now.size == shown.size
        difference = ImageChops.difference(drawn_now.convert("RGB"), shown.convert("RGB"))
    assert max(ImageStat.Stat(difference).mean) < _UNLIKE


def test_page_shows_twenty_prompts_in_both_languages() -> None:
    """The page is what its command writes, has all pictures, and is small."""
    assert len(ENTRIES) == 20
    assert sum(is_chinese(entry.prompt) for entry in ENTRIES.values()) == 10
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == gallery.page(list(ENTRIES.values()))
    files = [DOCS / "gallery" / f"{name}.webp" for name in ENTRIES]
    for file, entry in zip(files, ENTRIES.values(), strict=True):
        with Image.open(file) as picture:
            width, height = entry.edges
            assert abs(picture.width / picture.height - width / height) < 0.01
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
