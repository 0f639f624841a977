"""What can be said of pictures without seeing them: M5 of the security checklist. The real thing, in this process."""

import pytest
from PIL import Image, ImageDraw, ImageOps

from rixin.media.jobs import DescribeJob, Description, Fault, RefusedError, Texture
from rixin.media.sight import WordReader, describe
from tests.media.pages import page, photograph
from tests.media.samples import BLUE, image, png_of, written

LINES = ("Quarterly report 2026", "第三季度销售额增长百分之十二", "Revenue grew by 12 %")


@pytest.fixture(scope="module")
def reader() -> WordReader:
    """The nets, loaded once."""
    return WordReader()


def seen(reader: WordReader, data: bytes, *, max_pixels: int = 10**7, max_characters: int = 10**4) -> Description:
    """What is said of a picture."""
    job = DescribeJob(
        base64=False, max_bytes=10**8, max_pixels=max_pixels, max_characters=max_characters, cpu_seconds=60
    )
    return describe(data, job, reader)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_words_are_read_where_they_stand(reader: WordReader, kind: str):
    """English and Chinese, in their order, each line within the pixels that it was drawn on."""
    found = seen(reader, written(page(*LINES), kind))
    assert tuple(line.text.replace(" ", "") for line in found.lines) == tuple(line.replace(" ", "") for line in LINES)
    assert (found.width, found.height, found.more_lines) == (900, 420, 0)
    for number, line in enumerate(found.lines):
        assert 20 < line.left < 60
        assert 20 + 80 * number < line.top < 80 + 80 * number
        assert 20 < line.height < 60
        assert 250 < line.width < 550


def test_colors_are_told_by_their_share(reader: WordReader):
    """The most frequent first, and none that hardly anything has."""
    picture = Image.new("RGB", (400, 300), "white")
    ImageDraw.Draw(picture).rectangle((0, 0, 399, 99), fill=BLUE)
    first, second = seen(reader, written(picture)).colors
    assert (first.share, (first.red, first.green, first.blue)) == (pytest.approx(0.67, abs=0.02), (255, 255, 255))
    assert (second.share, (second.red, second.green, second.blue)) == (pytest.approx(0.33, abs=0.02), BLUE)


@pytest.mark.parametrize(
    ("picture", "texture"),
    [(page(*LINES), "drawn"), (Image.new("RGB", (50, 50), "red"), "drawn"), (photograph(), "photograph")],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_screen_is_told_from_a_photograph(reader: WordReader, picture: Image.Image, texture: Texture, kind: str):
    """By how often neighbors are alike and how few colors there are."""
    assert seen(reader, written(picture, kind, **({"quality": 90} if kind == "JPEG" else {}))).texture == texture


def test_what_is_clear_is_white(reader: WordReader):
    """As it is on a page: black words on nothing stay legible."""
    words = page(LINES[0]).crop((0, 0, 900, 200))
    ink = ImageOps.invert(words.convert("L"))
    words.putalpha(ink)
    assert [line.text for line in seen(reader, written(words)).lines] == [LINES[0]]


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (16, 16), (2048, 40)])
def test_m5_every_size_is_described(reader: WordReader, size: tuple[int, int]):
    """Also those that no words fit into."""
    found = seen(reader, image(size=size))
    assert (found.width, found.height) == size
    assert found.lines == ()


def test_m5_so_many_characters_are_told(reader: WordReader):
    """Whole lines, and how many there are besides."""
    found = seen(reader, written(page(*LINES)), max_characters=40)
    assert (len(found.lines), found.more_lines) == (2, 1)


@pytest.mark.parametrize(("data", "max_pixels"), [(png_of(50_000, 50_000), 10**7), (image(size=(101, 100)), 10_000)])
def test_m5_pixels_are_counted_before_they_are_decoded(reader: WordReader, data: bytes, max_pixels: int):
    """What was decoded before is not believed either."""
    with pytest.raises(RefusedError) as caught:
        seen(reader, data, max_pixels=max_pixels)
    assert caught.value.fault is Fault.PIXELS


@pytest.mark.parametrize("data", [b"", b"GIF89a", image("GIF"), image("PNG")[:60]])
def test_m5_what_is_no_picture_of_ours_is_refused(reader: WordReader, data: bytes):
    """PNG and JPEG are what is made of every image; nothing else is opened."""
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever Pillow raises; the decoder's border turns it into a refusal
        seen(reader, data)
