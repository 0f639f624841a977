"""Providers that are known, from `presets.toml`, and how an upstream is recognised: by its host, never by a model."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Struct

from rixin.core.cards import FieldRule, ModelCard
from rixin.errors import Kind, RixinError
from rixin.profiles.explanation import Layer
from rixin.profiles.profile import NOTHING, Profile, from_card, layered, merge
from rixin.profiles.table import read_table


class ModelFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for some models of a provider. None, or an empty tuple, says nothing."""

    name: str
    """A glob."""
    context_length: int | None = None
    """The window, in tokens."""
    max_output_length: int | None = None
    """Tokens that one answer may have."""
    input_modalities: tuple[str, ...] = ()
    profile: Profile = NOTHING
    """What their limits do not say."""

    @property
    def accepts(self) -> Profile:
        """What may be sent: within the limits, and images as words where none are seen."""
        longest = self.max_output_length
        blind = self.input_modalities and "image" not in self.input_modalities
        limits = Profile(
            clamp={} if longest is None else {"max_tokens": FieldRule(minimum=1, maximum=longest)},
            image_policy="placeholder" if blind else None,
        )
        return merge(limits, self.profile)


class Preset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider."""

    name: str
    title: str
    dialect: str = "openai_chat"
    base_url: str | None = None
    hosts: tuple[str, ...] = ()
    """Host names, or domains that hold them; with a path, only addresses below it are meant."""
    ports: tuple[int, ...] = ()
    key_variables: tuple[str, ...] = ()
    """Environment variables that may hold the API key, the first one found wins."""
    docs_url: str | None = None
    documented_models: bool = False
    """Whether `models.toml` says how this provider serves the models in it."""
    profile: Profile = NOTHING
    models: tuple[ModelFacts, ...] = ()
    inherits: str | None = None
    abstract: bool = False
    """Only there to be inherited from."""

    def profile_for(self, model: str, card: ModelCard | None = None) -> Profile:
        """What this provider accepts for one of its models.

        Args:
            model: The model's name at the provider.
            card: The model's row in `models.toml`, if there is one.
        """
        return layered(layer.profile for layer in self.layers(model, card))

    def layers(self, model: str, card: ModelCard | None = None) -> list[Layer]:
        """The same, by who says it; later ones win. Arguments as of `profile_for`."""
        layers = [Layer(f"preset {self.name}", self.profile)]
        if card is not None and self.documented_models:
            layers.append(Layer(f"documentation of {card.name}", from_card(card)))
        layers += [
            Layer(f"preset {self.name}, {facts.name}", facts.accepts)
            for facts in self.models
            if fnmatchcase(model, facts.name)
        ]
        return layers

    def facts_of(self, model: str) -> ModelFacts:
        """The limits of one of its models, from all rows that name it; later ones win."""
        found = ModelFacts(name=model)
        for facts in self.models:
            if fnmatchcase(model, facts.name):
                found = ModelFacts(
                    name=model,
                    context_length=facts.context_length or found.context_length,
                    max_output_length=facts.max_output_length or found.max_output_length,
                    input_modalities=facts.input_modalities or found.input_modalities,
                )
        return found

    def fit(self, url: SplitResult) -> int:
        """How well an address fits: 0 not at all, and the more the longer what fits.

        Raises:
            ValueError: The address has no valid port.
        """
        host = url.hostname or ""
        best = 0
        for entry in self.hosts:
            name, _, path = entry.partition("/")
            if (host == name or host.endswith(f".{name}")) and _below(url.path, path):
                best = max(best, 1 + len(entry))
        return best or int(url.port in self.ports)


class Presets:
    """All known providers.

    Args:
        presets: The rows, in any order.

    Raises:
        RixinError: `CONFIGURATION`, naming a row that comes twice or inherits from none.
    """

    def __init__(self, presets: Iterable[Preset]) -> None:
        rows: dict[str, Preset] = {}
        for preset in presets:
            if rows.setdefault(preset.name, preset) is not preset:
                raise RixinError(Kind.CONFIGURATION, f"there are two presets named {preset.name!r}")
        self._rows = {name: _whole(preset, rows) for name, preset in rows.items() if not preset.abstract}

    @property
    def all(self) -> tuple[Preset, ...]:
        """The providers, in the order of the table."""
        return tuple(self._rows.values())

    def named(self, name: str) -> Preset:
        """The provider of a name.

        Raises:
            RixinError: `CONFIGURATION` when there is none, naming those there are.
        """
        preset = self._rows.get(name)
        if preset is None:
            raise RixinError(Kind.CONFIGURATION, f"there is no preset {name!r}; known are {', '.join(self._rows)}")
        return preset

    def preset_for(self, base_url: str) -> Preset:
        """The provider that an address belongs to; the preset `generic` where none is known.

        Raises:
            RixinError: `CONFIGURATION` when the address is none.
        """
        try:
            url = urlsplit(base_url.lower())
            fits = [(preset.fit(url), preset) for preset in self._rows.values()]
        except ValueError as error:
            raise RixinError(Kind.CONFIGURATION, f"the base URL {base_url!r} is not valid: {error}") from None
        fit, best = max(fits, key=lambda pair: pair[0], default=(0, _GENERIC))
        return best if fit else self._rows.get("generic", _GENERIC)


_GENERIC = Preset(name="generic", title="Any upstream")


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    presets: tuple[Preset, ...]


def load_presets(data: bytes) -> Presets:
    """Reads `presets.toml`.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong with the file.
    """
    return Presets(read_table(data, _File, "presets").presets)


def _whole(preset: Preset, rows: dict[str, Preset]) -> Preset:
    if preset.inherits is None:
        return preset
    parent = rows.get(preset.inherits)
    if parent is None:
        raise RixinError(Kind.CONFIGURATION, f"preset {preset.name!r} inherits from {preset.inherits!r}, which is none")
    return msgspec.structs.replace(
        preset, profile=merge(parent.profile, preset.profile), models=(*parent.models, *preset.models)
    )


def _below(path: str, prefix: str) -> bool:
    return not prefix or f"{path}/".startswith(f"/{prefix}/")
