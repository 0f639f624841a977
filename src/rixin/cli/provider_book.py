"""The providers of a data directory, for commands that need no running server."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.cli.provider_rules import provider_rules
from rixin.cli.unlocked import unlocked
from rixin.clock import SystemClock
from rixin.routing.providers import ProviderBook
from rixin.settings import Settings
from rixin.store.database import Database
from rixin.store.providers import PURPOSE, ProviderTable


class OpenBook(NamedTuple):
    """The providers, and where they are stored."""

    book: ProviderBook
    database: Database
    secret: RootSecret


@asynccontextmanager
async def open_book(settings: Settings) -> AsyncGenerator[OpenBook]:
    """The providers of the settings, and of the database that they name, which is made where there is none yet."""
    async with unlocked(settings) as (database, secret):
        rules = provider_rules(os.environ)
        book = ProviderBook(settings.providers, provider_table(database, secret), rules, SystemClock())
        await book.poll()
        yield OpenBook(book, database, secret)


def provider_table(database: Database, secret: RootSecret) -> ProviderTable:
    """The stored providers of a database, with what decrypts their keys."""
    return ProviderTable(database, SealedBox(secret, PURPOSE))
