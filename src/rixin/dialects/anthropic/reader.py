"""An upstream's bytes to events."""

from rixin.core.responses import Response, collect
from rixin.dialects.anthropic.blocks import MessageReader
from rixin.dialects.stream_reader import StreamReader


def make_reader() -> StreamReader:
    """A reader for a stream, or for the whole message that some upstreams send instead."""
    return StreamReader(MessageReader, MessageReader)


def read_response(body: bytes) -> Response:
    """A whole answer, also from an upstream that streams unasked.

    Raises:
        RixinError: The error that the body holds, `UPSTREAM_INVALID` where it is none of both, or
            `UPSTREAM_INTERRUPTED` where the answer is not whole.
    """
    reader = make_reader()
    return collect([*reader.feed(body), *reader.eof()])
