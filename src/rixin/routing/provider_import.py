"""Providers out of other programs' configurations, as they are stored here."""

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias, cast

import msgspec

from rixin.core.json import JsonValue
from rixin.errors import Kind, RixinError
from rixin.profiles.importers import litellm, mimo2codex
from rixin.profiles.importers.imported import Imported, ImportedModel, ImportedProvider
from rixin.settings import ModelOverride, PlanLimit, Provider

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MINUTE = 60.0

Format: TypeAlias = Literal["mimo2codex", "litellm"]

EnvironOf: TypeAlias = Callable[[Provider], Mapping[str, str]]
"""The variables that may be read for a provider of the file."""


class ReadProvider(NamedTuple):
    """A provider, and the model that stands for all where nobody can say which it has."""

    provider: Provider
    default_model: str | None

    @property
    def settled(self) -> Provider:
        """The provider with models that it has in any case: those that are named, else the one that stands for all."""
        if self.provider.models or self.default_model is None:
            return self.provider
        return msgspec.structs.replace(self.provider, models=(self.default_model,))


class Reading(NamedTuple):
    """What was read of a file."""

    providers: list[ReadProvider]
    warnings: list[str]
    """What could not be taken over."""


def read_text(text: str, environ_of: EnvironOf, form: Format) -> Reading:
    """Reads a configuration.

    Args:
        text: JSON of mimo2codex, or YAML of LiteLLM.
        environ_of: For the keys, which such files only name.
        form: Whose it is.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong with it.
    """
    try:
        if form == "litellm":
            imported = litellm.import_config(_yaml(text))
        else:
            imported = mimo2codex.import_providers(cast("JsonValue", msgspec.json.decode(text)))
    except msgspec.DecodeError as error:
        raise RixinError(Kind.CONFIGURATION, f"not valid JSON: {error}") from None
    return providers_of(imported, environ_of)


def providers_of(imported: Imported, environ_of: EnvironOf) -> Reading:
    """What an importer has read, as providers of ours; variables are replaced by what they hold now."""
    warnings = list(imported.warnings)
    aliases = _aliases(imported, warnings)
    read: list[ReadProvider] = []
    for entry in imported.providers:
        environ = environ_of(entry.provider)
        weights = {candidate.weight for candidate in imported.candidates if candidate.provider == entry.provider.name}
        if len(weights) > 1:
            warnings.append(f"{entry.provider.name}: its models have different weights, which count as equal")
        read.append(
            ReadProvider(
                msgspec.structs.replace(
                    entry.provider,
                    api_keys=_keys(entry, environ, warnings),
                    # A wildcard stands for whatever the provider lists.
                    models=() if any("*" in model for model in entry.provider.models) else entry.provider.models,
                    headers=_headers(entry, environ, warnings),
                    aliases=aliases.get(entry.provider.name, {}),
                    overrides=_overrides(entry),
                    profile=_profile(entry),
                    limits=tuple(limit for model in entry.models for limit in _limits(model)),
                    weight=float(weights.pop()) if len(weights) == 1 else 1.0,
                ),
                entry.default_model,
            )
        )
    return Reading(read, warnings)


def _yaml(text: str) -> JsonValue:
    from ruamel.yaml import YAML  # noqa: PLC0415 - the verbs beside this one read no YAML
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - as above

    try:
        return cast("JsonValue", YAML(typ="safe", pure=True).load(text))  # pyright: ignore[reportUnknownMemberType] - untyped
    except YAMLError as error:
        raise RixinError(Kind.CONFIGURATION, f"not valid YAML: {error}") from None


def _keys(entry: ImportedProvider, environ: Mapping[str, str], warnings: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for key in entry.provider.api_keys:
        value = _resolved(key, environ)
        if value:
            found.append(value)
        else:
            warnings.append(
                f"{entry.provider.name}: {key.strip('${}')} is not set, so it has no key; "
                f"give one with: rixin providers set-key {entry.provider.name} --api-key-stdin"
            )
    return tuple(found)


def _headers(entry: ImportedProvider, environ: Mapping[str, str], warnings: list[str]) -> dict[str, str]:
    headers = dict(entry.provider.headers)
    for name, text in entry.profile.extra_headers.items():
        value = _resolved(text, environ)
        if value:
            headers[name] = value
        else:
            warnings.append(f"{entry.provider.name}: the header {name} is left out: {text.strip('${}')} is not set")
    return headers


def _resolved(text: str, environ: Mapping[str, str]) -> str | None:
    variable = _VARIABLE.fullmatch(text)
    return text if variable is None else environ.get(variable[1])


def _profile(entry: ImportedProvider) -> dict[str, object]:
    # Headers often hold credentials: they are kept where credentials are.
    profile = msgspec.structs.replace(entry.profile, extra_headers={})
    tree: dict[str, object] = msgspec.to_builtins(profile, order="deterministic")
    return tree


def _overrides(entry: ImportedProvider) -> tuple[ModelOverride, ...]:
    overrides = (
        ModelOverride(
            name=model.name,
            context_length=model.context_length,
            max_output_length=model.max_output_length,
            input_modalities=() if model.images is None else ("text", "image") if model.images else ("text",),
            profile=msgspec.to_builtins(model.profile, order="deterministic"),
        )
        for model in entry.models
    )
    return tuple(override for override in overrides if override != ModelOverride(name=override.name))


def _limits(model: ImportedModel) -> list[PlanLimit]:
    amounts: tuple[tuple[Literal["requests", "tokens"], int | None], ...] = (
        ("requests", model.requests_per_minute),
        ("tokens", model.tokens_per_minute),
    )
    return [PlanLimit(unit=unit, amount=amount, window=_MINUTE, model=model.name) for unit, amount in amounts if amount]


def _aliases(imported: Imported, warnings: list[str]) -> dict[str, dict[str, str]]:
    """Other names of models, by their provider."""
    found: dict[str, dict[str, str]] = {entry.provider.name: {} for entry in imported.providers}

    def give(alias: str, provider: str, model: str) -> None:
        if "*" in model:
            warnings.append(f"{alias}: {provider}/{model} stands for many models; they go by their own names")
        elif found[provider].setdefault(alias, model) != model:
            warnings.append(f"{alias}: of its models at {provider}, {found[provider][alias]} answers, not {model}")

    for candidate in imported.candidates:
        if candidate.name != candidate.model:
            give(candidate.name, candidate.provider, candidate.model)
    for alias, target in imported.aliases.items():
        provider, _, model = target.partition("/")
        if provider in found and model:
            give(alias, provider, model)
            continue
        group = [candidate for candidate in imported.candidates if candidate.name == target]
        for candidate in group:
            give(alias, candidate.provider, candidate.model)
        if not group:
            warnings.append(f"{alias} is left out: there is no {target}")
    return found
