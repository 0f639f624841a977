"""What is known of one provider: its settings, completed and checked, and what they and its preset say of requests."""

import re
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec
from msgspec import Struct

from rixin.core.cards import ModelCard
from rixin.engines.base_url import normalize_base_url
from rixin.errors import Kind, RixinError
from rixin.limits.base import Limit
from rixin.profiles.explanation import Layer
from rixin.profiles.presets import Preset, Presets
from rixin.profiles.profile import Profile, layered
from rixin.settings import LOCAL, REPLAY, ModelOverride, Provider, check_provider

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class KnownProvider(Struct, frozen=True, kw_only=True):
    """A provider, and what is known of it."""

    provider: Provider
    """With an address, whoever gave it."""
    preset: Preset
    source: Literal["configured", "stored"]
    settings_profile: Profile = Profile()
    overrides: tuple[tuple[str, Profile], ...] = ()
    """What its settings say of some models, by glob."""
    problem: str | None = None
    """Why it cannot be served."""
    updated_at: float | None = None
    """When it was stored, in seconds since the epoch; None for the file's."""

    @property
    def name(self) -> str:
        """Stands before a slash in `name/model`."""
        return self.provider.name

    @property
    def is_served(self) -> bool:
        """Whether requests are sent to it."""
        return self.problem is None and self.provider.enabled

    def layers(self, model: str, card: ModelCard | None = None, learned: Iterable[Layer] = ()) -> list[Layer]:
        """What is said of requests for a model, later ones winning.

        Args:
            model: Its name at the provider.
            card: Its row in `models.toml`, if there is one.
            learned: What was learned of it, which the settings overrule.
        """
        return [
            *self.preset.layers(model, card),
            *learned,
            Layer("settings", self.settings_profile),
            *(Layer(f"settings, {name}", profile) for name, profile in self.overrides if fnmatchcase(model, name)),
        ]

    def profile_for(self, model: str, card: ModelCard | None = None, learned: Iterable[Layer] = ()) -> Profile:
        """What the upstream accepts for a model; arguments as of `layers`."""
        return layered(layer.profile for layer in self.layers(model, card, learned))

    def override_of(self, model: str) -> ModelOverride:
        """What its settings say of a model's limits; later ones win, field by field."""
        said: dict[str, Any] = {}
        for override in self.provider.overrides:
            if fnmatchcase(model, override.name):
                said |= {name: value for name, value in msgspec.structs.asdict(override).items() if value}
        return msgspec.convert({**said, "name": model}, ModelOverride)


class Rules(Struct, frozen=True, kw_only=True):
    """What providers are checked against, and completed from."""

    presets: Presets
    dialects: Collection[str]
    """Those in which an upstream can be spoken to."""
    environ: Mapping[str, str]
    """For the keys that presets name."""


def known_provider(
    provider: Provider, rules: Rules, *, source: Literal["configured", "stored"], updated_at: float | None = None
) -> KnownProvider:
    """A provider that can be served: completed from its preset, and checked.

    One that names a preset and no address gets the preset's address and dialect and, unless it has keys, the key in the
    preset's variable.

    Raises:
        RixinError: `CONFIGURATION`, naming the provider and what is wrong with it.
    """
    try:
        return _known(provider, rules, source, updated_at)
    except RixinError as error:
        if f"provider {provider.name}" in error.message:
            raise
        raise RixinError(Kind.CONFIGURATION, f"provider {provider.name}: {error.message}") from None


def _known(
    provider: Provider, rules: Rules, source: Literal["configured", "stored"], updated_at: float | None
) -> KnownProvider:
    name = provider.name
    if not _NAME.fullmatch(name):
        raise RixinError(Kind.CONFIGURATION, f"the name {name!r} may hold up to 64 letters, digits, ., _ and - only")
    if name == LOCAL:
        raise RixinError(Kind.CONFIGURATION, f"no provider can be named {LOCAL}: this machine's models are")
    preset = rules.presets.named(provider.preset) if provider.preset else None
    if not provider.base_url:
        if preset is None and all(known.name != name for known in rules.presets.all):
            known = ", ".join(preset.name for preset in rules.presets.all if preset.base_url)
            raise RixinError(
                Kind.CONFIGURATION, f"it has no base_url, which only presets need not be given; those are {known}"
            )
        preset = preset or rules.presets.named(name)
        provider = _completed(provider, preset, rules.environ)
    recorded = source == "configured" and provider.base_url.startswith(REPLAY)
    base_url = provider.base_url if recorded else normalize_base_url(provider.base_url)
    if provider.dialect not in rules.dialects:
        raise RixinError(
            Kind.CONFIGURATION, f"there is no dialect {provider.dialect}; known are {', '.join(rules.dialects)}"
        )
    check_provider(provider)
    _check_limits(provider)
    for key in provider.api_keys:
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise RixinError(Kind.CONFIGURATION, "api_keys holds something that cannot be sent as a key")
    for header, value in provider.headers.items():
        if not _HEADER.fullmatch(header) or not value.isprintable():
            raise RixinError(Kind.CONFIGURATION, f"headers: {header!r} or its value cannot be sent as a header")
    return KnownProvider(
        provider=msgspec.structs.replace(provider, base_url=base_url),
        preset=preset or rules.presets.preset_for(base_url),
        source=source,
        settings_profile=_profile(provider.profile, "profile"),
        overrides=tuple(
            (override.name, _profile(override.profile, f"overrides of {override.name}"))
            for override in provider.overrides
        ),
        updated_at=updated_at,
    )


def _check_limits(provider: Provider) -> None:
    for rule in (*provider.limits, *provider.key_limits):
        try:
            Limit("", rule.unit, rule.amount, rule.window)
        except ValueError as error:
            raise RixinError(Kind.CONFIGURATION, f"limits: {error}") from None


def _completed(provider: Provider, preset: Preset, environ: Mapping[str, str]) -> Provider:
    if preset.base_url is None:
        raise RixinError(Kind.CONFIGURATION, f"{preset.title} runs anywhere; give its base_url")
    keys = provider.api_keys
    if not keys:
        variable = key_variable(preset, environ)
        keys = () if variable is None else (environ[variable],)
    return msgspec.structs.replace(
        provider, preset=preset.name, base_url=preset.base_url, dialect=preset.dialect, api_keys=keys
    )


def key_variable(preset: Preset, environ: Mapping[str, str]) -> str | None:
    """The variable that holds the key of a known provider; None where none is set."""
    return next((name for name in preset.key_variables if environ.get(name)), None)


def _profile(tree: dict[str, Any], where: str) -> Profile:
    try:
        return msgspec.convert(tree, Profile)
    except msgspec.ValidationError as error:
        raise RixinError(Kind.CONFIGURATION, f"{where}: {error}") from None
