"""Embeddings of the native platform, read and rendered on either side."""

import json
from typing import Any

import pytest

from rixin.core.cards import ModelCard
from rixin.core.embeddings import Embeddings
from rixin.core.requests import Embed
from rixin.core.usage import Usage
from rixin.dialects.base import Call
from rixin.dialects.sensenova_native.embeddings import (
    build_body,
    parse_embeddings,
    read_embeddings,
    render_embeddings,
)
from rixin.errors import Kind, RixinError

CARD = ModelCard(name="nova-embedding-stable", target="true-model", operations=("embed",))


def parse(**fields: Any) -> Embed:
    """The request that a body makes."""
    body = {"model": "nova-embedding-stable", **fields}
    return parse_embeddings(Call(body=json.dumps(body).encode()), lambda _: CARD)


def test_a_request_is_read() -> None:
    """With the platform's limit on each text."""
    request = parse(input=["今天", "b"], input_type="query", other=1)
    assert (request.inputs, request.kind, request.most_tokens) == (("今天", "b"), "query", 512)
    assert request.extra == ("other",)


@pytest.mark.parametrize(
    ("value", "param"), [([], "input"), (["a"] * 33, "input"), ([1], "input[0]"), (["", "a"], "input[0]")]
)
def test_what_is_wrong_is_named(value: Any, param: str) -> None:
    """None, too many, no texts, or an empty one."""
    with pytest.raises(RixinError) as raised:
        parse(input=value)
    assert raised.value.param == param


def test_an_answer_has_the_platforms_shape() -> None:
    """`embeddings` beside `usage`, and no `data`."""
    answer = Embeddings(model="x", vectors=([0.5], b"\0\0\x80\xbe"), usage=Usage(prompt=7))
    assert json.loads(render_embeddings(answer, parse(input=["a", "b"]))) == {
        "embeddings": [{"index": 0, "embedding": [0.5]}, {"index": 1, "embedding": [-0.25]}],
        "usage": {"prompt_tokens": 7, "knowledge_tokens": 0, "completion_tokens": 0, "total_tokens": 7},
    }


def test_an_upstream_is_asked_in_its_words() -> None:
    """The client's own body where it speaks the same; else texts alone."""
    assert build_body(parse(input=["a"], other=1)) == {"model": "true-model", "input": ["a"], "other": 1}
    assert build_body(Embed(model="m", card=CARD, inputs=("a",))) == {"model": "true-model", "input": ["a"]}


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (Embed(model="m", card=CARD, inputs=((1, 2),)), "input"),
        (Embed(model="m", card=CARD, inputs=("a",), dimensions=8), "dimensions"),
    ],
)
def test_what_it_cannot_say_is_refused(request_: Embed, param: str) -> None:
    """By name."""
    with pytest.raises(RixinError) as raised:
        build_body(request_)
    assert (raised.value.kind, raised.value.param) == (Kind.INVALID_REQUEST, param)


def test_an_upstreams_answer_is_read() -> None:
    """By the places that it tells."""
    data = {"embeddings": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0], "status_code": 0}]}
    answer = read_embeddings(json.dumps(data).encode(), parse(input=["a", "b"]))
    assert answer.vectors == ([1.0], [2.0])
