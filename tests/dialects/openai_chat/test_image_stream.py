"""Images as a stream on the OpenAI wire."""

import base64
import json
from typing import Any

import pytest

from rixin.core.cards import ModelCard
from rixin.core.images import Image, Images
from rixin.core.messages import ImagePart
from rixin.core.requests import Change, Draw, DrawProgress
from rixin.core.usage import Usage
from rixin.dialects.base import Stamp
from rixin.dialects.openai_chat.image_stream import ImageStreamWriter
from rixin.dialects.sse import SSEDecoder
from rixin.errors import Kind, RixinError

STAMP = Stamp(request_id="r", created=1700000000, new_id=lambda prefix: f"{prefix}1")
CARD = ModelCard(name="m", target="m", operations=("draw",))


def writer(*edited: ImagePart) -> ImageStreamWriter:
    """What writes the answer to a request."""
    return ImageStreamWriter(Draw(model="m", card=CARD, prompt="A cat", images=edited, stream=True), STAMP)


def told(data: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The events in some bytes, each with its type."""
    return [(event.event, json.loads(event.data)) for event in SSEDecoder().feed(data)]


@pytest.mark.parametrize(("edited", "name"), [((), "image_generation"), ((ImagePart(file_id="f"),), "image_edit")])
def test_how_far_it_is_comes_before_the_image(edited: tuple[ImagePart, ...], name: str) -> None:
    """Each in an event whose type says what is made."""
    writing = writer(*edited)
    assert told(writing.progress(DrawProgress("drawing", 0.6))) == [
        (f"{name}.progress", {"type": f"{name}.progress", "stage": "drawing", "part": 0.6})
    ]
    image = Image(content=b"png", format="png", size=(64, 32))
    images = Images(model="m", images=(image,), usage=Usage(prompt=3), changes=(Change("left-out", "table"),))
    assert told(writing.close(images)) == [
        (
            f"{name}.completed",
            {
                "type": f"{name}.completed",
                "b64_json": base64.b64encode(b"png").decode(),
                "background": "auto",
                "created_at": 1700000000,
                "output_format": "png",
                "quality": "auto",
                "size": "64x32",
                "usage": {
                    "input_tokens": 3,
                    "input_tokens_details": {"image_tokens": 0, "text_tokens": 3},
                    "output_tokens": 0,
                    "total_tokens": 3,
                    "images_count": 1,
                },
                "changes": ["left-out(table)"],
            },
        )
    ]


def test_several_images_count_once() -> None:
    """What was used is that of all of them, so it stands with the last and adds up."""
    images = [Image(content=f"https://example.com/{number}", format="png") for number in range(3)]
    events = told(writer().close(Images(model="m", images=tuple(images), usage=Usage(prompt=3, completion=4))))
    assert [fields["url"][-1] for _, fields in events] == ["0", "1", "2"]
    assert [fields["usage"]["total_tokens"] for _, fields in events] == [0, 0, 7]


def test_an_error_ends_it() -> None:
    """In the shape that every client knows."""
    ((name, fields),) = told(writer().fail(RixinError(Kind.UPSTREAM_TIMEOUT, "Too late.")))
    assert (name, fields["error"]["message"]) == ("error", "Too late.")


def test_signs_of_life_are_no_events() -> None:
    """Clients skip comments."""
    assert told(writer().keep_alive()) == []
