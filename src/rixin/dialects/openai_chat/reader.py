"""An upstream's bytes to events."""

from functools import partial

from rixin.core.responses import Response, collect
from rixin.dialects.openai_chat.chunks import ChunkReader
from rixin.dialects.stream_reader import StreamReader


class ChatReader(StreamReader):
    """Reads a stream of chat chunks, cut anywhere."""

    def __init__(self) -> None:
        super().__init__(ChunkReader, partial(ChunkReader, whole=True))


def read_response(body: bytes) -> Response:
    """A whole answer, also from an upstream that streams unasked.

    Raises:
        RixinError: The error that the body holds, `UPSTREAM_INVALID` where it is none of both, or
            `UPSTREAM_INTERRUPTED` where the answer is not whole.
    """
    reader = ChatReader()
    return collect([*reader.feed(body), *reader.eof()])
