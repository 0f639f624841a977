"""The list of models in Google's shape; row G1 of the agents' hard cases."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from rixin.core.cards import ModelCard
from rixin.dialects.gemini.models import MAX_SIZE, render_model, render_models
from rixin.errors import Kind, RixinError
from tests.dialects.support import CARDS

MANY = [ModelCard(name=f"m{number}", target="m") for number in range(MAX_SIZE + 1)]


def pages(**query: str) -> Iterator[list[str]]:
    """The names on each page, from the one that the query asks for to the last."""
    while True:
        page: Any = json.loads(render_models(MANY, query))
        yield [entry["name"] for entry in page["models"]]
        if "nextPageToken" not in page:
            return
        query["pageToken"] = page["nextPageToken"]


def test_g1_a_model_is_shown_with_its_limits() -> None:
    """As its card has them; those that nobody knows are left out."""
    entry = json.loads(render_model(CARDS["sensenova-6.7-flash-lite"]))
    assert (entry["name"], entry["displayName"]) == ("models/sensenova-6.7-flash-lite", "sensenova-6.7-flash-lite")
    assert (entry["inputTokenLimit"], entry["outputTokenLimit"]) == (262144, 65536)
    assert entry["supportedGenerationMethods"] == ["generateContent", "streamGenerateContent", "countTokens"]
    unknown = json.loads(render_model(CARDS["embedder"]))
    assert not {"inputTokenLimit", "outputTokenLimit"} & unknown.keys()
    assert unknown["supportedGenerationMethods"] == []


@pytest.mark.parametrize(("size", "lengths"), [("", [50] * 20 + [1]), ("600", [600, 401]), ("5000", [MAX_SIZE, 1])])
def test_g1_models_are_listed_a_page_at_a_time(size: str, lengths: list[int]) -> None:
    """Each once, in order; no page is larger than the largest."""
    listed = list(pages(pageSize=size))
    assert [len(page) for page in listed] == lengths
    assert [name for page in listed for name in page] == [f"models/{card.name}" for card in MANY]


@pytest.mark.parametrize(
    "query", [{"pageSize": "-1"}, {"pageSize": "many"}, {"pageToken": "x"}, {"pageToken": "9" * 99}]
)
def test_g1_a_page_that_cannot_be_is_refused(query: dict[str, str]) -> None:
    """Naming the parameter."""
    with pytest.raises(RixinError) as caught:
        render_models(MANY, query)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, next(iter(query)))
