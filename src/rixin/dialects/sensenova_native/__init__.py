"""The chat of the SenseNova V6 native platform: its own envelope, its own words for errors, JWTs for credentials.

| file | noun |
| --- | --- |
| `wire` | the structs of a request's body |
| `bounds` | ranges, defaults and counts |
| `request`, `messages` | a body to a `Generate` |
| `sessions`, `turns` | conversations that the server keeps, and a turn of one |
| `character` | chats among characters |
| `conversation`, `body` | a `Generate` to an upstream's body |
| `finish`, `usage` | finish reasons and token counts, rendered |
| `writer`, `response`, `errors`, `models` | what a client is sent |
| `answer`, `reader` | what an upstream sent |
| `embeddings` | embeddings, both halves |
| `knowledge` | knowledge bases, both ways |
| `tokens` | JWTs, minted |
| `upstream` | the upstream half, put together |
| `descriptions` | what is told of its routes at `/openapi.json` |
"""

from rixin.dialects.base import Dialect, Route
from rixin.dialects.sensenova_native.character import parse_character, render_character
from rixin.dialects.sensenova_native.embeddings import parse_embeddings, render_embeddings
from rixin.dialects.sensenova_native.errors import render_error
from rixin.dialects.sensenova_native.request import parse_chat, parse_completion
from rixin.dialects.sensenova_native.response import render_response
from rixin.dialects.sensenova_native.turns import TurnWriter, parse_turn, render_turn
from rixin.dialects.sensenova_native.upstream import UPSTREAM
from rixin.dialects.sensenova_native.wire import NAME
from rixin.dialects.sensenova_native.writer import ChunkWriter

__all__ = ["CHARACTERS", "DIALECT", "PREFIXES", "TURNS"]

DIALECT = Dialect(
    name=NAME,
    routes=(
        Route(paths=("/v1/llm/chat-completions",), parse=parse_chat),
        Route(paths=("/v1/llm/completions",), parse=parse_completion),
        Route(paths=("/v1/llm/embeddings",), parse=parse_embeddings, operation="embed"),
    ),
    render_response=render_response,
    render_error=render_error,
    writer=ChunkWriter,
    upstream=UPSTREAM,
    render_embeddings=render_embeddings,
)

TURNS = Dialect(
    name=NAME,
    routes=(Route(paths=("/v1/llm/chat-conversations",), parse=parse_turn),),
    render_response=render_turn,
    render_error=render_error,
    writer=TurnWriter,
)
"""The turns of sessions, whose answers have a form of their own."""

CHARACTERS = Dialect(
    name=NAME,
    routes=(Route(paths=("/v1/llm/character/chat-completions",), parse=parse_character),),
    render_response=render_character,
    render_error=render_error,
    writer=ChunkWriter,
)
"""Chats among characters, likewise. They are never streamed."""

PREFIXES = ("/v1/llm/", "/v1/imgen/", "/v1/nlp/", "/agent-5o/")
"""Where the platform's own routes live; those that are not served are answered with its `not implemented`."""
