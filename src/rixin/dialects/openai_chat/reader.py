"""An upstream's bytes to events."""

from functools import partial

from rixin.core.events import Event
from rixin.core.responses import Response, collect
from rixin.dialects.openai_chat.chunks import ChunkReader
from rixin.dialects.stream_reader import StreamReader
from rixin.settings.fast_path import FAST_PATH


class ChatReader(StreamReader):
    """Reads a stream of chat chunks, cut anywhere."""

    def __init__(self) -> None:
        self._chunks = ChunkReader()
        super().__init__(lambda: self._chunks, partial(ChunkReader, whole=True))

    def _glance(self, data: str) -> list[Event] | None:
        return self._chunks.glance(data) if FAST_PATH else None

    def _skim(self, data: bytes) -> tuple[list[Event], bytes]:
        return self._chunks.skim(data)


def read_response(body: bytes) -> Response:
    """A whole answer, also from an upstream that streams unasked.

    Raises:
        RixinError: The error that the body holds, `UPSTREAM_INVALID` where it is none of both, or
            `UPSTREAM_INTERRUPTED` where the answer is not whole.
    """
    reader = ChatReader()
    return collect([*reader.feed(body), *reader.eof()])
