"""What a decoder is asked, and what it answers.

Both travel over pipes in frames of `PREFIX`, a message in MessagePack and, with a question, the bytes to decode. A
decoder works on hostile data and is not believed more than a client: its answers are checked like any other input, and
the words of its refusals are chosen here.
"""

import struct
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from rixin.media.sniff import ImageKind

PREFIX: Final = struct.Struct("!II")
"""The bytes of the message, and of the data that follows it."""
MAX_ANSWER: Final = 128 * 2**20
"""Bytes of an answer."""
MAX_THREADS: Final = 4
"""Threads that a description is made by."""


class ImageJob(Struct, frozen=True, kw_only=True, tag="image"):
    """Decode an image."""

    base64: bool
    """Whether the data is base64 text, which is then decoded too."""
    max_bytes: int
    max_pixels: int
    long_edge: int
    cpu_seconds: int


class VideoJob(Struct, frozen=True, kw_only=True, tag="video"):
    """Look at a video, and take `frames` images from it."""

    base64: bool
    max_bytes: int
    max_seconds: float
    long_edge: int
    frames: int
    cpu_seconds: int


class DocumentJob(Struct, frozen=True, kw_only=True, tag="document"):
    """Read the text of a document."""

    kind: Literal["pdf", "docx"]
    base64: bool
    max_bytes: int
    max_pages: int
    max_characters: int
    cpu_seconds: int


class DescribeJob(Struct, frozen=True, kw_only=True, tag="describe"):
    """Say of a picture what can be said without seeing it."""

    base64: bool
    max_bytes: int
    max_pixels: int
    max_characters: int
    """Of all lines together."""
    cpu_seconds: int


Job: TypeAlias = ImageJob | VideoJob | DocumentJob | DescribeJob


class Picture(Struct, frozen=True):
    """An image as it is handed on: upright, not too large, with nothing in it but its pixels."""

    media_type: Literal["image/png", "image/jpeg"]
    data: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9+/]+={0,2}\Z")]
    """Base64."""

    @property
    def url(self) -> str:
        """The image as a data URL."""
        return f"data:{self.media_type};base64,{self.data}"


class Still(Struct, frozen=True, kw_only=True, tag="still"):
    """What an image has become."""

    picture: Picture
    kind: ImageKind
    width: int
    """Pixels of what was decoded, upright."""
    height: int
    size: int
    """Bytes of what was decoded."""
    reduced: bool
    """Whether the picture has fewer pixels than what was decoded."""
    animated: bool
    """Whether what was decoded has more images than this, its first."""


class Frame(Struct, frozen=True):
    """An image of a video, and the second it was taken at."""

    second: float
    picture: Picture


VideoType: TypeAlias = Literal["video/mp4", "video/webm", "video/x-matroska", "video/x-msvideo"]


class Clip(Struct, frozen=True, kw_only=True, tag="clip"):
    """What a video is, and images from it in their order."""

    media_type: VideoType
    seconds: float
    """From the first image to the last one."""
    size: int
    """Bytes of what was decoded."""
    frames: tuple[Frame, ...]


class Block(Struct, frozen=True, kw_only=True):
    """A paragraph, a heading, a table's row, or the text of a page."""

    text: str
    level: int = 0
    """Of a heading, 1 being the outermost; 0 for what is none."""
    page: int | None = None
    """Counted from 1; None where there are no pages."""


class Document(Struct, frozen=True, kw_only=True, tag="document"):
    """The text of a document, in its order."""

    blocks: tuple[Block, ...]


class Color(Struct, frozen=True):
    """A color, and how much of a picture has it or one near to it."""

    share: Annotated[float, Meta(ge=0, le=1)]
    red: Annotated[int, Meta(ge=0, le=255)]
    green: Annotated[int, Meta(ge=0, le=255)]
    blue: Annotated[int, Meta(ge=0, le=255)]


class Line(Struct, frozen=True):
    """A line of words, and the pixels that it takes, from the picture's left upper corner."""

    text: Annotated[str, Meta(max_length=1000)]
    left: int
    top: int
    width: int
    height: int


Texture: TypeAlias = Literal["photograph", "drawn", "either"]
"""Whether a picture was taken by a camera, or drawn, as screens, pages and charts are."""


class Description(Struct, frozen=True, kw_only=True, tag="description"):
    """What can be said of a picture without seeing it."""

    width: int
    height: int
    texture: Texture
    colors: tuple[Color, ...]
    """The most frequent ones, in that order."""
    lines: tuple[Line, ...]
    """In reading order."""
    more_lines: int
    """How many lines were left out."""


class Fault(StrEnum):
    """Why something is not decoded."""

    BASE64 = "base64"
    BYTES = "bytes"
    IMAGE_KIND = "image_kind"
    VIDEO_KIND = "video_kind"
    PIXELS = "pixels"
    IMAGE_BROKEN = "image_broken"
    VIDEO_BROKEN = "video_broken"
    CODEC = "codec"
    SECONDS = "seconds"
    RESOLUTION = "resolution"
    RATE = "rate"
    RESOURCES = "resources"
    DOCUMENT_BROKEN = "document_broken"
    PASSWORD = "password"  # noqa: S105 - it is the lack of one
    PAGES = "pages"
    CHARACTERS = "characters"
    DOCUMENT_KIND = "document_kind"
    NO_TEXT = "no_text"


WORDS: dict[Fault, str] = {
    Fault.BASE64: "it is not base64",
    Fault.BYTES: "it has too many bytes",
    Fault.IMAGE_KIND: "an image should be PNG, JPEG, WebP, GIF or BMP",
    Fault.VIDEO_KIND: "a video should be MP4, WebM, Matroska or AVI",
    Fault.PIXELS: "the image has too many pixels",
    Fault.IMAGE_BROKEN: "the image is damaged or cut off",
    Fault.VIDEO_BROKEN: "the video is damaged or cut off",
    Fault.CODEC: "the video should be in H.264, HEVC, VP8, VP9, AV1 or MPEG-4",
    Fault.SECONDS: "the video is too long",
    Fault.RESOLUTION: "the video has too many pixels",
    Fault.RATE: "the video has too many frames a second",
    Fault.RESOURCES: "it takes too much time or memory to decode",
    Fault.DOCUMENT_BROKEN: "the document is damaged or cut off",
    Fault.PASSWORD: "the document is protected by a password",
    Fault.PAGES: "the document has too many pages",
    Fault.CHARACTERS: "the document has too much text",
    Fault.DOCUMENT_KIND: "a document should be PDF, DOCX or text in UTF-8",
    Fault.NO_TEXT: "the document holds no text, and this model reads nothing else of it",
}
"""What a client is told."""


class Refusal(Struct, frozen=True, tag="refusal"):
    """It is not decoded."""

    fault: Fault
    detail: Annotated[str, Meta(max_length=500)] = ""
    """For the log."""


Answer: TypeAlias = Still | Clip | Document | Description | Refusal

ENCODER = msgspec.msgpack.Encoder()
JOBS = msgspec.msgpack.Decoder(Job)
ANSWERS: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


class RefusedError(Exception):
    """A `Refusal`, raised."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault, detail)
        self.fault = fault
        self.detail = detail
