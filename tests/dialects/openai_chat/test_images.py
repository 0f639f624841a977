"""Images on the OpenAI wire, read and rendered on either side."""

import base64
import json
from importlib.resources import files
from typing import Any

import pytest

from rixin.core.cards import ImageRules, ModelCard
from rixin.core.images import Image, Images
from rixin.core.messages import ImagePart
from rixin.core.requests import Change, Draw
from rixin.core.usage import Usage
from rixin.dialects.base import Call, Stamp
from rixin.dialects.openai_chat.image_requests import parse_edit, parse_generation
from rixin.dialects.openai_chat.images import build_body, read_images, render_images
from rixin.errors import Kind, RixinError
from rixin.profiles.cards import load_models

CARDS = load_models(files("rixin.profiles").joinpath("models.toml").read_bytes()).cards
PLAIN = ModelCard(name="m", target="true-model", provider="p", operations=("draw",))
PNG = b"\x89PNG\r\n\x1a\nrest"
JPEG = b"\xff\xd8\xffjpeg"
DATA_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
STAMP = Stamp(request_id="r", created=1700000000, new_id=lambda prefix: f"{prefix}1")
SKILLS = {
    "model": "sensenova-u1-fast",
    "prompt": "A cat",
    "size": "1792x992",
    "response_format": "url",
    "output_format": "png",
    "watermark": False,
    "aspect_ratio": "16:9",
}
"""What the official skills send."""


def card_of(name: str) -> ModelCard:
    """What is documented of a model, or nothing."""
    return CARDS.get(name, PLAIN)


def generation(**fields: Any) -> Draw:
    """The request that a body makes."""
    body = {"model": "m", "prompt": "A cat", **fields}
    return parse_generation(Call(body=json.dumps(body).encode()), card_of)


def edit(**fields: Any) -> Draw:
    """The request that a body makes of images."""
    body = {"model": "sensenova-u1.5-lite", "prompt": "A dog", "images": [{"image_url": DATA_URL}], **fields}
    return parse_edit(Call(body=json.dumps(body).encode()), card_of)


def form(*parts: tuple[str, bytes], boundary: str = "b0") -> Call:
    """A form with fields, those named for images being files."""
    body = b"".join(
        f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"'.encode()
        + (b'; filename="a.png"' if name.startswith(("image", "mask")) else b"")
        + b"\r\n\r\n"
        + data
        + b"\r\n"
        for name, data in parts
    )
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return Call(headers=headers, body=body + f"--{boundary}--\r\n".encode())


def test_what_the_skills_send_is_read() -> None:
    """Every field, and the one that no reference has is carried."""
    request = generation(**SKILLS)
    assert (request.size, request.n, request.response_format, request.output_format) == ((1792, 992), 1, "url", "png")
    assert request.watermark is False
    assert request.extra == {"aspect_ratio": "16:9"}
    assert build_body(request) == {**SKILLS, "n": 1}


def test_fields_of_openai_are_read() -> None:
    """Those that the reference has beside them."""
    request = generation(n=2, size="auto", quality="hd", style="vivid", user="ann", seed=7, background="opaque")
    assert (request.n, request.size, request.quality, request.style, request.user, request.seed) == (
        2, None, "hd", "vivid", "ann", 7,
    )  # fmt: skip
    assert build_body(request) == {
        "model": "true-model", "prompt": "A cat", "n": 2, "size": "auto", "quality": "hd", "style": "vivid",
        "user": "ann", "seed": 7, "background": "opaque",
    }  # fmt: skip


@pytest.mark.parametrize("size", CARDS["sensenova-u1-fast"].drawing.sizes)  # pyright: ignore[reportOptionalMemberAccess] - it has rules
def test_every_size_of_the_list_is_taken(size: str) -> None:
    """Those that are documented, and those that the skills send."""
    request = generation(model="sensenova-u1-fast", size=size)
    assert request.size == tuple(map(int, size.split("x")))


