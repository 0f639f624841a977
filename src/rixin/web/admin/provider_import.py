"""Providers out of other programs' configurations: shown first, then added."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from fastapi import Request
from pydantic import BaseModel, ConfigDict

from rixin.errors import Kind, RixinError, invalid
from rixin.routing.known_provider import KnownProvider, known_provider
from rixin.routing.provider_import import Format, ReadProvider, read_text
from rixin.routing.provider_view import provider_view
from rixin.settings import Provider
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.providers import ProviderDetail, ProviderInfo, detail
from rixin.web.admin.services import AdminServices, Services

router = guarded_router("providers")


class ImportText(BaseModel):
    """Another program's configuration."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Format = "mimo2codex"
    """Whose it is."""
    text: str
    """mimo2codex's `providers.json`, or LiteLLM's YAML."""


class ImportWish(ImportText):
    """What of it shall be added."""

    names: list[str]
    """Of the providers that are wanted."""
    keys: dict[str, list[str]] = {}
    """By provider, in place of those that the configuration names."""
    replace: bool = False
    """Whether they take the place of stored ones of the same names."""


class ImportedView(BaseModel):
    """A provider that would be added."""

    provider: ProviderInfo
    rewrites: dict[str, Any]
    """What the configuration says is rewritten, as fields of a profile."""
    exists: str | None
    """Where there is one of its name already: `configured` in the file, or `stored`."""


class ImportPreview(BaseModel):
    """What would be added. Nothing is, and nobody was asked."""

    data: list[ImportedView]
    warnings: list[str]
    """What cannot be taken over."""


class ImportedList(BaseModel):
    """What was added."""

    data: list[ProviderDetail]
    warnings: list[str]


@router.post("/providers/import/preview")
async def preview_import(services: Services, wish: ImportText) -> ImportPreview:
    """Reads another program's configuration, and tells what would be added."""
    read, warnings = _read(services, wish)
    sources = {entry.name: entry.source for entry in services.providers.all}
    views = [
        ImportedView(
            provider=ProviderInfo.model_validate(provider_view(_known(services, one.settled))),
            rewrites=one.provider.profile,
            exists=sources.get(one.provider.name),
        )
        for one in read
    ]
    return ImportPreview(data=views, warnings=warnings)


@router.post("/providers/import", status_code=201)
async def import_providers(services: Services, request: Request, wish: ImportWish) -> ImportedList:
    """Adds providers out of another program's configuration: all that are named, or none."""
    request.state.target = ", ".join(wish.names)
    read, warnings = _read(services, wish)
    found = {one.provider.name: one.settled for one in read}
    sources = {entry.name: entry.source for entry in services.providers.all}
    ready: list[Provider] = []
    for name in dict.fromkeys(wish.names):
        if name not in found:
            raise invalid(f"The configuration has no provider {name[:100]}.", "names")
        if name in sources and not (wish.replace and sources[name] == "stored"):
            raise RixinError(Kind.CONFLICT, f"There is a provider named {name} already.", param="names")
        keys = wish.keys.get(name)
        provider = found[name] if keys is None else msgspec.structs.replace(found[name], api_keys=tuple(keys))
        ready.append(_known(services, provider).provider)
    book = services.providers
    added = [await (book.replace(one) if one.name in sources else book.add(one)) for one in ready]
    return ImportedList(data=[detail(services, entry) for entry in added], warnings=warnings)


def _read(services: AdminServices, wish: ImportText) -> tuple[list[ReadProvider], list[str]]:
    def environ_of(provider: Provider) -> Mapping[str, str]:
        # A variable of the server's goes nowhere but to the provider whose key it holds by what is known of it:
        # otherwise whoever writes such a file could have any secret of the server's sent to them.
        rules = services.providers.rules
        if urlsplit(provider.base_url).scheme != "https":
            return {}
        known = rules.presets.preset_for(provider.base_url).key_variables
        return {name: rules.environ[name] for name in known if name in rules.environ}

    try:
        return read_text(wish.text, environ_of, wish.format)
    except RixinError as error:
        raise invalid(error.message, "text") from None


def _known(services: AdminServices, provider: Provider) -> KnownProvider:
    try:
        return known_provider(provider, services.providers.rules, source="stored")
    except RixinError as error:
        raise invalid(error.message, "text") from None
