"""Answers with images, both halves: what a client is sent, and what an upstream is sent and says.

An upstream's body is made of what the request says, not of the client's own bytes: a form becomes JSON, which every
upstream of the kind takes.
"""

import base64
import binascii

import msgspec
from msgspec import Struct

from rixin.core.image_sizes import size_of, size_text
from rixin.core.images import Image, Images
from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import ImagePart
from rixin.core.requests import Draw, ImageFormat
from rixin.dialects.base import DrawingUpstream, Stamp
from rixin.dialects.decoding import decode_object
from rixin.dialects.openai_chat.embeddings import decode_answer
from rixin.dialects.openai_chat.usage import read_usage
from rixin.errors import Kind, RixinError

_SIGNATURES: tuple[tuple[bytes, ImageFormat], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"RIFF", "webp"),
    (b"%PDF", "pdf"),
    (b"<", "svg"),
)
"""How files begin."""
_FORMATS: dict[str, ImageFormat] = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}


class _Item(Struct, frozen=True):
    url: str | None = None
    b64_json: str | None = None
    revised_prompt: str | None = None


class _Answer(Struct, frozen=True):
    data: list[_Item]
    size: str | None = None
    output_format: str | None = None


_TYPES = {"/9j/": "jpeg", "UklG": "webp"}
"""Types of images by how their base64 begins; what begins otherwise is taken for PNG."""
_ANSWER = msgspec.json.Decoder(_Answer)
_encode = msgspec.json.Encoder().encode


def render_images(images: Images, request: Draw, stamp: Stamp) -> bytes:
    """The body of an answer; an image with its bytes is told in base64."""
    return _encode(answer_of(images, request, stamp))


def answer_of(images: Images, request: Draw, stamp: Stamp) -> JsonObject:
    """An answer, its images under `data`."""
    first = images.images[0]
    body: JsonObject = {
        **images.told,
        "created": stamp.created,
        "data": [item_of(image) for image in images.images],
        "output_format": first.format,
    }
    size = first.size or request.size
    if size is not None:
        body["size"] = size_text(size)
    if request.quality is not None:
        body["quality"] = request.quality
    usage = images.usage
    if usage is not None and "usage" not in body:
        body["usage"] = {
            "input_tokens": usage.prompt,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": usage.prompt},
            "output_tokens": usage.completion,
            "total_tokens": usage.total,
            "images_count": len(images.images),
        }
    return body


def build_body(request: Draw) -> JsonObject:
    """A fresh body for `card.target`."""
    body: JsonObject = {**request.extra, "model": request.card.target, "prompt": request.prompt, "n": request.n}
    said: dict[str, JsonValue] = {
        "size": None if request.size is None else size_text(request.size),
        "response_format": request.response_format,
        "output_format": request.output_format,
        "quality": request.quality,
        "style": request.style,
        "seed": request.seed,
        "watermark": request.watermark,
        "prompt_extend": request.prompt_extend,
        "user": request.user,
    }
    body |= {name: value for name, value in said.items() if value is not None}
    if request.images:
        body["images"] = [_reference(image) for image in request.images]
    if request.mask is not None:
        body["mask"] = _reference(request.mask)
    return body


def read_images(data: bytes, request: Draw) -> Images:
    """An upstream's answer.

    Raises:
        RixinError: `UPSTREAM_INVALID` where it holds no images; the error that it holds.
    """
    answer = decode_answer(_ANSWER, data, _no_images)
    size = None if answer.size is None else size_of(answer.size)
    named = _FORMATS.get(answer.output_format or "") or request.output_format or "png"
    images = tuple(
        Image(content=content, format=_format(content, named), size=size, revised_prompt=item.revised_prompt)
        for item in answer.data
        if (content := _content(item)) is not None
    )
    if not images:
        raise _no_images("no image among its data")
    told = decode_object(data)
    del told["data"]
    return Images(model=request.card.target, images=images, usage=read_usage(told.get("usage")), told=told)


def item_of(image: Image) -> JsonObject:
    """An image as one of an answer's `data`."""
    content = image.content
    item: JsonObject = (
        {"url": content} if isinstance(content, str) else {"b64_json": base64.b64encode(content).decode()}
    )
    if image.revised_prompt is not None:
        item["revised_prompt"] = image.revised_prompt
    return item


def _reference(image: ImagePart) -> JsonObject:
    data = image.base64 or ""
    return {"image_url": image.url or f"data:image/{_TYPES.get(data[:4], 'png')};base64,{data}"}


def _content(item: _Item) -> bytes | str | None:
    if not item.b64_json:
        return item.url or None
    try:
        return base64.b64decode(item.b64_json, validate=True)
    except binascii.Error as error:
        raise _no_images(str(error)) from None


def _format(content: bytes | str, named: ImageFormat) -> ImageFormat:
    """By how a file begins, whatever it was said to be."""
    if isinstance(content, str):
        return named
    for mark, kind in _SIGNATURES:
        if content.startswith(mark):
            return kind
    return named


def _no_images(detail: str) -> RixinError:
    return RixinError(Kind.UPSTREAM_INVALID, "The upstream gave an answer that holds no images.", detail=detail)


DRAWING = DrawingUpstream(
    path="/images/generations", edit_path="/images/edits", build_body=build_body, parse=read_images
)
