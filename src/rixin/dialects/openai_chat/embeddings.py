"""Embeddings: `POST /v1/embeddings`.

Source: OpenAI's Embeddings reference.

Decisions where the source leaves one:

- What a text is in a search is no part of the reference. `input_type`, as Voyage, Cohere, NVIDIA and Jina have it, and
  `text_type`, as Alibaba has it, are understood; a text that nobody says anything of is a passage.
- Fields that no struct describes go on to an upstream of this dialect; for any other model they are told as ignored.
"""

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar, cast

import msgspec
from msgspec import Raw, Struct

from rixin.core.embeddings import Embeddings, Vector, vector_bytes, vector_numbers
from rixin.core.estimate import estimate_inputs
from rixin.core.json import JsonObject
from rixin.core.requests import Embed, Origin, TextKind
from rixin.core.usage import Usage
from rixin.dialects.base import Call, CardOf, EmbeddingUpstream
from rixin.dialects.decoding import decode, decode_fields, decode_object, is_null
from rixin.dialects.openai_chat.bounds import MAX_FIELDS, MAX_NAME, check_size
from rixin.dialects.openai_chat.usage import read_usage
from rixin.dialects.openai_chat.wire import NAME
from rixin.dialects.upstream_errors import body_error
from rixin.errors import Kind, RixinError, invalid

MAX_INPUTS = 2048
MAX_INPUT_TOKENS = 300_000
"""Tokens that all texts of a request may have together, by estimate."""

_T = TypeVar("_T")

_KINDS: dict[str, TextKind] = {
    "query": "query",
    "search_query": "query",
    "retrieval.query": "query",
    "passage": "passage",
    "document": "passage",
    "search_document": "passage",
    "retrieval.passage": "passage",
}


class EmbeddingBody(Struct, frozen=True, kw_only=True):
    """The body of a request. `input` is a text or the token ids of one, or a list of either."""

    model: str
    input: str | list[str | int | list[int]]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: str | None = None
    input_type: str | None = None
    text_type: str | None = None


class _Item(Struct, frozen=True):
    embedding: str | list[float]
    index: int | None = None


class _Answer(Struct, frozen=True):
    data: list[_Item]
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
    check_size(len(fields), MAX_FIELDS, "arguments", "fields")
    body = decode(_BODY, call.body)
    if not body.model:
        raise invalid("invalid model, it should not be empty.", "model")
    if body.dimensions is not None and body.dimensions < 1:
        raise invalid("invalid dimensions, should be at least 1.", "dimensions")
    kind, unread = read_kind({"input_type": body.input_type, "text_type": body.text_type})
    return Embed(
        model=body.model,
        card=card_of(body.model),
        inputs=read_inputs(body.input, MAX_INPUTS),
        kind=kind,
        dimensions=body.dimensions,
        encoding=body.encoding_format or "float",
        user=body.user,
        extra=(*unknown_fields(fields, _FIELDS), *unread),
        origin=Origin(NAME, call.body),
    )


def unknown_fields(fields: dict[str, Raw], known: frozenset[str]) -> tuple[str, ...]:
    """The names of fields that no struct describes."""
    return tuple(name[:MAX_NAME] for name, raw in fields.items() if name not in known and not is_null(raw))


def read_kind(said: dict[str, str | None]) -> tuple[TextKind | None, tuple[str, ...]]:
    """What texts are in a search, by fields that may say it, and the names of those that say something else."""
    kinds: dict[str, TextKind | None] = {name: _KINDS.get(word.lower()) for name, word in said.items() if word}
    unread = tuple(name for name, kind in kinds.items() if kind is None)
    return next((kind for kind in kinds.values() if kind is not None), None), unread


def read_inputs(value: str | Sequence[str | int | list[int]], most: int) -> tuple[str | tuple[int, ...], ...]:
    """The texts of a request.

    Raises:
        RixinError: `INVALID_REQUEST` where there are none or too many of them, and where one is empty.
    """
    entries: Sequence[str | int | list[int]] = [value] if isinstance(value, str) else value
    if entries and all(isinstance(entry, int) for entry in entries):
        entries = [[entry for entry in entries if isinstance(entry, int)]]
    if not entries:
        raise invalid("invalid input, it should not be empty.", "input")
    check_size(len(entries), most, "input", "texts")
    inputs: list[str | tuple[int, ...]] = []
    for position, entry in enumerate(entries):
        where = "input" if isinstance(value, str) else f"input[{position}]"
        if isinstance(entry, int):
            raise invalid(f"invalid {where}, token ids and texts should not be mixed.", where)
        if not entry or (isinstance(entry, str) and not entry.strip()):
            raise invalid(f"invalid {where}, it should not be empty.", where)
        inputs.append(entry if isinstance(entry, str) else tuple(entry))
    tokens = estimate_inputs(inputs)
    if tokens > MAX_INPUT_TOKENS:
        raise invalid(f"invalid input, should have at most {MAX_INPUT_TOKENS} tokens, has about {tokens}.", "input")
    return tuple(inputs)


