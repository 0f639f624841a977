"""The upstreams that answer: list, add, change, remove; what is known of providers, and what that does to requests."""

from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
from fastapi import Request
from pydantic import BaseModel, ConfigDict

from rixin.engines.base_url import normalize_base_url
from rixin.errors import RixinError, invalid
from rixin.profiles.presets import Preset
from rixin.routing.known_provider import KnownProvider, known_provider
from rixin.routing.provider_view import Rewrites, provider_view, rewrites
from rixin.settings import Provider
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.phrases import PhraseView
from rixin.web.admin.services import AdminServices, Services

router = guarded_router("providers")


class FactView(BaseModel):
    """One thing that is done to requests or answers."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    """Of the profile."""
    value: Any
    sources: list[str]
    """Whose word it is."""
    meaning: str
    """What it does, as a sentence."""
    phrase: PhraseView


class RewritesView(BaseModel):
    """What is done for some models."""

    model_config = ConfigDict(from_attributes=True)

    models: list[str]
    """By the provider's names; empty means every other model."""
    facts: list[FactView]


class ProviderInfo(BaseModel):
    """A provider without its secrets."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    source: str
    """`configured` in the file, which is read only here, or `stored`."""
    enabled: bool
    """Whether requests are sent to it."""
    base_url: str
    preset: str
    preset_title: str
    docs_url: str | None
    dialect: str
    api_keys: list[str]
    """The last four characters of each."""
    headers: list[str]
    """Their names."""
    models: list[str]
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


class ProviderList(BaseModel):
    """Configured providers in the file's order, then stored ones."""

    data: list[ProviderInfo]


class ProviderDetail(ProviderInfo):
    """A provider, and what is done to its requests."""

    rewrites: list[RewritesView]


class ProviderChange(BaseModel):
    """What shall change of a provider; what is absent stays. Fields are those of `[[providers]]`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool | None = None
    """Whether requests shall be sent to it."""
    base_url: str | None = None
    """Keys and headers must be given anew with another host: they were meant for the old one."""
    preset: str | None = None
    dialect: str | None = None
    api_keys: list[str] | None = None
    """All of them; none is ever shown again."""
    models: list[str] | None = None
    headers: dict[str, str] | None = None
    aliases: dict[str, str] | None = None
    overrides: list[dict[str, Any]] | None = None
    profile: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    """Other settings, such as `priority` or `idle_timeout`."""


class NewProvider(ProviderChange):
    """A wish for a provider. A preset's name alone takes its address, and the key that the server has for it."""

    name: str


class PresetView(BaseModel):
    """A provider that is known."""

    name: str
    title: str
    base_url: str | None
    """Absent where it runs anywhere."""
    dialect: str
    key_variables: list[str]
    """The server's variables that may hold its key."""
    key_is_set: bool
    """Whether one of them does."""
    docs_url: str | None


class PresetList(BaseModel):
    """All known providers."""

    data: list[PresetView]


class PreviewWish(BaseModel):
    """An address of which something may be known, and what one would say of the provider there."""

    model_config = ConfigDict(extra="forbid", strict=True)

    base_url: str
    preset: str | None = None
    """Found from the address unless given."""
    profile: dict[str, Any] = {}
    """What its settings would say."""


class Preview(BaseModel):
    """What would be done for a provider at an address. Nobody was asked."""

    base_url: str
    """In the form in which it is used."""
    preset: PresetView
    rewrites: list[RewritesView]


@router.get("/providers")
async def list_providers(services: Services) -> ProviderList:
    """Lists the providers."""
    return ProviderList(data=[ProviderInfo.model_validate(provider_view(entry)) for entry in services.providers.all])


@router.post("/providers", status_code=201)
async def create_provider(services: Services, request: Request, wish: NewProvider) -> ProviderDetail:
    """Stores a provider. It is served everywhere within seconds."""
    request.state.target = wish.name
    provider = _changed(Provider(name=wish.name), wish)
    return detail(services, await services.providers.add(provider))


