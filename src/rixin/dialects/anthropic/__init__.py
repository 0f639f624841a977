"""Messages as Anthropic and the SenseNova token platform speak it.

| file | noun |
| --- | --- |
| `wire` | the structs of a request's body |
| `request` | a body to a `Generate` or a `Count` |
| `billing`, `messages`, `tools`, `reasoning` | parts of a request, read and rendered |
| `conversation`, `thoughts`, `body` | a `Generate` to an upstream's body |
| `finish`, `usage`, `citations` | stop reasons, token counts and citations, read and rendered |
| `writer`, `response`, `errors`, `models` | what a client is sent |
| `blocks`, `reader` | what an upstream sent |
| `upstream` | the upstream half, put together |
| `descriptions` | what is told of its routes at `/openapi.json` |
"""

from rixin.dialects.anthropic.errors import render_error
from rixin.dialects.anthropic.request import parse_count, parse_messages
from rixin.dialects.anthropic.response import render_count, render_response, response_headers
from rixin.dialects.anthropic.upstream import UPSTREAM
from rixin.dialects.anthropic.wire import NAME
from rixin.dialects.anthropic.writer import MessagesWriter
from rixin.dialects.base import Dialect, Route

__all__ = ["DIALECT"]

_PREFIXES = ("/v1", "/anthropic/v1")

DIALECT = Dialect(
    name=NAME,
    routes=(
        Route(paths=tuple(f"{prefix}/messages" for prefix in _PREFIXES), parse=parse_messages),
        Route(
            paths=tuple(f"{prefix}/messages/count_tokens" for prefix in _PREFIXES), parse=parse_count, operation="count"
        ),
    ),
    render_response=render_response,
    render_error=render_error,
    writer=MessagesWriter,
    upstream=UPSTREAM,
    response_headers=response_headers,
    render_count=render_count,
)
