"""What has to do with people, wired: for the admin API, and for the commands that manage them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from rixin.accounts.login_throttle import Admit, Forgive
from rixin.accounts.logins import Logins
from rixin.accounts.oidc import OidcLogin
from rixin.accounts.people import People
from rixin.accounts.root_secret import RootSecret
from rixin.cli.unlocked import unlocked
from rixin.clock import Clock, SystemClock
from rixin.limits.base import Cost, Limit, Limiter
from rixin.limits.process import ProcessLimiter
from rixin.settings import Settings
from rixin.store.database import Database

CALLBACK = "/admin/v1/oidc/callback"
"""Where a provider of identities sends browsers back to."""


def counted_by(limiter: Limiter) -> Admit:
    """What counts tries to log in."""

    async def admit(limits: tuple[Limit, ...]) -> Forgive:
        return (await limiter.acquire(limits, Cost())).release

    return admit


def open_oidc(
    settings: Settings, people: People, database: Database, secret: RootSecret, clock: Clock
) -> OidcLogin | None:
    """Logging in by a provider of identities; None where the settings name none."""
    if settings.oidc.issuer is None:
        return None
    # Authlib takes a seventh of a second, which a server without such a provider is spared.
    from rixin.accounts.oidc_provider import OidcProvider  # noqa: PLC0415 - as above

    provider = OidcProvider(settings.oidc, f"{(settings.server.public_url or '').rstrip('/')}{CALLBACK}", clock)
    return OidcLogin(settings.oidc, provider, people, database, secret, clock)


@asynccontextmanager
async def people_of(settings: Settings) -> AsyncGenerator[People]:
    """The people of the database that the settings name, whether a server runs or not."""
    clock = SystemClock()
    async with unlocked(settings) as (database, secret):
        logins = Logins(database, secret, clock)
        yield People.open(database, secret, logins, counted_by(ProcessLimiter(clock)), clock)
