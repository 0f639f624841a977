"""An upstream's bytes to events."""

from functools import partial

from rixin.core.responses import Response, collect
from rixin.dialects.sensenova_native.answer import AnswerReader
from rixin.dialects.stream_reader import StreamReader


class NativeReader(StreamReader):
    """Reads a stream of the native platform, cut anywhere. An error in it may be a bare line of JSON."""

    def __init__(self) -> None:
        super().__init__(AnswerReader, partial(AnswerReader, whole=True), bare_objects=True)


def read_response(body: bytes) -> Response:
    """A whole answer, also from an upstream that streams unasked.

    Raises:
        RixinError: The error that the body holds, `UPSTREAM_INVALID` where it is none of both, or
            `UPSTREAM_INTERRUPTED` where the answer is not whole.
    """
    reader = NativeReader()
    return collect([*reader.feed(body), *reader.eof()])
