"""The list of models, as `GET /v1/models[/{id}]` gives it.

Source: the SenseNova token platform's list (rich entries in OpenRouter's manner), with the fields that OpenAI's SDKs
(`object`, `owned_by`) and agents (`max_model_len`) look for. What is not known is left out.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from rixin.core.cards import ModelCard, Pricing
from rixin.core.json import JsonObject

SAMPLING_PARAMETERS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "seed",
    "stop",
    "max_tokens",
    "logit_bias",
)
"""Request fields that the list calls sampling parameters, told where a model's table has them."""

CONTEXT_LENGTHS = ("context_length", "max_model_len", "context_window", "max_context_length", "max_input_tokens")
OUTPUT_LENGTHS = ("max_output_length", "max_output_tokens", "max_completion_tokens")
"""What clients call a model's limits: the token platform and OpenRouter, vLLM, Groq, LM Studio, and gateways."""

_MILLION = Decimal(1_000_000)

_ENCODER = msgspec.json.Encoder()


def render_models(cards: Iterable[ModelCard]) -> bytes:
    """The list of these models, in the order given."""
    return _ENCODER.encode({"object": "list", "data": [_entry(card) for card in cards]})


def render_model(card: ModelCard) -> bytes:
    """One model."""
    return _ENCODER.encode(_entry(card))


def _entry(card: ModelCard) -> JsonObject:
    entry: JsonObject = {
        "id": card.name,
        "name": card.name,
        "object": "model",
        "owned_by": card.owned_by,
        "hugging_face_id": "",
        "created": card.created,
        "description": card.description,
        "input_modalities": [*card.accepted_modalities],
        "output_modalities": [*card.output_modalities],
    }
    if card.quantization is not None:
        entry["quantization"] = card.quantization
    for names, limit in ((CONTEXT_LENGTHS, card.context_length), (OUTPUT_LENGTHS, card.max_output_length)):
        if limit is not None:
            entry |= dict.fromkeys(names, limit)
    entry["pricing"] = _pricing(card.pricing)
    if card.fields:
        entry["supported_sampling_parameters"] = [name for name in SAMPLING_PARAMETERS if name in card.fields]
    entry["supported_features"] = [*card.features]
    entry["openrouter"] = {"slug": f"{card.owned_by}/{card.name}"}
    return entry


def _pricing(pricing: Pricing) -> JsonObject:
    """Prices of one token, as decimal text; the currency is told where it is not the list's own, US dollars."""
    prices: JsonObject = {
        "prompt": _per_token(pricing.prompt),
        "completion": _per_token(pricing.completion),
        "image": "0",
        "request": f"{Decimal(pricing.request):f}",
        "input_cache_read": _per_token(pricing.prompt if pricing.cached is None else pricing.cached),
    }
    if pricing.currency != "USD":
        prices["currency"] = pricing.currency
    return prices


def _per_token(per_million: str) -> str:
    text = f"{Decimal(per_million) / _MILLION:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