@router.get("/providers/{name}")
async def show_provider(services: Services, name: str) -> ProviderDetail:
    """Shows a provider, and what is done to its requests and why."""
    return detail(services, services.providers.find(name))


@router.patch("/providers/{name}")
async def change_provider(services: Services, name: str, change: ProviderChange) -> ProviderDetail:
    """Changes a stored provider. It counts everywhere within seconds; running requests end as they began."""
    before = services.providers.find(name).provider
    provider = _changed(before, change)
    if _host(provider.base_url) != _host(before.base_url):
        for field in ("api_keys", "headers"):
            if getattr(before, field) and field not in change.model_fields_set:
                raise invalid(f"base_url leads to another host: give {field} anew, or none ([] or {{}}).", field)
    return detail(services, await services.providers.replace(provider))


@router.delete("/providers/{name}", status_code=204)
async def delete_provider(services: Services, name: str) -> None:
    """Removes a stored provider and its keys. Running requests are answered to their end."""
    await services.providers.remove(name)


@router.get("/presets")
async def list_presets(services: Services) -> PresetList:
    """Lists the providers that are known."""
    return PresetList(data=[_preset(services, preset) for preset in services.providers.rules.presets.all])


@router.post("/providers/preview")
async def preview_provider(services: Services, wish: PreviewWish) -> Preview:
    """Tells what is known of an address, and what would be done to requests. Nobody is asked."""
    wished = Provider(name="preview", base_url=_normalized(wish.base_url), preset=wish.preset, profile=wish.profile)
    try:
        entry = known_provider(wished, services.providers.rules, source="stored")
    except RixinError as error:
        raise invalid(error.message) from None
    preset = entry.preset
    documented = list(services.documented) if preset.documented_models else []
    names = [*documented, *(rule.name for rule in preset.models)]
    return Preview(
        base_url=entry.provider.base_url,
        preset=_preset(services, preset),
        rewrites=[_rewrites(group) for group in rewrites(entry, services.documented, names)],
    )


def _changed(provider: Provider, change: ProviderChange) -> Provider:
    tree = cast("dict[str, Any]", msgspec.to_builtins(provider))
    said = change.model_dump(exclude_unset=True, exclude={"options", "name"})
    options = change.options or {}
    misplaced = options.keys() & (ProviderChange.model_fields.keys() | {"name"})
    if misplaced:
        raise invalid(f"options: {min(misplaced)} is a field beside options", f"options.{min(misplaced)}")
    try:
        return msgspec.convert({**tree, **options, **said}, Provider)
    except msgspec.ValidationError as error:
        raise invalid(f"{error}.") from None


def _host(url: str) -> tuple[str, str]:
    parts = urlsplit(_normalized(url) if url else "")
    return parts.scheme, parts.netloc


def _normalized(url: str) -> str:
    try:
        return normalize_base_url(url)
    except RixinError as error:
        raise invalid(error.message, "base_url") from None


def detail(services: AdminServices, entry: KnownProvider) -> ProviderDetail:
    """What is shown of a provider, and of what is done to its requests."""
    learned = {
        rule.model: services.learned.layers(entry.name, rule.model) for rule in services.learned.rules(entry.name)
    }
    names = entry.provider.models or [card.target for card in services.models() if card.provider == entry.name]
    groups = rewrites(entry, services.documented, names, learned)
    view = ProviderInfo.model_validate(provider_view(entry))
    return ProviderDetail(**view.model_dump(), rewrites=[_rewrites(group) for group in groups])


def _rewrites(group: Rewrites) -> RewritesView:
    return RewritesView.model_validate(group)


def _preset(services: AdminServices, preset: Preset) -> PresetView:
    environ = services.providers.rules.environ
    return PresetView(
        name=preset.name,
        title=preset.title,
        base_url=preset.base_url,
        dialect=preset.dialect,
        key_variables=list(preset.key_variables),
        key_is_set=any(environ.get(variable) for variable in preset.key_variables),
        docs_url=preset.docs_url,
    )
