"""Embeddings on the OpenAI wire, read and rendered on either side."""

import json
from array import array
from base64 import b64encode
from typing import Any

import pytest

from rixin.core.cards import ModelCard
from rixin.core.embeddings import Embeddings
from rixin.core.requests import Embed
from rixin.core.usage import Usage
from rixin.dialects.base import Call
from rixin.dialects.openai_chat.embeddings import build_body, parse_embeddings, read_embeddings, render_embeddings
from rixin.errors import Kind, RixinError

CARD = ModelCard(name="m", target="true-model", provider="p", operations=("embed",))
NUMBERS = [0.5, -0.25, 1.0]
BYTES = array("f", NUMBERS).tobytes()


def parse(**fields: Any) -> Embed:
    """The request that a body makes."""
    return parse_embeddings(Call(body=json.dumps({"model": "m", **fields}).encode()), lambda _: CARD)


def read(answer: Any, **fields: Any) -> Embeddings:
    """An upstream's answer to a request."""
    return read_embeddings(json.dumps(answer).encode(), parse(**fields))


@pytest.mark.parametrize(
    ("value", "inputs"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([1, 2], ((1, 2),)),
        ([[1, 2], [3]], ((1, 2), (3,))),
        (["a", [1]], ("a", (1,))),
    ],
)
def test_input_has_four_forms(value: Any, inputs: tuple[object, ...]) -> None:
    """A text, texts, the token ids of one, or of several."""
    assert parse(input=value).inputs == inputs


@pytest.mark.parametrize(
    ("fields", "kind", "extra"),
    [
        ({}, None, ()),
        ({"input_type": "query"}, "query", ()),
        ({"input_type": "SEARCH_DOCUMENT"}, "passage", ()),
        ({"text_type": "query"}, "query", ()),
        ({"input_type": "clustering", "text_type": "document"}, "passage", ("input_type",)),
        ({"task": "x", "user": None, "late": None}, None, ("task",)),
    ],
)
def test_what_a_text_is_can_be_said(fields: dict[str, Any], kind: str | None, extra: tuple[str, ...]) -> None:
    """In the words of several vendors; what nobody understands is remembered by its name."""
    request = parse(input="a", **fields)
    assert (request.kind, request.extra) == (kind, extra)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": []}, "input"),
        ({"input": [""]}, "input[0]"),
        ({"input": ["a", ""]}, "input[1]"),
        ({"input": ["a", 3]}, "input[1]"),
        ({"input": {"a": 1}}, "input"),
        ({"input": ["字" * 10_000] * 60}, "input"),
        ({"input": "a", "model": ""}, "model"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    """By the field, or the place in it."""
    with pytest.raises(RixinError) as raised:
        parse(**fields)
    assert (raised.value.kind, raised.value.param) == (Kind.INVALID_REQUEST, param)


def test_the_clients_own_body_goes_on() -> None:
    """With whatever it says, for the upstream's own model."""
    body = build_body(parse(input=[[1, 2]], input_type="clustering", dimensions=8, encoding_format="base64"))
    assert body == {
        "model": "true-model",
        "input": [[1, 2]],
        "input_type": "clustering",
        "dimensions": 8,
        "encoding_format": "base64",
    }


def test_another_dialects_request_is_rendered() -> None:
    """With nothing that only some upstreams know."""
    request = Embed(model="m", card=CARD, inputs=("a", (1,)), kind="query", dimensions=8, user="u")
    assert build_body(request) == {"model": "true-model", "input": ["a", [1]], "dimensions": 8, "user": "u"}


@pytest.mark.parametrize("vector", [NUMBERS, b64encode(BYTES).decode()])
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_each_encoding_becomes_the_one_that_is_wanted(vector: object, encoding: str) -> None:
    """Whatever the upstream sent."""
    answer = read({"data": [{"embedding": vector, "index": 0}]}, input="a", encoding_format=encoding)
    rendered = json.loads(render_embeddings(answer, parse(input="a", encoding_format=encoding)))
    wanted = NUMBERS if encoding == "float" else b64encode(BYTES).decode()
    assert rendered["data"] == [{"object": "embedding", "index": 0, "embedding": wanted}]
    assert (rendered["object"], rendered["model"]) == ("list", "m")


def test_numbers_pass_as_they_came() -> None:
    """An upstream's decimals are not cut to 32 bits on their way."""
    answer = read({"data": [{"embedding": [0.1, 1e-7]}]}, input="a")
    assert json.loads(render_embeddings(answer, parse(input="a")))["data"][0]["embedding"] == [0.1, 1e-7]


def test_vectors_stand_by_their_texts() -> None:
    """In whatever order they came; those without a place stand in order."""
    mixed = {"data": [{"embedding": [2.0], "index": 1}, {"embedding": [1.0], "index": 0}]}
    assert read(mixed, input=["a", "b"]).vectors == ([1.0], [2.0])
    plain = {"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]}
    assert read(plain, input=["a", "b"]).vectors == ([1.0], [2.0])


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [({"prompt_tokens": 3, "total_tokens": 3}, 3), ({"total_tokens": 4}, 4), ({"input_tokens": 5}, 5), (None, None)],
)
def test_usage_is_read(usage: Any, tokens: int | None) -> None:
    """In the shapes that vendors tell it."""
    read_usage = read({"data": [{"embedding": [1.0]}], "usage": usage}, input="a").usage
    assert read_usage == (None if tokens is None else Usage(prompt=tokens))


@pytest.mark.parametrize(
    "answer",
    [
        {"data": []},
        {"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]},
        {"data": [{"embedding": [1.0], "index": 1}]},
        {"data": [{"embedding": "not Base64!"}]},
        {"data": [{"embedding": "YQ=="}]},
        {"data": [{"embedding": ["a"]}]},
        {"object": "list"},
        [],
    ],
)
def test_what_is_no_answer_is_told(answer: Any) -> None:
    """Too few vectors, too many, or none at all."""
    with pytest.raises(RixinError) as raised:
        read(answer, input="a")
    assert raised.value.kind is Kind.UPSTREAM_INVALID


def test_an_error_under_status_200_is_that_error() -> None:
    """As some gateways send it."""
    with pytest.raises(RixinError, match="no such model"):
        read({"error": {"message": "no such model", "type": "invalid_request_error"}}, input="a")


def test_a_number_beyond_32_bits_has_no_bytes() -> None:
    """It is told instead of becoming infinite."""
    with pytest.raises(RixinError) as raised:
        render_embeddings(Embeddings(model="m", vectors=([1e300],)), parse(input="a", encoding_format="base64"))
    assert raised.value.kind is Kind.UPSTREAM_INVALID
