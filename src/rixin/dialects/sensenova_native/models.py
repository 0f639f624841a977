"""The list of models, as `GET /v1/llm/models[/{id}]` gives it.

Source: the platform's Python SDK and its answers as clients publish them: words in upper case, days in ISO 8601.
"""

from collections.abc import Iterable

import msgspec

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject
from rixin.dialects.instants import in_utc

_ENCODER = msgspec.json.Encoder()


def render_models(cards: Iterable[ModelCard]) -> bytes:
    """The list of these models, in the order given."""
    return _ENCODER.encode({"object": "LIST", "data": [_entry(card) for card in cards]})


def render_model(card: ModelCard) -> bytes:
    """One model."""
    return _ENCODER.encode(_entry(card))


def _entry(card: ModelCard) -> JsonObject:
    """A model; an unknown day of birth is the epoch's first."""
    created = in_utc(card.created)
    return {
        "id": card.name,
        "object": "MODEL",
        "type": "LLM",
        "owned_by": card.owned_by,
        "permission": [],
        "root": card.target,
        "parent": "",
        "created_at": created,
        "updated_at": created,
    }
