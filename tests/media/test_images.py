"""Images, as decoders make them: M5 of the security checklist. The real thing, within this process."""

import struct
import zlib
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from rixin.media.images import decode_image
from rixin.media.jobs import Fault, RefusedError, Still
from tests.media.samples import BLUE, GREEN, RED, image, image_job, png_of, shown, written


def decoded(data: bytes, **options: Any) -> Still:
    """What an image becomes."""
    return decode_image(data, image_job(**options))


def refused(data: bytes, **options: Any) -> Fault:
    """Why an image is not decoded."""
    with pytest.raises(RefusedError) as caught:
        decoded(data, **options)
    return caught.value.fault


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/png"), ("GIF", "image/png"), ("BMP", "image/png")],
)
def test_every_kind_is_written_anew(kind: str, media_type: str):
    """A photograph stays JPEG, everything else becomes PNG."""
    data = image(kind)
    still = decoded(data)
    assert still.picture.media_type == media_type
    assert (still.size, still.reduced, still.animated) == (len(data), False, False)
    pixels = shown(still.picture)
    assert (pixels.mode, pixels.size) == ("RGB", (40, 30))
    assert _near(pixels.getpixel((20, 15)), RED)


def test_a_large_photograph_in_png_becomes_jpeg():
    """A picture whose PNG is too large, and through which nothing shines, is one that JPEG holds better."""
    noise = Image.effect_noise((900, 900), 90).convert("RGB")
    assert decoded(written(noise)).picture.media_type == "image/jpeg"
    noise.putalpha(128)
    assert decoded(written(noise)).picture.media_type == "image/png"


@pytest.mark.parametrize(
    ("mode", "kind", "color", "expected"),
    [
        ("1", "PNG", 1, 255),
        ("L", "PNG", 200, 200),
        ("LA", "PNG", (200, 128), (200, 200, 200, 128)),
        ("P", "PNG", 0, (0, 0, 0)),
        ("RGBA", "PNG", (255, 0, 0, 128), (255, 0, 0, 128)),
        ("RGBA", "PNG", (255, 0, 0, 255), RED),
        ("RGBA", "WEBP", (255, 0, 0, 0), (0, 0, 0, 0)),
        ("I;16", "PNG", 200 * 256, 200),
        ("I;16", "PNG", 65535, 255),
        ("L", "JPEG", 200, 200),
        ("CMYK", "JPEG", (0, 255, 255, 0), RED),
    ],
    ids=lambda value: f"M5 {value}" if isinstance(value, str) else "",
)
def test_m5_every_mode_becomes_a_plain_one(mode: str, kind: str, color: Any, expected: Any):
    """CMYK, palettes, sixteen bits and an alpha channel that hides nothing are not handed on."""
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    pixels = shown(decoded(image(kind, mode=mode, color=color, **options)).picture)
    assert pixels.mode in ("RGB", "RGBA", "L")
    assert _near(pixels.getpixel((20, 15)), expected)


