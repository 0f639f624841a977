"""Images as a stream: how far they are, then each of them.

Sources: OpenAI's image streaming events, `image_generation.completed` and `image_edit.completed`. What tells how far
the work is, `image_generation.progress` and `image_edit.progress`, is ours: clients look for the types that they know.
"""

import msgspec

from rixin.core.images import Images
from rixin.core.json import JsonObject
from rixin.core.requests import Draw, DrawProgress
from rixin.dialects.base import Stamp
from rixin.dialects.openai_chat.errors import encode_error
from rixin.dialects.openai_chat.images import answer_of, item_of
from rixin.dialects.openai_chat.writer import KEEP_ALIVE
from rixin.errors import RixinError

_UNSAID: JsonObject = {"background": "auto", "quality": "auto"}
"""Fields that clients count on, where nobody said anything of them."""
_NO_USAGE: JsonObject = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}

_encode = msgspec.json.Encoder().encode


class ImageStreamWriter:
    """Writes the answer to one request.

    Args:
        request: What is answered.
        stamp: Identity and time.
    """

    def __init__(self, request: Draw, stamp: Stamp) -> None:
        self._request = request
        self._stamp = stamp
        self._name = "image_edit" if request.images else "image_generation"

    def progress(self, progress: DrawProgress) -> bytes:
        """The stage that the work is in, and the part of all of it that is done, from 0 to 1."""
        return self._event("progress", {"stage": progress.stage, "part": progress.part})

    def close(self, images: Images) -> bytes:
        """An event an image; the usage is that of the whole request and comes with the last."""
        shared = _UNSAID | answer_of(images, self._request, self._stamp)
        del shared["data"]
        shared["created_at"] = shared.pop("created")
        if images.changes:
            shared["changes"] = [f"{change.name}({change.field})" for change in images.changes]
        *others, last = images.images
        events = [self._event("completed", {**shared, **item_of(image), "usage": _NO_USAGE}) for image in others]
        return b"".join((*events, self._event("completed", {**shared, **item_of(last)})))

    def fail(self, error: RixinError) -> bytes:
        """The error, and no image."""
        return b"event: error\ndata: %s\n\n" % encode_error(error)

    def keep_alive(self) -> bytes:
        """A comment."""
        return KEEP_ALIVE

    def _event(self, kind: str, fields: JsonObject) -> bytes:
        name = f"{self._name}.{kind}"
        return b"event: %s\ndata: %s\n\n" % (name.encode(), _encode({"type": name, **fields}))
