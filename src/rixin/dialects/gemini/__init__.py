"""Google's Gemini API, as Gemini CLI and Google's SDKs speak it. Served only: no upstream is spoken to in it.

| file | noun |
| --- | --- |
| `wire` | a request's body as one spelling, and its structs |
| `request` | a body to a `Generate` or a `Count` |
| `contents`, `call_ids`, `tools`, `schemas`, `reasoning` | parts of a request, read |
| `finish`, `usage` | finish reasons and token counts, rendered |
| `parts`, `writer`, `response`, `errors`, `models` | what a client is sent |
| `descriptions` | what is told of its routes at `/openapi.json` |
"""

from rixin.dialects.base import Dialect, Route
from rixin.dialects.gemini.errors import render_error
from rixin.dialects.gemini.request import parse_count, parse_generate, parse_stream
from rixin.dialects.gemini.response import render_count, render_response
from rixin.dialects.gemini.wire import NAME
from rixin.dialects.gemini.writer import ChunkWriter

__all__ = ["DIALECT"]

_VERSIONS = ("/v1beta", "/v1")
"""Gemini CLI asks for the first, newer SDKs for the second."""


def _paths(action: str) -> tuple[str, ...]:
    return tuple(f"{version}/models/{{model}}:{action}" for version in _VERSIONS)


DIALECT = Dialect(
    name=NAME,
    routes=(
        Route(paths=_paths("generateContent"), parse=parse_generate),
        Route(paths=_paths("streamGenerateContent"), parse=parse_stream),
        Route(paths=_paths("countTokens"), parse=parse_count, operation="count"),
    ),
    render_response=render_response,
    render_error=render_error,
    writer=ChunkWriter,
    render_count=render_count,
)