@pytest.mark.parametrize("size", ["2048x2048", "4096x4096", "512x1536", "2720x1536"])
def test_sizes_within_bounds_are_taken(size: str) -> None:
    """Multiples of 32 that are not too long."""
    assert generation(model="sensenova-u1.5-fast", size=size).size == tuple(map(int, size.split("x")))


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"model": ""}, "model", "should not be empty"),
        ({"prompt": " "}, "prompt", "should not be empty"),
        ({"prompt": "x" * 32_001}, "prompt", "at most 32000 characters"),
        ({"model": "sensenova-u1-fast", "prompt": "word " * 5000}, "prompt", "at most 4096 tokens"),
        ({"n": 0}, "n", "[1,10]"),
        ({"n": 11}, "n", "[1,10]"),
        ({"model": "sensenova-u1-fast", "n": 5}, "n", "[1,4]"),
        ({"model": "sensenova-u1.5-lite", "n": 2}, "n", "[1,1]"),
        ({"model": "sensenova-u1-fast", "size": "1024x1024"}, "size", "the nearest is 1344x1344"),
        ({"model": "sensenova-u1-fast", "size": "large"}, "size", "should be auto or one of"),
        ({"model": "sensenova-u1.5-lite", "size": "1000x1000"}, "size", "the nearest is 992x992"),
        ({"model": "sensenova-u1.5-lite", "size": "4096x512"}, "size", "the nearest is 1536x512"),
        ({"model": "sensenova-u1-fast", "output_format": "webp"}, "output_format", "png"),
        ({"output_format": "gif"}, "output_format", "should be one of"),
        ({"response_format": "file"}, "response_format", "invalid"),
        ({"quality": "x" * 300}, "quality", "at most 256"),
    ],
)
def test_what_is_not_drawn_is_refused(fields: dict[str, Any], param: str, said: str) -> None:
    """Naming the field, and what would do."""
    with pytest.raises(RixinError) as caught:
        generation(**fields)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)
    assert said in caught.value.message


def test_streams_are_for_clients_alone() -> None:
    """Whoever draws is asked for the whole, and nobody for unfinished images."""
    request = generation(stream=True, partial_images=2)
    assert request.stream
    assert request.changes == (Change("ignored", "partial_images"),)
    assert build_body(request) == {"model": "true-model", "prompt": "A cat", "n": 1}


def test_a_model_that_draws_nothing_is_not_found() -> None:
    """And the message says where those are that do."""
    chat = ModelCard(name="c", target="c")
    with pytest.raises(RixinError, match="draws no images") as caught:
        parse_generation(Call(body=b'{"model": "c", "prompt": "A cat"}'), lambda _: chat)
    assert caught.value.kind is Kind.MODEL_NOT_FOUND


def test_another_size_may_be_brought_to_the_nearest() -> None:
    """Where the card says so, and the client is told."""
    card = ModelCard(name="m", target="m", operations=("draw",), drawing=ImageRules(sizes=("64x64",), nearest=True))
    request = parse_generation(Call(body=b'{"model": "m", "prompt": "A cat", "size": "9x9"}'), lambda _: card)
    assert request.size == (64, 64)
    assert request.changes == (Change("nearest_size", "size"),)


def test_what_is_edited_is_read() -> None:
    """By URL, by data URL, and by a file's id, with a mask."""
    images = [{"image_url": "https://example.com/a.png"}, {"image_url": DATA_URL}, {"file_id": "file-1"}]
    request = edit(images=images, mask={"image_url": DATA_URL})
    assert request.images == (
        ImagePart(url="https://example.com/a.png"),
        ImagePart(url=DATA_URL),
        ImagePart(file_id="file-1"),
    )
    assert request.mask == ImagePart(url=DATA_URL)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"images": []}, "images"),
        ({"images": [{"image_url": DATA_URL}] * 6}, "images"),
        ({"images": [{"image_url": "iVBORw0KGgo="}]}, "images[0].image_url"),
        ({"images": [{"detail": "low"}]}, "images[0].image_url"),
        ({"images": None}, "images"),
        ({"model": "sensenova-u1-fast"}, "model"),
    ],
)
def test_what_cannot_be_edited_is_refused(fields: dict[str, Any], param: str) -> None:
    """Naming the field; base64 without its prefix is no URL."""
    with pytest.raises(RixinError) as caught:
        edit(**fields)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)


