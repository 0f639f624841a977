"""The keys of a server's store, whether the server runs or not."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from rixin.accounts.keys import KeyRing
from rixin.cli.unlocked import unlocked
from rixin.clock import SystemClock
from rixin.settings import Settings


@asynccontextmanager
async def open_ring(settings: Settings) -> AsyncGenerator[KeyRing]:
    """The keys of the database that the settings name, made where there is none yet."""
    async with unlocked(settings) as (database, secret):
        yield KeyRing(database, secret, SystemClock())
