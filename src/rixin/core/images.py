"""Images as they come from those who draw."""

from msgspec import Struct

from rixin.core.json import JsonValue
from rixin.core.requests import Change, ImageFormat
from rixin.core.usage import Usage


class Image(Struct, frozen=True, kw_only=True):
    """One image."""

    content: bytes | str
    """The file itself, or the URL at which its maker keeps it for a while."""
    format: ImageFormat
    size: tuple[int, int] | None = None
    """Width and height in pixels, where known."""
    revised_prompt: str | None = None
    """What was drawn in the prompt's place, where a model wrote it anew."""


class Images(Struct, frozen=True, kw_only=True):
    """All images of a request. `usage` is None where none was reported."""

    model: str
    images: tuple[Image, ...]
    usage: Usage | None = None
    told: dict[str, JsonValue] = {}
    """What else an upstream told, in its dialect's words."""
    changes: tuple[Change, ...] = ()
    """What the engine did to the request, and what it left out."""
