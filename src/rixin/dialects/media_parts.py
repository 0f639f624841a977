"""Images and videos in parts whose type is the name of the one field that holds them.

The native platform has them so. Every dialect of chats takes them, beside those that it has itself, so that a client
may send the same parts wherever it asks.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from rixin.core.json import JsonValue
from rixin.core.messages import ImagePart, Message, VideoPart

Medium: TypeAlias = ImagePart | VideoPart

MEDIA_PARTS: Final[dict[str, Callable[[str], Medium]]] = {
    "image_url": lambda url: ImagePart(url=url),
    "image_file_id": lambda file_id: ImagePart(file_id=file_id),
    "image_base64": lambda data: ImagePart(base64=data),
    "video_url": lambda url: VideoPart(url=url),
    "video_file_id": lambda file_id: VideoPart(file_id=file_id),
}
"""What a part's text stands for, by its type. Source: SenseNova V6 API documentation, section on image-text chat."""


def read_media_part(value: JsonValue) -> Medium | None:
    """The image or the video that a part holds; None for a part of another kind.

    Args:
        value: The part. A URL may also stand in an object, as `{"url": ...}`.
    """
    if not isinstance(value, dict) or not isinstance(kind := value.get("type"), str):
        return None
    make, held = MEDIA_PARTS.get(kind), value.get(kind)
    if isinstance(held, dict):
        held = held.get("url")
    return make(held) if make is not None and isinstance(held, str) and held else None


def have_media_parts(messages: Iterable[Message]) -> bool:
    """Whether an image or a video came as raw base64 or as the id of a file, which only these parts hold."""
    media = [
        part for message in messages for part in message.parts if type(part) is ImagePart or type(part) is VideoPart
    ]
    return any(part.url is None for part in media) if media else False
