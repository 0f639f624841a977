"""Model cards from `models.toml`."""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from rixin.core.cards import FieldRule, ModelCard, Operation
from rixin.errors import Kind, RixinError
from rixin.profiles.table import read_table

T = TypeVar("T")

_EMBEDDING = re.compile(
    r"embedding|(^|[-/_.])embed([-/_.:0-9]|$)|(^|/)(bge|gte|e5|multilingual-e5)-(?!rerank)", re.IGNORECASE
)
"""Names of models that make embeddings and nothing else."""


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tables: dict[str, dict[str, FieldRule]] = {}
    """Field tables that rows share."""
    models: tuple[dict[str, Any], ...] = ()
    """The fields of a `ModelCard`; `table` names its field table, `builtin_alias` is told to `KnownModels`."""


class KnownModels(Struct, frozen=True, kw_only=True):
    """What is documented of models, by name."""

    cards: dict[str, ModelCard]
    aliases: tuple[str, ...]
    """Names that are answered by the default model wherever nothing else serves them."""


def load_models(data: bytes) -> KnownModels:
    """Reads `models.toml`.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong with the file.
    """
    file = read_table(data, _File, "models")
    try:
        cards = [_card(dict(row), file.tables) for row in file.models]
    except (msgspec.ValidationError, KeyError) as error:
        raise RixinError(Kind.CONFIGURATION, f"the table of models is not valid: {error}") from None
    aliases = tuple(row["name"] for row in file.models if row.get("builtin_alias"))
    return KnownModels(cards={card.name: card for card in cards}, aliases=aliases)


def _card(row: dict[str, Any], tables: dict[str, dict[str, FieldRule]]) -> ModelCard:
    table = row.pop("table", None)
    row.pop("builtin_alias", None)
    card = msgspec.convert({"target": row["name"], "provider": "", **row}, ModelCard)
    return card if table is None else msgspec.structs.replace(card, fields={**tables[table], **card.fields})


def presumed_operations(name: str, output_modalities: tuple[str, ...]) -> tuple[Operation, ...]:
    """What a model can do that nothing is documented of, by its name and what its provider says comes out of it."""
    if "embeddings" in output_modalities or _EMBEDDING.search(name):
        return ("embed",)
    draws = "image" in output_modalities and "text" not in output_modalities
    return ("draw",) if draws else ("generate",)


def alias_card(name: str, alias: ModelCard | None, target: ModelCard) -> ModelCard:
    """The card of a name that another model answers.

    Field table, defaults, reasoning field, stream conventions, recommended presets and plan are the alias's own where
    they are documented; whatever limits what can be done (operations, window, output, modalities, features) is the
    target's, as is the price, and the smaller where both are known.
    """
    if alias is None:
        return msgspec.structs.replace(target, name=name)
    return msgspec.structs.replace(
        alias,
        target=target.target,
        provider=target.provider,
        operations=target.operations,
        context_length=_smaller(alias.context_length, target.context_length),
        max_output_length=_smaller(alias.max_output_length, target.max_output_length),
        # What describing leaves out is for whoever asks for the alias to know, too.
        description=target.description if target.described_modalities else alias.description,
        input_modalities=target.input_modalities,
        described_modalities=target.described_modalities,
        output_modalities=target.output_modalities,
        features=target.features,
        strict=target.strict,
        quantization=target.quantization,
        pricing=target.pricing,
    )


def smaller_card(one: ModelCard, other: ModelCard) -> ModelCard:
    """The card of a name that either of two models may answer: `one`'s, and no more than both can do."""
    return msgspec.structs.replace(
        one,
        operations=_common(one.operations, other.operations),
        context_length=_smaller(one.context_length, other.context_length),
        max_output_length=_smaller(one.max_output_length, other.max_output_length),
        input_modalities=_common(one.input_modalities, other.input_modalities),
        described_modalities=_common(one.described_modalities, other.described_modalities),
        output_modalities=_common(one.output_modalities, other.output_modalities),
        features=_common(one.features, other.features),
    )


def _common(some: tuple[T, ...], others: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(item for item in some if item in others)


def _smaller(one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return min(known) if known else None
