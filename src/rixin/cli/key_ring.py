"""The keys of a server's store, whether the server runs or not."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from rixin.accounts import root_secret
from rixin.accounts.keys import KeyRing
from rixin.accounts.unlock import unlock
from rixin.clock import SystemClock
from rixin.settings import Settings
from rixin.store.database import Database
from rixin.store.meta import MetaTable


@asynccontextmanager
async def open_ring(settings: Settings) -> AsyncGenerator[KeyRing]:
    """The keys of the database that the settings name, made where there is none yet."""
    loaded = root_secret.load(settings)
    database = Database.open(settings)
    try:
        await database.prepare()
        secret = await unlock(loaded, MetaTable(database))
        yield KeyRing(database, secret, SystemClock())
    finally:
        await database.aclose()
