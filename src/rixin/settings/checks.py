"""Settings that make no sense, though each has the right type."""

import ipaddress
import math
import re
from urllib.parse import urlsplit

from rixin.errors import Kind, RixinError
from rixin.settings.tables import LOOPBACK_HOSTS, Oidc, Provider, Settings

_CURRENCY = re.compile("[A-Z]{3}")
_POSITIVE = {
    "media": (
        "decoders",
        "decode_timeout",
        "vision_timeout",
        "fetch_timeout",
        "long_edge",
        "max_pixels",
        "max_described_images",
        "video_frames",
    ),
    "files": ("max_file_bytes", "max_account_bytes", "max_account_files", "upload_timeout"),
    "moderation": ("check_deadline", "check_window"),
}
"""Settings that make sense above 0 only, by their tables."""


def check(settings: Settings) -> None:
    """Raises `CONFIGURATION` where the settings make no sense, naming the one that is wrong."""
    if not 0 <= settings.server.port <= 65535:
        raise RixinError(Kind.CONFIGURATION, f"server.port is {settings.server.port}; it must lie between 0 and 65535")
    if settings.server.workers < 1:
        raise RixinError(Kind.CONFIGURATION, "server.workers must be at least 1")
    _check_numbers(settings)
    if settings.server.auth == "off" and not settings.loopback_only:
        raise RixinError(
            Kind.CONFIGURATION,
            f"server.auth is off and server.host is {settings.server.host}: anyone could use this server. "
            "Set server.host to 127.0.0.1, or leave server.auth at keys.",
        )
    _check_usage(settings)
    _check_proxies(settings.server.trusted_proxies)
    _check_oidc(settings.oidc, settings.server.public_url)
    for provider in settings.providers:
        check_provider(provider)
    _check_routes(settings)
    for kind, names in (
        ("provider", [p.name for p in settings.providers]),
        ("model", [m.name for m in settings.models]),
    ):
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise RixinError(Kind.CONFIGURATION, f"two {kind}s are named {min(twice)}")


def _check_routes(settings: Settings) -> None:
    for name, targets in settings.routes.items():
        if not targets:
            raise RixinError(Kind.CONFIGURATION, f"routes.{name} names no model")
        for target in targets:
            _check_amounts(f"routes.{name}", ("weight", target.weight or 0))


def _check_numbers(settings: Settings) -> None:
    for name in ("max_kept_body_bytes", "max_kept_bytes", "request_log_days"):
        if not getattr(settings.server, name) >= 0:
            raise RixinError(Kind.CONFIGURATION, f"server.{name} must be at least 0")
    for table, names in _POSITIVE.items():
        for name in names:
            if not getattr(getattr(settings, table), name) > 0:
                raise RixinError(Kind.CONFIGURATION, f"{table}.{name} must be above 0")


def _check_usage(settings: Settings) -> None:
    """What is charged, and how long it is remembered."""
    if not _CURRENCY.fullmatch(settings.usage.currency):
        raise RixinError(Kind.CONFIGURATION, "usage.currency must be the code of a currency, such as USD or CNY")
    for name in ("days", "sum_days"):
        if not (getattr(settings.usage, name) or 0) >= 0:
            raise RixinError(Kind.CONFIGURATION, f"usage.{name} must be at least 0")
    for name, amount in settings.credits.items():
        if amount < 0:
            raise RixinError(Kind.CONFIGURATION, f"credits.{name} is {amount}; it must be at least 0")


def _check_proxies(networks: tuple[str, ...]) -> None:
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            message = f"server.trusted_proxies: {network} is neither an address nor a network such as 10.0.0.0/8"
            raise RixinError(Kind.CONFIGURATION, message) from None


def _check_oidc(oidc: Oidc, public_url: str | None) -> None:
    if oidc.issuer is None:
        return
    url = urlsplit(oidc.issuer)
    if not url.hostname or (url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK_HOSTS)):
        raise RixinError(Kind.CONFIGURATION, "oidc.issuer must be an https address, such as https://login.example.com")
    if not oidc.client_id:
        raise RixinError(Kind.CONFIGURATION, "oidc.issuer is set, and oidc.client_id is not")
    if oidc.client_secret is not None and not oidc.client_secret.strip():
        raise RixinError(Kind.CONFIGURATION, "oidc.client_secret is empty; leave it out for a public client")
    if public_url is None:
        raise RixinError(Kind.CONFIGURATION, "oidc.issuer is set: set server.public_url too, where browsers come back")
    if "openid" not in oidc.scopes:
        raise RixinError(Kind.CONFIGURATION, "oidc.scopes must hold openid")


def check_provider(provider: Provider) -> None:
    """Raises `CONFIGURATION` where a provider's settings make no sense, naming it."""
    if not provider.base_url and not provider.preset:
        raise RixinError(Kind.CONFIGURATION, f"provider {provider.name} has no base_url; set it, or name a preset")
    _check_amounts(
        f"provider {provider.name}",
        ("weight", provider.weight),
        ("queue", provider.queue),
        ("queue_deadline", provider.queue_deadline),
        ("retries", provider.retries),
        ("retry_share", provider.retry_share),
    )


def _check_amounts(of: str, *amounts: tuple[str, float]) -> None:
    for name, value in amounts:
        if not 0 <= value < math.inf:
            raise RixinError(Kind.CONFIGURATION, f"{of}: {name} is {value:g}; it must be a number of at least 0")