def test_a_transparent_palette_becomes_alpha():
    """Where the palette's clear color was, the picture is clear."""
    pixels = Image.new("P", (40, 30), 1)
    pixels.putpalette([0, 0, 0, 255, 0, 0])
    pixels.paste(0, (0, 0, 20, 30))
    result = shown(decoded(written(pixels, "GIF", transparency=0)).picture)
    assert result.mode == "RGBA"
    assert result.getpixel((5, 5))[3] == 0  # pyright: ignore[reportIndexIssue, reportOptionalSubscript] - of four
    assert result.getpixel((30, 5)) == (*RED, 255)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((2048, 100), (2048, 100)), ((4096, 1024), (2048, 512)), ((100, 4000), (51, 2048)), ((3000, 1), (2048, 1))],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_long_edge_is_reduced(kind: str, size: tuple[int, int], expected: tuple[int, int]):
    """To the bound, in proportion, and never to nothing; what is small enough stays."""
    still = decoded(image(kind, size))
    assert shown(still.picture).size == expected
    assert still.reduced == (size != expected)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_orientation_is_applied(kind: str, orientation: int):
    """A camera's turn is undone: the corner that was painted comes out above to the left."""
    upright = Image.new("RGB", (60, 40), GREEN)
    upright.paste(BLUE, (0, 0, 20, 20))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    turned = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = shown(decoded(written(turned, kind, exif=exif)).picture)
    assert pixels.size == (60, 40)
    assert _near(pixels.getpixel((5, 5)), BLUE)
    assert _near(pixels.getpixel((55, 5)), GREEN)
    assert _near(pixels.getpixel((5, 35)), GREEN)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_m5_an_orientation_that_is_none_is_passed_over(orientation: int):
    """Cameras write zeros."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert shown(decoded(image("JPEG", exif=exif)).picture).size == (40, 30)


def test_metadata_is_stripped():
    """Where a photograph was taken, by whom and with what, is nobody's business any more."""
    exif = Image.Exif()
    exif[0x010E] = "Secret Place"
    exif.get_ifd(0x8825)[1] = "N"
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "Secret Place")
    texts.add_itxt("XML:com.adobe.xmp", "Secret Place")
    files = [
        image("JPEG", exif=exif, comment=b"Secret Place", icc_profile=b"Secret Place", dpi=(300, 300)),
        image("PNG", exif=exif, pnginfo=texts, icc_profile=b"Secret Place"),
        image("WEBP", exif=exif, xmp=b"Secret Place", icc_profile=b"Secret Place"),
        image("GIF", comment=b"Secret Place"),
    ]
    for data in files:
        pixels = shown(decoded(data).picture)
        assert not pixels.getexif()
        assert set(pixels.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_m5_only_the_first_image_of_an_animation_is_decoded(kind: str):
    """However many there are; that there are more is told."""
    rest = [Image.new("RGB", (40, 30), (0, 0, index)) for index in range(100)]
    still = decoded(written(Image.new("RGB", (40, 30), RED), kind, save_all=True, append_images=rest))
    assert still.animated
    assert _near(shown(still.picture).getpixel((5, 5)), RED)


def test_a_photograph_beside_its_preview_is_no_animation():
    """Phones write several images into one JPEG (MPO)."""
    still = decoded(
        written(Image.new("RGB", (40, 30), RED), "MPO", save_all=True, append_images=[Image.new("RGB", (4, 3))])
    )
    assert still.picture.media_type == "image/jpeg"
    assert not still.animated


@pytest.mark.parametrize(
    "data",
    [
        png_of(50_000, 50_000),
        png_of(50_000, 50_000, depth=1, colors=0, data=zlib.compress(bytes(10**6))),
        png_of(2**31 - 1, 2**31 - 1),
        b"GIF89a" + b"\xff" * 4 + bytes(3) + b"," + bytes(4) + b"\xff" * 4 + b"\0\2\2\x44\1\0;",
        b"BM" + (1000).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
        + (40).to_bytes(4, "little") + (60_000).to_bytes(4, "little") * 2 + b"\x01\x00\x18\x00" + bytes(24),
    ],
    ids=["M5 50k x 50k PNG", "M5 1-bit bomb", "M5 largest PNG", "M5 65535 x 65535 GIF", "M5 60000 x 60000 BMP"],
)  # fmt: skip
def test_m5_pixels_are_counted_before_they_are_decoded(data: bytes):
    """A file of a few bytes that says it is huge costs no more than its head."""
    assert refused(data) is Fault.PIXELS


def test_m5_the_bound_of_pixels_is_exact():
    """As many as may be may be."""
    assert decoded(image(size=(100, 100)), max_pixels=10_000)
    assert refused(image(size=(100, 101)), max_pixels=10_000) is Fault.PIXELS


DISGUISED = {
    "M5 SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "M5 SVG with a declaration": b'<?xml version="1.0"?><!DOCTYPE svg SYSTEM "http://127.0.0.1/"><svg/>',
    "M5 PDF": b"%PDF-1.7\n1 0 obj",
    "M5 PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file",
    "M5 HEIC": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "M5 AVIF": b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1",
    "M5 TIFF": image("TIFF"),
    "M5 JPEG 2000": image("JPEG2000"),
    "M5 ICO": image("ICO"),
    "M5 PPM": image("PPM"),
    "M5 TGA": image("TGA"),
    "M5 HTML": b"<html><body>404</body></html>",
    "M5 ImageMagick": b"push graphic-context\nviewbox 0 0 640 480\nfill 'url(https://127.0.0.1/)'",
    "M5 polyglot with a head before": b"GIF89" + image(),
    "M5 image behind a newline": b"\n" + image(),
    "M5 RIFF of another kind": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "M5 nothing": b"",
}


@pytest.mark.parametrize("data", DISGUISED.values(), ids=DISGUISED.keys())
def test_m5_what_is_no_image_of_five_kinds_is_refused(data: bytes):
    """By its first bytes, and before any library sees it."""
    assert refused(data) is Fault.IMAGE_KIND


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_m5_a_truncated_image_is_refused(kind: str, share: float):
    """What is not there is not made up."""
    data = written(Image.effect_noise((80, 60), 90).convert("RGB"), kind)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever Pillow raises; the decoder's border turns it into a refusal
        decoded(data[: int(len(data) * share)])


def test_m5_what_follows_an_image_is_gone():
    """A file that is an image and an archive at once comes out as an image only."""
    archive = b"PK\x03\x04" + b"secret" * 100
    for kind in ("PNG", "JPEG", "GIF"):
        assert b"secret" not in written(shown(decoded(image(kind) + archive).picture))


@pytest.mark.parametrize(
    "ifd",
    [
        # Entries are tag, type, count, value; all little-endian.
        struct.pack("<H", 65535) + struct.pack("<HHII", 0x0112, 3, 1, 1) * 5000,
        struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8),
        struct.pack("<HHHIII", 1, 0x010E, 2, 2**32 - 1, 26, 0),
        struct.pack("<HHHIII", 1, 0x0112, 3, 2**31, 26, 0),
        b"\xff" * 60_000,
    ],
    ids=[f"M5 EXIF {name}" for name in ("of 65535 entries", "within itself", "of 4 GB", "of 2^31 turns", "of noise")],
)
def test_m5_an_exif_bomb_costs_nothing(ifd: bytes):
    """The picture comes out, or is refused; it is never what the head says that decides how much is read."""
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + ifd
    try:
        pixels = shown(decoded(image("JPEG", exif=exif[:65_000])).picture)
    except Exception:  # noqa: BLE001 - whatever Pillow raises; the decoder's border turns it into a refusal
        return
    assert pixels.size == (40, 30)


def test_m5_a_text_that_inflates_is_not_read():
    """A compressed comment of a PNG may be a bomb of its own."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "x" * 10**8, zip=True)
    data = image(pnginfo=texts)
    assert len(data) < 200_000
    with pytest.raises(ValueError, match="too large"):
        decoded(data)


def _near(found: Any, expected: Any) -> bool:
    """Whether two colors look alike; JPEG changes them a little."""
    one, other = ([value] if isinstance(value, int) else [*value] for value in (found, expected))
    return other == pytest.approx(one, abs=12)