def build_body(request: Embed) -> JsonObject:
    """A fresh body for `card.target`.

    What a text is in a search is said only to an upstream whose client said it in this dialect: nobody else's upstream
    need know such a field.
    """
    origin = request.origin
    if origin is not None and origin.dialect == NAME:
        return {**decode_object(origin.body), "model": request.card.target}
    body: JsonObject = {
        "model": request.card.target,
        "input": [entry if isinstance(entry, str) else list(entry) for entry in request.inputs],
    }
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    if request.user is not None:
        body["user"] = request.user
    return body


def read_embeddings(data: bytes, request: Embed) -> Embeddings:
    """An upstream's answer, the vectors in the order of the request's texts.

    Raises:
        RixinError: `UPSTREAM_INVALID` where it is none; the error that it holds.
    """
    answer = decode_answer(_ANSWER, data)
    return Embeddings(
        model=answer.model,
        vectors=in_order([(item.index, _vector(item.embedding)) for item in answer.data], request),
        usage=read_total(answer.usage),
    )


def decode_answer(
    decoder: msgspec.json.Decoder[_T], data: bytes, wrong: Callable[[str], RixinError] | None = None
) -> _T:
    """An upstream's answer to a request for something that is not text.

    Raises:
        RixinError: The error that it holds; what `wrong` makes of the reason where it is no such answer, as
            `read_embeddings` does unless given.
    """
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = str(error)
    try:
        held = body_error(decode_object(data))
    except RixinError:
        held = None
    raise held or (wrong or _no_embeddings)(detail)


def in_order(vectors: Sequence[tuple[int | None, Vector]], request: Embed) -> tuple[Vector, ...]:
    """The vectors of an answer by the places of their texts; those that tell no place stand in order.

    Raises:
        RixinError: `UPSTREAM_INVALID` where a text has none, or more than one.
    """
    placed = {place if index is None else index: vector for place, (index, vector) in enumerate(vectors)}
    wanted = range(len(request.inputs))
    if len(vectors) != len(wanted) or placed.keys() != set(wanted):
        raise _no_embeddings(f"{len(vectors)} vectors for {len(wanted)} texts")
    return tuple(placed[place] for place in wanted)


def read_total(value: dict[str, object] | None) -> Usage | None:
    """The tokens of an answer: all of them are the texts', and some upstreams tell the total alone."""
    counts = cast("JsonObject", value or {})
    return read_usage(counts) or read_usage({"prompt_tokens": counts.get("total_tokens")})


def render_embeddings(embeddings: Embeddings, request: Embed) -> bytes:
    """The body of an answer.

    Raises:
        RixinError: `UPSTREAM_INVALID` where a number does not fit into the 32 bits that the client wants.
    """
    in_base64 = request.encoding == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(vector) if in_base64 else vector_numbers(vector)}
        for index, vector in enumerate(embeddings.vectors)
    ]
    tokens = 0 if embeddings.usage is None else embeddings.usage.prompt
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return _encode({"object": "list", "data": data, "model": request.model, "usage": usage})


def _vector(value: str | list[float]) -> Vector:
    if isinstance(value, list):
        return value
    try:
        vector = a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise _no_embeddings(str(error)) from None
    if len(vector) % 4:
        raise _no_embeddings(f"a vector of {len(vector)} bytes")
    return vector


def _base64(vector: Vector) -> str:
    try:
        return b2a_base64(vector_bytes(vector), newline=False).decode()
    except OverflowError:
        raise _no_embeddings("a number beyond 32 bits") from None


def _no_embeddings(detail: str) -> RixinError:
    return RixinError(Kind.UPSTREAM_INVALID, "The upstream gave an answer that holds no embeddings.", detail=detail)


EMBEDDING = EmbeddingUpstream(path="/embeddings", build_body=build_body, parse=read_embeddings)
