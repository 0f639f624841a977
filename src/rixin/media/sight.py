"""Says of a picture what can be said without seeing it: its words and their places, its colors, whether it was drawn.
Runs in a decoder process only.
"""

import os
from collections.abc import Sequence
from importlib import import_module
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, Protocol, cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rixin.media.jobs import MAX_THREADS, Color, DescribeJob, Description, Fault, Line, RefusedError, Texture

Image.preinit()  # as in `images`: what opens a picture is imported while files are in reach

_NETS: Final = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
"""Nets that are in rapidocr's package. They are named by their files, since it would download others."""
_LONG_EDGE: Final = 1600
"""Pixels of a picture's longer edge as words are looked for in it."""
_LEAST_EDGE: Final = 48
_LEAST_SCORE: Final = 0.8
"""Of a line that is told; shapes that are no letters come to 0.75."""
_SAMPLE: Final = 256
"""Pixels of the longer edge of the sample that colors are counted in."""
_COLORS: Final = 4
_LEAST_SHARE: Final = 0.03
_BITS: Final = 4
"""Of a channel that tell colors apart."""
_NEAR: Final = 1
"""By how much neighbors may differ in a channel and still count as equal."""
_LONGEST: Final = 1000
"""Characters of a line."""


class Found(Protocol):
    """What rapidocr finds: for each line its corners and its words; None for none."""

    boxes: Any
    txts: Sequence[str] | None


class WordReader:
    """Finds words, in Latin scripts, Chinese and Japanese. All that it needs is loaded once it is made."""

    def __init__(self) -> None:
        package: Any = import_module("rapidocr")  # the optional one
        nets = Path(cast("str", package.__file__)).parent / "models"
        threads = min(MAX_THREADS, os.cpu_count() or 1)
        self._find: Any = package.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.max_side_len": _LONG_EDGE,
                "Global.text_score": _LEAST_SCORE,
                # What is small is not made larger: a line of single pixels would become a hundred times as long.
                "Global.min_side_len": 1,
                "Det.limit_side_len": 1,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                **{f"{net}.model_path": str(nets / file) for net, file in _NETS.items()},
            }
        )
        self.read(_example())  # each net is loaded for the first picture that needs it

    def read(self, picture: Image.Image) -> list[Line]:
        """The lines of a picture (`RGB`), in reading order."""
        found = cast("Found", self._find(_padded(picture)))
        if not found.txts:
            return []
        corners = np.rint(np.asarray(found.boxes)).astype(int)
        low, high = corners.min(axis=1).clip(0), corners.max(axis=1)
        places = np.hstack([low, (high - low).clip(0)]).tolist()
        return [Line(text[:_LONGEST], *place) for text, place in zip(found.txts, places, strict=True)]


def describe(data: bytes, job: DescribeJob, reader: WordReader) -> Description:
    """What can be said of a picture.

    Raises:
        RefusedError: It has too many pixels.
        Exception: Whatever Pillow raises for what is no picture.
    """
    with Image.open(BytesIO(data), formats=("PNG", "JPEG")) as image:
        if image.width * image.height > job.max_pixels:
            raise RefusedError(Fault.PIXELS)
        picture = _on_white(image)
    lines = reader.read(picture)
    told = _first(lines, job.max_characters)
    colors, concentration = _colors(_sample(picture))
    return Description(
        width=picture.width,
        height=picture.height,
        texture=_texture(_flatness(picture), concentration),
        colors=colors,
        lines=told,
        more_lines=len(lines) - len(told),
    )


def _first(lines: list[Line], characters: int) -> tuple[Line, ...]:
    """As many lines as have no more characters together."""
    ends = accumulate(len(line.text) for line in lines)
    return tuple(line for line, end in zip(lines, ends, strict=True) if end <= characters)


def _padded(picture: Image.Image) -> Image.Image:
    """A picture that is large enough for a line of words."""
    if min(picture.size) >= _LEAST_EDGE:
        return picture
    paper = Image.new("RGB", (max(picture.width, _LEAST_EDGE), max(picture.height, _LEAST_EDGE)), "white")
    paper.paste(picture)
    return paper


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    return paper.convert("RGB")


def _sample(picture: Image.Image) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Some of the pixels, as they are."""
    scale = max(1, max(picture.size) // _SAMPLE)
    return np.asarray(picture)[scale // 2 :: scale, scale // 2 :: scale].reshape(-1, 3)


def _colors(pixels: "np.ndarray[Any, np.dtype[np.uint8]]") -> tuple[tuple[Color, ...], float]:
    """The most frequent colors, and the share of all pixels that they have together."""
    steps = (pixels >> (8 - _BITS)).astype(np.uint16)
    groups = (steps[:, 0] << (2 * _BITS)) | (steps[:, 1] << _BITS) | steps[:, 2]
    names, members, counts = np.unique(groups, return_inverse=True, return_counts=True)
    frequent = np.argsort(counts)[::-1][:_COLORS]
    colors: list[Color] = []
    for group in frequent.tolist():
        red, green, blue = np.median(pixels[members == group], axis=0).astype(int).tolist()
        colors.append(Color(round(float(counts[group]) / len(pixels), 3), red, green, blue))
    together = sum(color.share for color in colors)
    told = tuple(color for color in colors if color.share >= _LEAST_SHARE) or tuple(colors[:1])
    return told, min(1.0, together) if len(names) > 1 else 1.0


def _flatness(picture: Image.Image) -> float:
    """The share of pixels that are like their right neighbor: high where areas were filled, low where light fell."""
    pixels = np.asarray(picture)[:: max(1, picture.height // 512)].astype(np.int16)
    if picture.width < 2:
        return 1.0
    return float((np.abs(np.diff(pixels, axis=1)).max(axis=2) <= _NEAR).mean())


def _texture(flatness: float, concentration: float) -> Texture:
    drawn = (flatness > 0.75) + (concentration > 0.7)
    return "drawn" if drawn == 2 else "photograph" if drawn == 0 else "either"


def _example() -> Image.Image:
    """A picture with a word."""
    picture = Image.new("RGB", (320, 96), "white")
    ImageDraw.Draw(picture).text((20, 20), "Rixin", fill="black", font=ImageFont.load_default(48))
    return picture
