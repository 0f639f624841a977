"""Decodes images and writes them anew. Runs in a decoder process only.

Nothing is decoded before its kind, bytes and pixels are known to be within their bounds. Of an animation only the first
image is looked at, so that the number of its frames costs nothing.
"""

import base64
from io import BytesIO
from typing import Final

from PIL import Image, MpoImagePlugin, WebPImagePlugin

from rixin.media.jobs import Fault, ImageJob, Picture, RefusedError, Still
from rixin.media.sniff import sniff_image

Image.preinit()  # a decoder may open no files once it works, so that all of Pillow is imported with this module
PLUGINS = (MpoImagePlugin, WebPImagePlugin)
"""What `preinit` leaves to the first image that needs it."""
Image.MAX_IMAGE_PIXELS = None  # ours is told in the job, and is checked before anything is decoded

_ORIENTATION: Final = 0x0112
"""The EXIF tag (EXIF 2.3, section 4.6.4)."""
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes an orientation."""
_SIDEWAYS = frozenset(_UPRIGHT[orientation] for orientation in (5, 6, 7, 8))
_ANIMATED = frozenset({"PNG", "WEBP", "GIF"})
"""Kinds of which several images are an animation, and not a photograph beside its depth map."""
_QUALITY: Final = 90
_LARGE_PNG: Final = 2 * 2**20
"""Bytes from which on a PNG without transparency is a photograph that JPEG holds better."""


def decode_image(data: bytes, job: ImageJob) -> Still:
    """An image's pixels, upright and reduced, as PNG or JPEG.

    Raises:
        RefusedError: It is no image of a kind that is taken, or is too large.
        Exception: Whatever Pillow raises for an image that is damaged.
    """
    kind = sniff_image(data)
    if kind is None:
        raise RefusedError(Fault.IMAGE_KIND)
    with Image.open(BytesIO(data), formats=(kind,)) as image:
        full = image.size
        if full[0] * full[1] > job.max_pixels:
            raise RefusedError(Fault.PIXELS, f"{kind}, {full[0]}x{full[1]}")
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
        animated = kind in _ANIMATED and bool(getattr(image, "is_animated", False))
        image.draft(None, reduced(full, job.long_edge))
        image.load()
        pixels = _plain(image)
    picture = encode(pixels, job.long_edge, lossy=kind == "JPEG", turn=turn)
    width, height = reversed(full) if turn in _SIDEWAYS else full
    reduction = max(full) > job.long_edge
    return Still(
        picture=picture, kind=kind, width=width, height=height, size=len(data), reduced=reduction, animated=animated
    )


def encode(pixels: Image.Image, long_edge: int, *, lossy: bool, turn: Image.Transpose | None = None) -> Picture:
    """Pixels (`RGB`, `RGBA` or `L`) as a picture of bounded size.

    Args:
        pixels: The image.
        long_edge: Pixels of its longer edge.
        lossy: Whether JPEG was good enough for it before.
        turn: What sets it upright.
    """
    if max(pixels.size) > long_edge:
        pixels = pixels.resize(reduced(pixels.size, long_edge), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if turn is not None:
        pixels = pixels.transpose(turn)
    buffer = BytesIO()
    if pixels.mode == "RGBA" or not lossy:
        pixels.save(buffer, "PNG", compress_level=4)
        if pixels.mode == "RGBA" or buffer.tell() <= _LARGE_PNG:
            return Picture("image/png", base64.b64encode(buffer.getvalue()).decode("ascii"))
        buffer = BytesIO()
    pixels.save(buffer, "JPEG", quality=_QUALITY)
    return Picture("image/jpeg", base64.b64encode(buffer.getvalue()).decode("ascii"))


def reduced(size: tuple[int, int], long_edge: int) -> tuple[int, int]:
    """Width and height in the same proportion, the longer one at most `long_edge`."""
    width, height = size
    scale = min(1.0, long_edge / max(size))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _plain(image: Image.Image) -> Image.Image:
    """An image in one of the three modes that are written, without anything beside its pixels."""
    if image.mode.startswith("I"):
        # Sixteen bits: `convert` would take all that is brighter than 255 for white.
        image = image.point(lambda value: value / 256).convert("L")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() == (255, 255):
            image = image.convert("RGB")
    elif image.mode not in ("RGB", "L"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    image.info = {}  # the writers take profiles, comments and more from it
    return image