def test_a_form_is_an_edit_too() -> None:
    """As OpenAI's SDK sends it: numbers and switches are text there, and unknown fields are carried."""
    parts = [
        ("model", b"m"), ("prompt", "画一只猫".encode()), ("n", b"2"), ("size", b"1024x1024"), ("watermark", b"False"),
        ("image[]", PNG), ("image[]", JPEG), ("mask", PNG), ("input_fidelity", b"high"),
    ]  # fmt: skip
    request = parse_edit(form(*parts), card_of)
    assert (request.prompt, request.n, request.size, request.watermark) == ("画一只猫", 2, (1024, 1024), False)
    body = build_body(request)
    assert body["images"] == [
        {"image_url": DATA_URL},
        {"image_url": f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"},
    ]
    assert body["mask"] == {"image_url": DATA_URL}
    assert body["input_fidelity"] == "high"


@pytest.mark.parametrize(
    ("parts", "param"),
    [
        ([("model", b"m"), ("prompt", b"x")], "image"),
        ([("model", b"m"), ("image", b"")], "image"),
        ([("model", b"m"), ("image", PNG)], "prompt"),
        ([("model", b"m"), ("prompt", b"x"), ("image", PNG), ("n", b"two")], "n"),
        ([("model", b"m"), ("prompt", b"x"), ("image", PNG), ("watermark", b"maybe")], "watermark"),
    ],
)
def test_a_form_that_is_wrong_is_refused(parts: list[tuple[str, bytes]], param: str) -> None:
    """Naming the field."""
    with pytest.raises(RixinError) as caught:
        parse_edit(form(*parts), card_of)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)


def test_a_form_that_is_cut_off_is_refused() -> None:
    """Nothing is drawn of half a request."""
    call = form(("model", b"m"), ("prompt", b"x"), ("image", PNG))
    with pytest.raises(RixinError, match="cut off"):
        parse_edit(Call(headers=call.headers, body=call.body[:-10]), card_of)


def test_an_answer_is_read_and_told_again() -> None:
    """All that the upstream said of it is passed on."""
    usage = {
        "input_tokens": 1540,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 1540},
        "output_tokens": 4096,
        "total_tokens": 5636,
        "images_count": 1,
    }
    data = [{"url": "https://cdn.example.com/gen/1"}]
    answer = {"created": 5, "data": data, "output_format": "png", "size": "1024x1024", "usage": usage, "quality": "hd"}
    request = generation()
    images = read_images(json.dumps(answer).encode(), request)
    assert images.usage == Usage(prompt=1540, completion=4096)
    assert images.images == (Image(content="https://cdn.example.com/gen/1", format="png", size=(1024, 1024)),)
    assert json.loads(render_images(images, request, STAMP)) == {**answer, "created": STAMP.created}


def test_bytes_are_told_in_base64() -> None:
    """With their format, their size, and what was counted."""
    image = Image(content=PNG, format="png", size=(64, 32), revised_prompt="A tabby cat")
    images = Images(model="m", images=(image,), usage=Usage(prompt=3, completion=4))
    assert json.loads(render_images(images, generation(quality="hd"), STAMP)) == {
        "created": STAMP.created,
        "data": [{"b64_json": base64.b64encode(PNG).decode(), "revised_prompt": "A tabby cat"}],
        "output_format": "png",
        "size": "64x32",
        "quality": "hd",
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 3},
            "output_tokens": 4,
            "total_tokens": 7,
            "images_count": 1,
        },
    }


def test_a_format_is_told_by_the_file() -> None:
    """Not by what an upstream says, which may be the default of its documentation."""
    data = {"data": [{"b64_json": base64.b64encode(b"\xff\xd8\xff").decode()}], "output_format": "png"}
    assert read_images(json.dumps(data).encode(), generation()).images[0].format == "jpeg"


@pytest.mark.parametrize(
    "answer", [b"{}", b'{"data": []}', b'{"data": [{}]}', b'{"data": [{"b64_json": "?"}]}', b"<html>", b"[]"]
)
def test_an_answer_without_images_is_none(answer: bytes) -> None:
    """It is the upstream's fault, and told as that."""
    with pytest.raises(RixinError) as caught:
        read_images(answer, generation())
    assert caught.value.kind is Kind.UPSTREAM_INVALID


def test_an_error_that_looks_like_an_answer_is_told() -> None:
    """Some upstreams answer 200 with an error."""
    with pytest.raises(RixinError) as caught:
        read_images(b'{"error": {"message": "too many requests", "code": "8"}}', generation())
    assert caught.value.kind is Kind.RATE_LIMITED
