"""Pictures, and what is looked for in each of them."""

import io
from itertools import combinations

import pypdf
import pytest

from rixin.core.cards import ModelCard
from rixin.core.requests import Draw
from rixin.engines.draw.numerals import given_numbers, numbers
from rixin.engines.draw.pages import Drawing
from rixin.engines.draw.palettes import CONTRAST, contrast
from tests.support.svg_page import Box, SvgPage

CARD = ModelCard(name="sensenova-u1-fast", target="draw", operations=("draw",))


def faults(drawing: Drawing, size: tuple[int, int]) -> list[str]:
    """What is wrong with where the words of an SVG stand, and with their colours; empty where nothing is."""
    page = SvgPage(drawing.content)
    whole = Box(0, 0, *size)
    frames = [
        Box(frame.x, frame.y, frame.x + frame.width, frame.y + frame.height)
        for frame in (drawing.header, *(frame for _, frame in drawing.blocks))
    ]
    texts = page.texts
    found = [f"beyond the page: {text.box}" for text in texts if not whole.holds(text.box)]
    found += [f"in no frame: {t.box}" for t in texts if not any(frame.holds(t.box, 2.0) for frame in frames)]
    found += [f"overlap: {a.box} {b.box}" for a, b in combinations(texts, 2) if a.box.meets(b.box, 1.5)]
    found += [
        f"{text.fill} on {ground}"
        for text in texts
        for ground in page.grounds(text)
        if contrast(text.fill, ground) < CONTRAST
    ]
    found += [f"frames overlap: {a} {b}" for a, b in combinations(frames, 2) if a.meets(b, 1.0)]
    return found if texts else ["no words at all"]


def words_of(pdf: bytes) -> str:
    """The words of a picture, in no particular order."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def invented(pdf: bytes, prompt: str) -> set[str]:
    """The numbers of a picture that do not stand in its prompt."""
    digits = {number for number in numbers(words_of(pdf)) if number[0].isdigit()}
    plain = {number.rstrip("%‰万亿千百kmbnilotrusadh") for number in given_numbers(prompt)}
    return {number for number in digits if number.rstrip("%‰万亿千百kmbnilotrusadh") not in plain}


@pytest.fixture
def card() -> ModelCard:
    """What the engine's model is called by."""
    return CARD


def request(prompt: str, **fields: object) -> Draw:
    """A request for a picture of a prompt."""
    return Draw(model=CARD.name, card=CARD, prompt=prompt, **fields)  # pyright: ignore[reportArgumentType]
