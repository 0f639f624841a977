"""Chat Completions as the SenseNova token platform speaks it, and its elder sibling, text completions.

| file | noun |
| --- | --- |
| `wire` | the structs of a request's body |
| `bounds` | ranges and sizes, and the words in which a breach is told |
| `request` | a body to a `Generate` |
| `messages`, `tools`, `reasoning` | parts of a request, read and rendered |
| `body` | a `Generate` to an upstream's body |
| `finish`, `usage` | finish reasons and token counts, read and rendered |
| `writer`, `response`, `errors` | what a client is sent |
| `chunks`, `calls`, `reader` | what an upstream sent |
| `words`, `runs`, `plain_answer` | the same of what is plain, in one step |
| `embeddings` | embeddings, both halves |
| `image_requests`, `images` | images: a body to a `Draw`; what a client and an upstream are sent |
| `image_stream` | images as a stream, with how far they are |
| `upstream` | the upstream half, put together |
| `descriptions` | what is told of its routes at `/openapi.json` |
"""

from rixin.dialects.base import Dialect, Route
from rixin.dialects.openai_chat.embeddings import parse_embeddings, render_embeddings
from rixin.dialects.openai_chat.errors import render_error
from rixin.dialects.openai_chat.image_requests import parse_edit, parse_generation
from rixin.dialects.openai_chat.image_stream import ImageStreamWriter
from rixin.dialects.openai_chat.images import render_images
from rixin.dialects.openai_chat.request import parse_chat, parse_completion
from rixin.dialects.openai_chat.response import render_response
from rixin.dialects.openai_chat.upstream import UPSTREAM
from rixin.dialects.openai_chat.wire import NAME
from rixin.dialects.openai_chat.writer import make_writer

__all__ = ["DIALECT"]

_PREFIXES = ("/v1", "/compatible-mode/v1", "/compatible-mode/v2")

DIALECT = Dialect(
    name=NAME,
    routes=(
        Route(paths=tuple(f"{prefix}/chat/completions" for prefix in _PREFIXES), parse=parse_chat),
        Route(paths=tuple(f"{prefix}/completions" for prefix in _PREFIXES), parse=parse_completion),
        Route(paths=tuple(f"{prefix}/embeddings" for prefix in _PREFIXES), parse=parse_embeddings, operation="embed"),
        Route(
            paths=tuple(f"{prefix}/images/generations" for prefix in _PREFIXES),
            parse=parse_generation,
            operation="draw",
        ),
        Route(paths=tuple(f"{prefix}/images/edits" for prefix in _PREFIXES), parse=parse_edit, operation="draw"),
    ),
    render_response=render_response,
    render_error=render_error,
    writer=make_writer,
    upstream=UPSTREAM,
    render_embeddings=render_embeddings,
    render_images=render_images,
    images_writer=ImageStreamWriter,
)
