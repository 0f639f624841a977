"""Palettes, and the colours that are derived from them."""

from itertools import product

import pytest

from rixin.engines.draw.palettes import CONTRAST, PALETTES, Palette, colors, contrast, mix


def test_contrast_is_that_of_the_guidelines() -> None:
    """Black on white has 21, a colour on itself 1; text needs 4.5 (WCAG 2.2)."""
    assert CONTRAST == 4.5
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_mix_goes_from_one_colour_to_the_other() -> None:
    """A part of one and the rest of the other."""
    assert (mix("#ff0000", "#0000ff", 1), mix("#ff0000", "#0000ff", 0)) == ("#ff0000", "#0000ff")
    assert mix("#ffffff", "#000000", 0.5) == "#808080"


def test_there_are_eight() -> None:
    """Eight palettes with names of their own."""
    assert len({palette.name for palette in PALETTES}) == 8


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_every_text_can_be_read_on_every_ground(palette: Palette) -> None:
    """No pair of text and ground that a page may have falls below 4.5:1."""
    made = colors(palette)
    pairs = [
        *product((made.ink, made.muted, *made.deeps), made.grounds),
        *zip(made.ons, made.accents, strict=True),
        *product((made.on_band, made.on_band_muted), (made.band, made.band_wash)),
    ]
    assert [pair for pair in pairs if contrast(*pair) < CONTRAST] == []
    assert all(contrast(mark, accent) >= 3 for mark, accent in zip(made.marks, made.accents, strict=True))
