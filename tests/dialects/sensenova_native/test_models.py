"""The list of models."""

import json

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject
from rixin.dialects.sensenova_native.models import render_model, render_models

CARD = ModelCard(name="SenseNova-V6-Pro", target="local", owned_by="sensenova", created=1744156800)
ENTRY: JsonObject = {
    "id": "SenseNova-V6-Pro",
    "object": "MODEL",
    "type": "LLM",
    "owned_by": "sensenova",
    "permission": [],
    "root": "local",
    "parent": "",
    "created_at": "2025-04-09T00:00:00Z",
    "updated_at": "2025-04-09T00:00:00Z",
}


def test_models_are_listed_in_the_platforms_shape() -> None:
    """Words in upper case, and days in ISO 8601."""
    assert json.loads(render_models([CARD])) == {"object": "LIST", "data": [ENTRY]}


def test_a_model_is_shown_by_itself() -> None:
    """Without an envelope."""
    assert json.loads(render_model(CARD)) == ENTRY
