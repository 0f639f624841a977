"""What the process that draws is asked, and what it answers.

Both travel over pipes as a length and a message in MessagePack. For one `Job` it answers one `Picture` after the other,
or a `Refusal`.
"""

import struct
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from rixin.core.requests import ImageFormat
from rixin.engines.draw.layout import Frame

LENGTH: Final = struct.Struct("!I")
MAX_ANSWER: Final = 256 * 2**20
"""Bytes of an answer."""


class Job(Struct, frozen=True, kw_only=True):
    """Pictures to draw."""

    prompt: str
    written: str
    """What a model wrote for it; empty where none did."""
    width: int
    height: int
    format: ImageFormat
    n: int
    draw: int
    """What decides where the client did not."""
    style: str
    quality: str | None
    mark: str
    cpu_seconds: int


class Picture(Struct, frozen=True, kw_only=True, tag="picture"):
    """A picture that is drawn."""

    content: bytes
    template: str
    palette: str
    title: str
    header: Frame
    blocks: tuple[Frame, ...]
    """Where each block stands, in pixels."""
    left_out: tuple[str, ...]
    """Kinds of things that found no room, were too many, or cannot be drawn."""
    written: bool
    """Whether a model's words are in it."""


class Refusal(Struct, frozen=True, tag="refusal"):
    """Nothing is drawn."""

    message: str


Answer: TypeAlias = Picture | Refusal

ENCODER = msgspec.msgpack.Encoder()
JOBS = msgspec.msgpack.Decoder(Job)
ANSWERS: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
