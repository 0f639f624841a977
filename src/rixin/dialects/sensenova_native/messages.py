"""A request's messages, read."""

from collections.abc import Callable

from rixin.core.messages import ImagePart, Message, Part, Role, TextPart, VideoPart
from rixin.dialects.media_parts import MEDIA_PARTS
from rixin.dialects.openai_chat.bounds import MAX_MESSAGES, MAX_PARTS, check_size, check_word
from rixin.dialects.sensenova_native.bounds import MAX_IMAGES, MAX_VIDEOS
from rixin.dialects.sensenova_native.wire import ContentPart, WireMessage
from rixin.errors import invalid

ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}

KINDS: dict[str, Callable[[str], Part]] = {"text": TextPart, **MEDIA_PARTS}
"""What a part's text stands for, by its type, which is also the name of the field that holds it."""


def read_messages(messages: list[WireMessage]) -> tuple[Message, ...]:
    """The conversation.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the message and its field.
    """
    if not messages:
        raise invalid("invalid messages, should have at least one message.", "messages")
    check_size(len(messages), MAX_MESSAGES, "messages", "messages")
    read = tuple(_message(message, f"messages[{position}]") for position, message in enumerate(messages))
    if read[-1].role != "user":
        raise invalid("invalid messages, the last message should be of role user.", f"messages[{len(read) - 1}].role")
    _check_media(read)
    return read


def _message(message: WireMessage, path: str) -> Message:
    check_word(message.role, tuple(ROLES), f"{path}.role")
    content, path = message.content, f"{path}.content"
    if isinstance(content, str):
        return Message(role=ROLES[message.role], parts=(TextPart(content),) if content else ())
    check_size(len(content), MAX_PARTS, path, "parts")
    parts = tuple(_part(part, f"{path}[{index}]") for index, part in enumerate(content))
    return Message(role=ROLES[message.role], parts=parts)


def _part(part: ContentPart, path: str) -> Part:
    kind = part.type
    if kind is None:
        held = [name for name in KINDS if getattr(part, name) is not None]
        if len(held) != 1:
            raise invalid(f"invalid {path}.type, it is required.", f"{path}.type")
        kind = held[0]
    check_word(kind, tuple(KINDS), f"{path}.type")
    value: str | None = getattr(part, kind)
    if value is None or (not value and kind != "text"):
        raise invalid(f"invalid {path}.{kind}, it is required.", f"{path}.{kind}")
    return KINDS[kind](value)


def _check_media(messages: tuple[Message, ...]) -> None:
    parts = [part for message in messages for part in message.parts]
    images = sum(isinstance(part, ImagePart) for part in parts)
    videos = sum(isinstance(part, VideoPart) for part in parts)
    check_size(images, MAX_IMAGES, "messages", "images")
    check_size(videos, MAX_VIDEOS, "messages", "video")
    if images and videos:
        raise invalid("invalid messages, should have images or a video, not both.", "messages")
