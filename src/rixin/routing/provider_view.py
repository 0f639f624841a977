"""What people are shown of a provider: everything but its secrets."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from rixin.core.cards import ModelCard
from rixin.profiles.explanation import Fact, Layer, facts
from rixin.routing.known_provider import KnownProvider
from rixin.settings import Provider

_SHOWN = 4
_SECRET_LENGTH = 3 * _SHOWN
"""Characters that a key must have for its last ones to be shown."""
_TOLD_APART = frozenset(
    {
        "name",
        "enabled",
        "base_url",
        "preset",
        "dialect",
        "api_keys",
        "models",
        "headers",
        "aliases",
        "overrides",
        "profile",
    }
)


class ProviderView(Struct, frozen=True, kw_only=True):
    """A provider without its secrets."""

    name: str
    source: str
    """`configured` in the file, or `stored`."""
    enabled: bool
    """Whether requests are sent to it."""
    base_url: str
    preset: str
    preset_title: str
    docs_url: str | None
    dialect: str
    api_keys: tuple[str, ...]
    """The last four characters of each."""
    headers: tuple[str, ...]
    """Their names."""
    models: tuple[str, ...]
    """Empty where it is asked for them."""
    aliases: dict[str, str]
    overrides: list[dict[str, Any]]
    profile: dict[str, Any]
    """What its settings say, not what is known besides."""
    options: dict[str, Any]
    """All other settings that are not at their defaults."""
    problem: str | None
    """Why it cannot be served."""
    updated_at: float | None
    """When it was stored, in seconds since the epoch."""


class Rewrites(Struct, frozen=True, kw_only=True):
    """What is done to the requests of some models and to their answers."""

    models: tuple[str, ...]
    """By the provider's names; empty means every other model."""
    facts: tuple[Fact, ...]


def provider_view(entry: KnownProvider) -> ProviderView:
    """What is shown of a provider."""
    provider = entry.provider
    tree: dict[str, Any] = msgspec.to_builtins(provider)
    plain: dict[str, Any] = msgspec.to_builtins(Provider(name=""))
    return ProviderView(
        name=provider.name,
        source=entry.source,
        enabled=provider.enabled,
        base_url=provider.base_url,
        preset=entry.preset.name,
        preset_title=entry.preset.title,
        docs_url=entry.preset.docs_url,
        dialect=provider.dialect,
        api_keys=tuple(map(shown_key, provider.api_keys)),
        headers=tuple(provider.headers),
        models=provider.models,
        aliases=provider.aliases,
        overrides=tree["overrides"],
        profile=tree["profile"],
        options={name: value for name, value in tree.items() if name not in _TOLD_APART and value != plain[name]},
        problem=entry.problem,
        updated_at=entry.updated_at,
    )


def shown_key(key: str) -> str:
    """A key as people know it again, and nobody can use it."""
    return f"...{key[-_SHOWN:]}" if len(key) >= _SECRET_LENGTH else "..."


def rewrites(
    entry: KnownProvider,
    cards: Mapping[str, ModelCard],
    models: Iterable[str] = (),
    learned: Mapping[str, list[Layer]] | None = None,
) -> list[Rewrites]:
    """What is done to requests: for any model first, then for those of `models` of which more is known.

    Args:
        entry: The provider.
        cards: What is documented of models, by name.
        models: The provider's names of some.
        learned: What was learned of models, by the provider's names.
    """
    learned = learned or {}
    general = tuple(facts(entry.layers("")))
    groups: dict[bytes, tuple[tuple[Fact, ...], list[str]]] = {}
    for model in dict.fromkeys([*models, *learned]):
        found = tuple(facts(entry.layers(model, cards.get(model), learned.get(model, ()))))
        if found != general:
            groups.setdefault(msgspec.json.encode(found), (found, []))[1].append(model)
    return [
        Rewrites(models=(), facts=general),
        *(Rewrites(models=tuple(names), facts=found) for found, names in groups.values()),
    ]
