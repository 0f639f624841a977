"""Embeddings: `POST /v1/llm/embeddings`.

Source: SenseNova V6 API documentation, section on embeddings, and the platform's Python SDK.

Decisions where the source leaves one:

- `input` may be one text, since nothing else could be meant by it.
- What a text is in a search is said as in the OpenAI dialect; the platform itself has no such field.
"""

import msgspec
from msgspec import Struct

from rixin.core.embeddings import Embeddings, vector_numbers
from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Embed, Origin
from rixin.core.usage import Usage
from rixin.dialects.base import Call, CardOf, EmbeddingUpstream
from rixin.dialects.decoding import decode, decode_fields, decode_object
from rixin.dialects.openai_chat.embeddings import (
    decode_answer,
    in_order,
    read_inputs,
    read_kind,
    read_total,
    unknown_fields,
)
from rixin.dialects.sensenova_native.usage import render_usage
from rixin.dialects.sensenova_native.wire import NAME
from rixin.errors import invalid

MAX_INPUTS = 32
MAX_TOKENS = 512
"""Tokens of one text."""


class EmbeddingBody(Struct, frozen=True, kw_only=True):
    """The body of a request."""

    model: str
    input: str | list[str]
    user: str | None = None
    input_type: str | None = None
    text_type: str | None = None


class _Item(Struct, frozen=True):
    embedding: list[float]
    index: int | None = None


class _Answer(Struct, frozen=True):
    embeddings: list[_Item]
    model: str = ""
    usage: dict[str, object] | None = None


_BODY = msgspec.json.Decoder(EmbeddingBody)
_FIELDS = frozenset(EmbeddingBody.__struct_fields__)
_ANSWER = msgspec.json.Decoder(_Answer)
_encode = msgspec.json.Encoder().encode


def parse_embeddings(call: Call, card_of: CardOf) -> Embed:
    """Reads a request.

    Raises:
        RixinError: `INVALID_REQUEST` naming the field, or what `card_of` raises.
    """
    fields = decode_fields(call.body)
    body = decode(_BODY, call.body)
    if not body.model:
        raise invalid("invalid model, it should not be empty.", "model")
    kind, unread = read_kind({"input_type": body.input_type, "text_type": body.text_type})
    return Embed(
        model=body.model,
        card=card_of(body.model),
        inputs=read_inputs(body.input, MAX_INPUTS),
        kind=kind,
        most_tokens=MAX_TOKENS,
        user=body.user,
        extra=(*unknown_fields(fields, _FIELDS), *unread),
        origin=Origin(NAME, call.body),
    )


def build_body(request: Embed) -> JsonObject:
    """A fresh body for `card.target`.

    Raises:
        RixinError: `INVALID_REQUEST` for what this wire cannot say.
    """
    origin = request.origin
    if origin is not None and origin.dialect == NAME:
        return {**decode_object(origin.body), "model": request.card.target}
    texts: list[JsonValue] = [entry for entry in request.inputs if isinstance(entry, str)]
    if len(texts) < len(request.inputs):
        raise invalid("invalid input, this model's API takes texts, no token ids.", "input")
    if request.dimensions is not None:
        raise invalid("invalid dimensions, this model's API has no such field.", "dimensions")
    return {"model": request.card.target, "input": texts}


def read_embeddings(data: bytes, request: Embed) -> Embeddings:
    """An upstream's answer, the vectors in the order of the request's texts.

    Raises:
        RixinError: `UPSTREAM_INVALID` where it is none; the error that it holds.
    """
    answer = decode_answer(_ANSWER, data)
    return Embeddings(
        model=answer.model,
        vectors=in_order([(item.index, item.embedding) for item in answer.embeddings], request),
        usage=read_total(answer.usage),
    )


def render_embeddings(embeddings: Embeddings, request: Embed) -> bytes:  # noqa: ARG001 - this shape repeats nothing of it
    """The body of an answer."""
    items = [{"index": index, "embedding": vector_numbers(vector)} for index, vector in enumerate(embeddings.vectors)]
    usage = render_usage(embeddings.usage or Usage())
    return _encode({"embeddings": items, "usage": usage})


EMBEDDING = EmbeddingUpstream(path="/llm/embeddings", build_body=build_body, parse=read_embeddings)
