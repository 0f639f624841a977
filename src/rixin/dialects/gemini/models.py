"""The list of models in Google's shape, as `GET /v1beta/models[/{model}]` gives it.

Source: Google's Gemini API reference, on models. Unknown limits are left out.
"""

from collections.abc import Mapping, Sequence

import msgspec

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject, JsonValue
from rixin.errors import invalid

DEFAULT_SIZE = 50
MAX_SIZE = 1000

_METHODS: tuple[JsonValue, ...] = ("generateContent", "streamGenerateContent", "countTokens")

_ENCODER = msgspec.json.Encoder()


def asks_in_this_shape(headers: Mapping[str, str]) -> bool:
    """Whether a client speaks this dialect; header names are in lower case."""
    return "x-goog-api-key" in headers or "x-goog-api-client" in headers


def render_models(cards: Sequence[ModelCard], query: Mapping[str, str]) -> bytes:
    """A page of the models in the order given.

    Args:
        cards: All models.
        query: The request's `pageSize` (more than 1000 is 1000) and `pageToken`, the place of the page's first model.

    Raises:
        RixinError: `INVALID_REQUEST` for a size or token that is no number.
    """
    size = min(_number(query, "pageSize") or DEFAULT_SIZE, MAX_SIZE)
    start = _number(query, "pageToken")
    page: JsonObject = {"models": [_entry(card) for card in cards[start : start + size]]}
    if start + size < len(cards):
        page["nextPageToken"] = str(start + size)
    return _ENCODER.encode(page)


def render_model(card: ModelCard) -> bytes:
    """One model."""
    return _ENCODER.encode(_entry(card))


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid(f"invalid {name}, expected a number.", name)
    return int(text)


def _entry(card: ModelCard) -> JsonObject:
    entry: JsonObject = {
        "name": f"models/{card.name}",
        "version": card.name,
        "displayName": card.name,
        "description": card.description,
        "supportedGenerationMethods": [*_METHODS] if card.supports("generate") else [],
        "thinking": "reasoning" in card.features,
    }
    if card.context_length is not None:
        entry["inputTokenLimit"] = card.context_length
    if card.max_output_length is not None:
        entry["outputTokenLimit"] = card.max_output_length
    return entry
