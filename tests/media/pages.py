"""Pictures with words, made for the tests."""

import importlib.util
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tests.media.samples import RED


def page(*lines: str, size: tuple[int, int] = (900, 420), letters: int = 32) -> Image.Image:
    """A page with a line of words every 80 pixels, `letters` high, and a red block at its foot."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        draw.text((40, 40 + 80 * number), line, fill="black", font=_font(letters))
    draw.rectangle((500, size[1] - 120, 860, size[1] - 20), fill=RED)
    return picture


def photograph() -> Image.Image:
    """Light and noise, as a camera gives them."""
    noise = Image.effect_noise((640, 480), 60).convert("RGB")
    light = Image.radial_gradient("L").resize((640, 480)).convert("RGB")
    return Image.blend(light, noise, 0.4)


def _font(size: int) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK, which has both scripts."""
    found = importlib.util.find_spec("manimgx_fonts_cjk")
    assert found is not None
    assert found.origin is not None
    return ImageFont.truetype(Path(found.origin).parent / "NotoSansCJK-VF.otf.ttc", size)
