"""Images and videos, made for the tests."""

import base64
import importlib
import os
import struct
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from PIL import Image

from rixin.media.jobs import ImageJob, Picture, VideoJob

av: Any = importlib.import_module("av")  # its writing half has no types to speak of

_JOB = {"base64": False, "max_bytes": 45 * 2**20, "long_edge": 2048, "cpu_seconds": 15}

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def image(
    kind: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", color: Any = RED, **options: Any
) -> bytes:
    """An image of one color."""
    return written(Image.new(mode, size, color), kind, **options)


def written(pixels: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """An image as a file of a kind."""
    buffer = BytesIO()
    pixels.save(buffer, kind, **options)
    return buffer.getvalue()


def shown(picture: Picture) -> Image.Image:
    """The pixels of what came out."""
    pixels = Image.open(BytesIO(base64.b64decode(picture.data, validate=True)))
    pixels.load()
    assert pixels.format == picture.media_type.removeprefix("image/").upper()
    return pixels


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))


def png_of(width: int, height: int, *, depth: int = 8, colors: int = 2, data: bytes = b"") -> bytes:
    """A PNG that says it is so large, whatever it holds."""
    header = struct.pack("!IIBBBBB", width, height, depth, colors, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def png_bomb() -> bytes:
    """A PNG of the largest size that may be, of a few bytes."""
    rows = b"".join(b"\0" + bytes(7000 * 4) for _ in range(7000))
    return png_of(7000, 7000, colors=6, data=zlib.compress(rows, 9))


def frame_color(index: int, frames: int) -> tuple[int, int, int]:
    """The color of a frame of `video`."""
    return round(255 * index / frames), 0, 255 - round(255 * index / frames)


def video(
    codec: str = "libx264",
    container: str = "mp4",
    *,
    frames: int = 30,
    rate: int = 10,
    size: tuple[int, int] = (64, 48),
    key_every: int = 10,
    pixels: str = "yuv420p",
    turned: int = 0,
    sound: bool = False,
    **options: str,
) -> bytes:
    """A video that turns from blue to red."""
    buffer = BytesIO()
    with _own_priority(), av.open(buffer, "w", format=container, options=options) as out:
        stream = out.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.gop_size = key_every
        if turned:
            stream.set_display_rotation(turned)
        audio = out.add_stream("aac", rate=44100) if sound else None
        for index in range(frames):
            frame = av.VideoFrame.from_image(Image.new("RGB", size, frame_color(index, frames)))
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if audio is not None:
            quiet = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
            for plane in quiet.planes:
                plane.update(bytes(plane.buffer_size))
            quiet.sample_rate = 44100
            out.mux(audio.encode(quiet))
            out.mux(audio.encode())
    return buffer.getvalue()


@contextmanager
def _own_priority() -> Generator[None]:
    """Gives the thread back the priority that it had.

    The encoder of AV1, run by root, makes the thread that calls it a real-time one. Every process that the tests start
    after that would be too, and leave the machine to nobody else.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def image_job(**options: Any) -> ImageJob:
    """The job of the settings' defaults."""
    job: dict[str, Any] = {**_JOB, "max_pixels": 50_000_000, **options}
    return ImageJob(**job)


def video_job(**options: Any) -> VideoJob:
    """The job of the settings' defaults."""
    job: dict[str, Any] = {**_JOB, "max_seconds": 600.0, "frames": 8, **options}
    return VideoJob(**job)
