"""The upstream half of the dialect, put together."""

from rixin.core.responses import Response, collect
from rixin.dialects.base import Upstream
from rixin.dialects.openai_chat.upstream import auth_headers
from rixin.dialects.openai_responses.body import build_body
from rixin.dialects.openai_responses.events import ResponseObjects
from rixin.dialects.stream_reader import StreamReader
from rixin.dialects.upstream_errors import parse_error


class ResponsesReader(StreamReader):
    """Reads a stream of response events, cut anywhere."""

    def __init__(self) -> None:
        super().__init__(ResponseObjects, ResponseObjects)


def read_response(body: bytes) -> Response:
    """A whole answer, also from an upstream that streams unasked.

    Raises:
        RixinError: The error that the body holds, `UPSTREAM_INVALID` where it is none of both, or
            `UPSTREAM_INTERRUPTED` where the answer is not whole.
    """
    reader = ResponsesReader()
    return collect([*reader.feed(body), *reader.eof()])


UPSTREAM = Upstream(
    path="/responses",
    build_body=build_body,
    parse_response=read_response,
    parse_error=parse_error,
    reader=ResponsesReader,
    auth_headers=auth_headers,
)
