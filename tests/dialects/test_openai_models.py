"""The list of models rendered."""

import json
from typing import Any

from rixin.core.cards import FieldRule, ModelCard, Pricing
from rixin.dialects.openai_models import CONTEXT_LENGTHS, OUTPUT_LENGTHS, render_model, render_models

DOCUMENTED: dict[str, Any] = {
    "id": "sensenova-6.8-flash-lite",
    "name": "sensenova-6.8-flash-lite",
    "hugging_face_id": "",
    "created": 1777392000,
    "description": "Light and multimodal",
    "input_modalities": ["text", "image"],
    "output_modalities": ["text"],
    "quantization": "fp8",
    "context_length": 262144,
    "max_output_length": 65536,
    "pricing": {"prompt": "0", "completion": "0", "image": "0", "request": "0", "input_cache_read": "0"},
    "supported_sampling_parameters": ["temperature", "stop"],
    "supported_features": ["tools", "json_mode", "reasoning"],
    "openrouter": {"slug": "sensenova/sensenova-6.8-flash-lite"},
}
CARD = ModelCard(
    name="sensenova-6.8-flash-lite",
    target="sensenova-6.8-flash-lite",
    owned_by="sensenova",
    created=1777392000,
    description="Light and multimodal",
    input_modalities=("text", "image"),
    quantization="fp8",
    context_length=262144,
    max_output_length=65536,
    features=("tools", "json_mode", "reasoning"),
    fields={"model": FieldRule(), "stop": FieldRule(), "temperature": FieldRule()},
)


def test_the_documented_entry_is_rendered_with_what_clients_look_for() -> None:
    """The platform's sample, plus the fields of OpenAI's SDKs and of agents, and nothing else."""
    limits = dict.fromkeys(CONTEXT_LENGTHS, 262144) | dict.fromkeys(OUTPUT_LENGTHS, 65536)
    more = {"object": "model", "owned_by": "sensenova", **limits}
    assert json.loads(render_model(CARD)) == DOCUMENTED | more


def test_a_list_holds_its_models_in_order() -> None:
    """The list is OpenAI's, and an entry is the same in it and alone."""
    other = ModelCard(name="b", target="b")
    body = json.loads(render_models([CARD, other]))
    assert body == {"object": "list", "data": [json.loads(render_model(CARD)), json.loads(render_model(other))]}
    assert json.loads(render_models([])) == {"object": "list", "data": []}


def test_what_is_unknown_is_left_out() -> None:
    """No limit, no table, no quantization is invented."""
    entry = json.loads(render_model(ModelCard(name="b", target="b")))
    absent = {*CONTEXT_LENGTHS, *OUTPUT_LENGTHS, "quantization", "supported_sampling_parameters"}
    assert not absent & set(entry)


def test_prices_are_of_one_token_and_exact() -> None:
    """The card's prices are of a million; a currency other than US dollars is named."""
    pricing = Pricing(prompt="0.27", completion="1.1", cached="2000000", currency="CNY")
    entry = json.loads(render_model(ModelCard(name="b", target="b", pricing=pricing)))
    assert entry["pricing"] == {
        "prompt": "0.00000027",
        "completion": "0.0000011",
        "image": "0",
        "request": "0",
        "input_cache_read": "2",
        "currency": "CNY",
    }
