"""What bytes are by how they begin: the only thing that is believed of a client's or a server's word on them."""

from typing import Final, Literal, TypeAlias

ImageKind: TypeAlias = Literal["PNG", "JPEG", "WEBP", "GIF", "BMP"]
"""Images that are decoded, by Pillow's names of their formats."""
VideoKind: TypeAlias = Literal["mp4", "matroska", "avi"]
"""Videos that are decoded, by FFmpeg's names of their containers."""

HEAD: Final = 64
"""Bytes that suffice to tell."""

_STILL_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})
"""Brands of ISO media files that hold pictures, such as HEIC and AVIF, which are not decoded."""


def sniff_image(data: bytes) -> ImageKind | None:
    """The kind of an image; None for everything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"BM") and data[6:10] == bytes(4):
        return "BMP"
    return None


def sniff_video(data: bytes) -> VideoKind | None:
    """The kind of a video's container; None for everything else."""
    if data[4:8] == b"ftyp" and data[8:12] not in _STILL_BRANDS:
        return "mp4"
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if data.startswith(b"RIFF") and data[8:12] == b"AVI ":
        return "avi"
    return None
