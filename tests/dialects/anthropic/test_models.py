"""The list of models in Anthropic's shape; row A17 of the agents' hard cases."""

import json
from typing import Any

import pytest

from rixin.core.cards import ModelCard
from rixin.dialects.anthropic.models import asks_in_this_shape, render_model, render_models
from rixin.errors import RixinError

CARDS = [
    ModelCard(name="a", target="a", created=1776952631, context_length=262144, max_output_length=65536),
    *(ModelCard(name=name, target=name) for name in "bcde"),
]


def page(**query: str) -> dict[str, Any]:
    """A page of the list."""
    return json.loads(render_models(CARDS, query))


def test_a17_a_model_has_a_name_to_show_and_a_day_of_birth() -> None:
    """Limits are told where they are known; an unknown day is the epoch's first."""
    entry = {
        "type": "model",
        "id": "a",
        "display_name": "a",
        "created_at": "2026-04-23T13:57:11Z",
        "lifecycle": "active",
        "max_input_tokens": 262144,
        "max_tokens": 65536,
    }
    assert json.loads(render_model(CARDS[0])) == page()["data"][0] == entry
    assert json.loads(render_model(CARDS[1])) == {
        "type": "model",
        "id": "b",
        "display_name": "b",
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
    }


@pytest.mark.parametrize(
    ("query", "names", "more"),
    [
        ({}, "abcde", False),
        ({"limit": "1000"}, "abcde", False),
        ({"limit": "2"}, "ab", True),
        ({"limit": "2", "after_id": "b"}, "cd", True),
        ({"limit": "2", "after_id": "c"}, "de", False),
        ({"after_id": "e"}, "", False),
        ({"limit": "2", "before_id": "e"}, "cd", True),
        ({"limit": "2", "before_id": "b"}, "a", False),
    ],
)
def test_a17_the_list_comes_in_pages(query: dict[str, str], names: str, more: bool) -> None:
    """After a model, before one, or from the beginning."""
    told = page(**query)
    assert ([entry["id"] for entry in told["data"]], told["has_more"]) == (list(names), more)
    assert (told["first_id"], told["last_id"]) == ((names[0], names[-1]) if names else (None, None))


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"after_id": "z"}])
def test_a17_a_page_that_there_is_not_is_refused(query: dict[str, str]) -> None:
    """The error names the parameter."""
    with pytest.raises(RixinError) as caught:
        page(**query)
    assert caught.value.param == next(iter(query))


def test_a17_who_sends_a_version_asks_in_this_shape() -> None:
    """Other clients of the same path get OpenAI's list."""
    assert asks_in_this_shape({"anthropic-version": "2023-06-01"})
    assert not asks_in_this_shape({"authorization": "Bearer x"})
