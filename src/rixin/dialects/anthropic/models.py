"""The list of models in Anthropic's shape, as `GET /v1/models[/{id}]` gives it to those who ask so.

Source: Anthropic's Models reference; the gateway discovery of Claude Code, which asks for `?limit=1000`.
"""

from collections.abc import Mapping, Sequence

import msgspec

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject
from rixin.dialects.instants import in_utc
from rixin.errors import invalid

DEFAULT_LIMIT = 20
MAX_LIMIT = 1000

_ENCODER = msgspec.json.Encoder()


def asks_in_this_shape(headers: Mapping[str, str]) -> bool:
    """Whether a client of `/v1/models` speaks this dialect; header names are in lower case."""
    return "anthropic-version" in headers


def render_models(cards: Sequence[ModelCard], query: Mapping[str, str]) -> bytes:
    """A page of the models in the order given.

    Args:
        cards: All models.
        query: The request's `limit`, and `after_id` or `before_id`, which name the model next to the page.

    Raises:
        RixinError: `INVALID_REQUEST` for a limit out of range or an id that names no model.
    """
    limit = _limit(query.get("limit", ""))
    names = [card.name for card in cards]
    start, end = 0, len(cards)
    if after := query.get("after_id"):
        start = _place(names, after, "after_id") + 1
    if before := query.get("before_id"):
        end = _place(names, before, "before_id")
    page = cards[start:end]
    page = page[-limit:] if before and not after else page[:limit]
    data = [_entry(card) for card in page]
    return _ENCODER.encode({
        "data": data,
        "has_more": len(page) < max(0, end - start),
        "first_id": page[0].name if page else None,
        "last_id": page[-1].name if page else None,
    })  # fmt: skip


def render_model(card: ModelCard) -> bytes:
    """One model."""
    return _ENCODER.encode(_entry(card))


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(MAX_LIMIT)) + 1 else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid(f"invalid limit, should in [1,{MAX_LIMIT}].", "limit")
    return limit


def _place(names: list[str], name: str, param: str) -> int:
    if name not in names:
        raise invalid(f"invalid {param}, no model has that id.", param)
    return names.index(name)


def _entry(card: ModelCard) -> JsonObject:
    """A model; an unknown day of birth is the epoch's first, as Anthropic has it."""
    entry: JsonObject = {
        "type": "model",
        "id": card.name,
        "display_name": card.name,
        "created_at": in_utc(card.created),
        "lifecycle": "active",
    }
    if card.context_length is not None:
        entry["max_input_tokens"] = card.context_length
    if card.max_output_length is not None:
        entry["max_tokens"] = card.max_output_length
    return entry
