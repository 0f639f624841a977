"""OpenAI's Responses, as Codex and other agents speak it, and as some upstreams do.

| file | noun |
| --- | --- |
| `wire` | the structs of a request's body |
| `request`, `compact` | a body to a `Generate` or a `Count` |
| `history` | input items as they are kept and listed |
| `items`, `tools`, `names` | parts of a request, read |
| `body`, `conversation` | a `Generate` to an upstream's body |
| `output`, `calls`, `unwrapping` | the items of an answer while they grow |
| `resource`, `response`, `writer`, `errors` | what a client is sent |
| `events` | what an upstream sent |
| `upstream` | the upstream half, put together |
| `descriptions` | what is told of its routes at `/openapi.json` |
"""

from rixin.dialects.base import Dialect, Route
from rixin.dialects.openai_responses.compact import parse_compact
from rixin.dialects.openai_responses.errors import render_error
from rixin.dialects.openai_responses.request import parse_input_tokens, parse_response_request
from rixin.dialects.openai_responses.response import render_input_tokens, render_response
from rixin.dialects.openai_responses.upstream import UPSTREAM
from rixin.dialects.openai_responses.wire import NAME
from rixin.dialects.openai_responses.writer import ResponsesWriter

__all__ = ["DIALECT"]

_PREFIXES = ("/v1", "/compatible-mode/v1", "/compatible-mode/v2")

DIALECT = Dialect(
    name=NAME,
    routes=(
        Route(paths=tuple(f"{prefix}/responses" for prefix in _PREFIXES), parse=parse_response_request),
        Route(paths=tuple(f"{prefix}/responses/compact" for prefix in _PREFIXES), parse=parse_compact),
        Route(
            paths=tuple(f"{prefix}/responses/input_tokens" for prefix in _PREFIXES),
            parse=parse_input_tokens,
            operation="count",
        ),
    ),
    render_response=render_response,
    render_error=render_error,
    writer=ResponsesWriter,
    upstream=UPSTREAM,
    render_count=render_input_tokens,
)
