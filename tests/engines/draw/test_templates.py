"""Which look a request's words choose."""

import pytest

from rixin.engines.draw.palettes import PALETTES
from rixin.engines.draw.templates import TEMPLATES, choose


def look(
    style: str = "", prompt: str = "", quality: str | None = None, draw: int = 0, number: int = 0
) -> tuple[str, str]:
    """The names of the template and the palette."""
    template, palette = choose(style=style, prompt=prompt, quality=quality, draw=draw, number=number)
    return template.name, palette.name


def test_there_are_at_least_six_templates() -> None:
    """Names are their own, and so are the palettes that they suggest."""
    assert len({template.name for template in TEMPLATES}) >= 6
    assert all(name in {p.name for p in PALETTES} for template in TEMPLATES for name in template.palettes)


@pytest.mark.parametrize("template", [template.name for template in TEMPLATES])
@pytest.mark.parametrize("palette", [palette.name for palette in PALETTES])
def test_names_choose_themselves(template: str, palette: str) -> None:
    """A style that names both gets both."""
    assert look(f"{template}, {palette}", draw=5) == (template, palette)


def test_words_for_a_look_are_understood() -> None:
    """Styles and colours in words, in both languages; those of the style before those of the prompt."""
    assert look("minimalist")[0] == "editorial"
    assert look("商务风格")[0] == "report"
    assert look(prompt="Use warm colors")[1] == "sunset"
    assert look("purple", prompt="绿色")[1] == "grape"


@pytest.mark.parametrize(("quality", "ornate"), [("high", True), ("HD", True), ("low", False)])
def test_quality_chooses_among_templates(quality: str, ornate: bool) -> None:
    """High quality takes ornate templates, low quality plain ones."""
    by_name = {template.name: template for template in TEMPLATES}
    assert {by_name[look(quality=quality, draw=draw)[0]].ornate for draw in range(40)} == {ornate}


def test_the_same_draw_decides_alike_and_each_number_otherwise() -> None:
    """Every template is reached, and pictures of one request differ."""
    assert look(draw=9) == look(draw=9)
    assert {look(draw=draw)[0] for draw in range(len(TEMPLATES))} == {template.name for template in TEMPLATES}
    assert len({look("poster, ocean", draw=3, number=number)[0] for number in range(4)}) == 4
