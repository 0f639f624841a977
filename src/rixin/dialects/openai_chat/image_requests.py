"""Requests for images: `POST /v1/images/generations` and `/v1/images/edits`.

Sources: the SenseNova token platform's guide and its skills; OpenAI's Images reference, by which edits come as a form.

Decisions where the sources leave one:

- A size that a model does not draw is refused with the nearest one that it does, or brought to that where the model's
  card says so. `auto` leaves it to the model. What a model draws of which nothing is known is for its upstream to say.
- Fields that no struct describes, such as `aspect_ratio`, go on to an upstream of this dialect; for any other model
  they are told as ignored.
"""

import base64
import re
from typing import Final, Literal

import msgspec
from msgspec import Struct

from rixin.core.cards import ImageRules
from rixin.core.estimate import estimate_text
from rixin.core.image_sizes import Size, bounds_text, is_drawn, nearest_size, size_of, size_text
from rixin.core.json import JsonValue
from rixin.core.messages import ImagePart
from rixin.core.requests import Change, Draw, ImageFormat, Origin
from rixin.dialects.base import Call, CardOf
from rixin.dialects.decoding import check_depth, convert, decode, decode_any, decode_fields, is_null
from rixin.dialects.multipart import MultipartReader, Part
from rixin.dialects.openai_chat.bounds import MAX_FIELDS, MAX_NAME, check_size, check_word
from rixin.dialects.openai_chat.wire import NAME
from rixin.errors import Kind, RixinError, invalid

MAX_PROMPT: Final = 32_000
"""Characters of a prompt."""
MAX_IMAGES: Final = 16
"""Images that are edited at once, whatever the model."""
MOST: Final = 10
"""Images that one request may ask for, whatever the model."""

