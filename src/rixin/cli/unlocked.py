"""The database of a server, for commands that need no running one."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from rixin.accounts import root_secret
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.unlock import unlock
from rixin.settings import Settings
from rixin.store.database import Database
from rixin.store.meta import MetaTable


class Unlocked(NamedTuple):
    """A database whose schema is this program's, and the secret that opens what is sealed in it."""

    database: Database
    secret: RootSecret


@asynccontextmanager
async def unlocked(settings: Settings) -> AsyncGenerator[Unlocked]:
    """The database that the settings name, made where there is none yet. Raises `CONFIGURATION`, as a start would."""
    loaded = root_secret.load(settings)
    database = Database.open(settings)
    try:
        await database.prepare()
        yield Unlocked(database, await unlock(loaded, MetaTable(database)))
    finally:
        await database.aclose()
