"""The words of the gallery, read back from its pixels."""

import io
import re
from collections import Counter

import pytest
from PIL import Image

from rixin.media.sight import WordReader
from tests.engines.draw.conftest import words_of
from tests.engines.draw.test_gallery import SOME, drawn

LEAST = 0.95
"""The part of the words that must be read back."""
_PIXELS = 1200**2
"""Pixels that a picture is made smaller to, as it would be on a screen."""


@pytest.fixture(scope="module")
def reader() -> WordReader:
    """The reader that describes images to models that see none."""
    return WordReader()


@pytest.mark.parametrize("name", SOME)
def test_words_are_read_back(reader: WordReader, name: str) -> None:
    """Optical character recognition finds at least 95 % of the words that were drawn."""
    with Image.open(io.BytesIO(drawn(name, "png").content)) as image:
        scale = min(1.0, (_PIXELS / (image.width * image.height)) ** 0.5)
        size = (round(image.width * scale), round(image.height * scale))
        picture = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    read = _words(" ".join(line.text for line in reader.read(picture)))
    wanted = _words(words_of(drawn(name, "pdf").content))
    assert (read & wanted).total() / wanted.total() >= LEAST, list((wanted - read).elements())


def _words(text: str) -> Counter[str]:
    """Words of Latin letters, numbers and Chinese characters, each as often as it stands there."""
    return Counter(re.findall(r"[a-z]+|\d[\d.,]*|[\u4e00-\u9fff]", text.lower()))