_FORMATS: Final[dict[str, ImageFormat]] = {
    "png": "png",
    "jpeg": "jpeg",
    "jpg": "jpeg",
    "webp": "webp",
    "svg": "svg",
    "pdf": "pdf",
}
_UNKNOWN = ImageRules(formats=tuple(dict.fromkeys(_FORMATS.values())), most=MOST, most_edited=MAX_IMAGES)
"""What holds for a model of which nothing is known."""
_IMAGE_URL = re.compile(r"https?://|data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)
_IMAGE_FIELDS = frozenset({"image", "image[]"})
_NUMBERS = frozenset({"n", "seed", "partial_images"})
_SWITCHES = frozenset({"watermark", "prompt_extend", "stream"})
_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class ImageReference(Struct, frozen=True, kw_only=True):
    """An image that is edited: by its URL, with the bytes in it or without, or by a file's id."""

    image_url: str | None = None
    file_id: str | None = None


class GenerationBody(Struct, frozen=True, kw_only=True):
    """The body of a request for new images."""

    model: str
    prompt: str
    n: int | None = None
    size: str | None = None
    response_format: Literal["url", "b64_json"] | None = None
    output_format: str | None = None
    quality: str | None = None
    style: str | None = None
    seed: int | None = None
    watermark: bool | None = None
    prompt_extend: bool | None = None
    user: str | None = None
    stream: bool | None = None
    partial_images: int | None = None
    """How many unfinished images are wanted on the way, none of which anybody makes."""


class EditBody(GenerationBody, frozen=True, kw_only=True):
    """The body of a request for images made of others, the main one first."""

    images: list[ImageReference]
    mask: ImageReference | None = None


_GENERATION = msgspec.json.Decoder(GenerationBody)
_EDIT = msgspec.json.Decoder(EditBody)


class _Sources(Struct, frozen=True):
    """What is edited."""

    images: tuple[ImagePart, ...]
    mask: ImagePart | None = None


def parse_generation(call: Call, card_of: CardOf) -> Draw:
    """Reads a request for new images.

    Raises:
        RixinError: `INVALID_REQUEST` naming the field, or what `card_of` raises.
    """
    return _draw(decode(_GENERATION, call.body), None, _extra(call.body, GenerationBody), call, card_of)


def parse_edit(call: Call, card_of: CardOf) -> Draw:
    """Reads a request for images made of others, as JSON or as a form.

    Raises:
        RixinError: As `parse_generation`.
    """
    if call.headers.get("content-type", "").lower().startswith("multipart/"):
        form = _read_form(call)
        return _draw(convert(form.fields, GenerationBody), form.sources, form.extra, call, card_of)
    edit = decode(_EDIT, call.body)
    images = tuple(_image(image, f"images[{place}]") for place, image in enumerate(edit.images))
    mask = None if edit.mask is None else _image(edit.mask, "mask")
    return _draw(edit, _Sources(images, mask), _extra(call.body, EditBody), call, card_of)


def _draw(
    body: GenerationBody, sources: _Sources | None, extra: dict[str, JsonValue], call: Call, card_of: CardOf
) -> Draw:
    if not body.model:
        raise invalid("invalid model, it should not be empty.", "model")
    if not body.prompt.strip():
        raise invalid("invalid prompt, it should not be empty.", "prompt")
    check_size(len(body.prompt), MAX_PROMPT, "prompt", "characters")
    for name in ("quality", "style", "user"):
        check_size(len(getattr(body, name) or ""), MAX_NAME, name, "characters")
    card = card_of(body.model)
    if not card.supports("draw"):
        raise RixinError(
            Kind.MODEL_NOT_FOUND, f"model {body.model[:MAX_NAME]} draws no images; GET /v1/models lists those that do."
        )
    rules = card.drawing or _UNKNOWN
    size, changes = _size(body.size, rules, known=card.drawing is not None)
    if body.partial_images:
        changes = (*changes, Change("ignored", "partial_images"))
    _check(body, rules)
    if sources is not None:
        _check_sources(body.model, len(sources.images), rules)
    return Draw(
        model=body.model,
        card=card,
        prompt=body.prompt,
        images=() if sources is None else sources.images,
        mask=None if sources is None else sources.mask,
        size=size,
        n=body.n or 1,
        response_format=body.response_format,
        output_format=None if body.output_format is None else _FORMATS[body.output_format],
        quality=body.quality,
        style=body.style,
        seed=body.seed,
        watermark=body.watermark,
        prompt_extend=body.prompt_extend,
        user=body.user,
        stream=body.stream or False,
        extra=extra if size is not None or body.size is None else {**extra, "size": body.size},
        changes=changes,
        origin=Origin(NAME, call.body),
    )


def _size(word: str | None, rules: ImageRules, *, known: bool) -> tuple[Size | None, tuple[Change, ...]]:
    """The size that is drawn, None leaving it to the model, and what was done to the one that was asked for."""
    if word is None or word.lower() == "auto":
        return None, ()
    size = size_of(word)
    if not known or (size is not None and is_drawn(size, rules)):
        return size, ()
    if size is None:
        raise invalid(f"invalid size, should be auto or {bounds_text(rules)}.", "size")
    nearest = nearest_size(size, rules)
    if rules.nearest:
        return nearest, (Change("nearest_size", "size"),)
    raise invalid(f"invalid size, should be {bounds_text(rules)}; the nearest is {size_text(nearest)}.", "size")


def _check(body: GenerationBody, rules: ImageRules) -> None:
    if body.n is not None and not 1 <= body.n <= rules.most:
        raise invalid(f"invalid n, should in [1,{rules.most}].", "n")
    if body.output_format is not None:
        allowed = tuple(word for word, name in _FORMATS.items() if name in rules.formats)
        check_word(body.output_format, allowed, "output_format")
    if rules.prompt_tokens is not None and (tokens := estimate_text(body.prompt)) > rules.prompt_tokens:
        text = f"invalid prompt, should have at most {rules.prompt_tokens} tokens, has about {tokens}."
        raise invalid(text, "prompt")


def _check_sources(model: str, images: int, rules: ImageRules) -> None:
    if not rules.most_edited:
        raise invalid(
            f"model {model[:MAX_NAME]} draws new images only; ask for them at /v1/images/generations.", "model"
        )
    if not images:
        raise invalid("invalid images, it should not be empty.", "images")
    check_size(images, rules.most_edited, "images", "images")


def _image(image: ImageReference, path: str) -> ImagePart:
    if image.file_id is not None and image.image_url is None:
        return ImagePart(file_id=image.file_id)
    if image.image_url is None or not _IMAGE_URL.match(image.image_url):
        text = "an http(s) URL or a data URL such as data:image/png;base64,..."
        raise invalid(f"invalid {path}.image_url, should be {text}", f"{path}.image_url")
    return ImagePart(url=image.image_url)


def _extra(data: bytes, body: type[Struct]) -> dict[str, JsonValue]:
    """Fields that the struct does not describe."""
    fields = decode_fields(data)
    check_size(len(fields), MAX_FIELDS, "arguments", "fields")
    known = body.__struct_fields__
    extra = {name: decode_any(raw) for name, raw in fields.items() if name not in known and not is_null(raw)}
    check_depth(extra, "arguments")
    return extra


class _Form(Struct):
    """What a form holds."""

    fields: dict[str, JsonValue]
    extra: dict[str, JsonValue]
    sources: _Sources


def _read_form(call: Call) -> _Form:
    reader = MultipartReader(call.headers["content-type"])
    parts: list[tuple[Part, bytearray]] = []
    for event in reader.feed(call.body):
        if isinstance(event, Part):
            parts.append((event, bytearray()))
        elif parts:
            parts[-1][1].extend(event)
    if not reader.complete:
        raise invalid("The request's multipart body is cut off.")
    fields: dict[str, JsonValue] = {}
    extra: dict[str, JsonValue] = {}
    images: list[ImagePart] = []
    mask: ImagePart | None = None
    for part, data in parts:
        if part.name in _IMAGE_FIELDS:
            images.append(_uploaded(data, part.name))
        elif part.name == "mask":
            mask = _uploaded(data, part.name)
        elif part.name in GenerationBody.__struct_fields__:
            fields[part.name] = _value(part.name, data.decode("utf-8", "replace"))
        else:
            extra[part.name[:MAX_NAME]] = data.decode("utf-8", "replace")
    if not images:
        raise invalid("invalid image, it is required.", "image")
    return _Form(fields, extra, _Sources(tuple(images), mask))


def _value(name: str, text: str) -> JsonValue:
    """What a field of a form means, all of which are text."""
    if name in _NUMBERS:
        if not _NUMBER.fullmatch(text):
            raise invalid(f"invalid {name}, it should be a number.", name)
        return int(text)
    if name in _SWITCHES:
        if text.lower() not in ("true", "false"):
            raise invalid(f"invalid {name}, it should be true or false.", name)
        return text.lower() == "true"
    return text


def _uploaded(data: bytes | bytearray, name: str) -> ImagePart:
    """An image of a form. Whether it is one is found out by whoever decodes it."""
    if not data:
        raise invalid(f"invalid {name}, it is empty.", name)
    return ImagePart(base64=base64.b64encode(data).decode())
