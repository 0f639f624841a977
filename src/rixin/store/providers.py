"""Providers as they are stored: their settings readable, their keys and headers encrypted."""

from typing import Any, Protocol, cast

import msgspec
from msgspec import Struct
from sqlalchemy import Row, delete, insert, select, update

from rixin.errors import Kind, RixinError
from rixin.settings import Provider
from rixin.store import revisions
from rixin.store.database import Database
from rixin.store.schema import providers

REVISION = "providers"
PURPOSE = "provider keys"
"""Of the root secret's key that providers' keys are encrypted with."""

_SECRET = ("api_keys", "headers")
_COLUMNS = ("name", "base_url", "preset", "dialect", "models")


class Box(Protocol):
    """Encrypts, as `accounts.sealed_box` does."""

    def seal(self, value: bytes, owner: str) -> bytes:
        """The encrypted value, which only `owner` can open."""
        ...

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The value. Raises `RixinError` where it cannot be opened."""
        ...


class StoredProvider(Struct, frozen=True, kw_only=True):
    """One row. Instants are seconds since the epoch."""

    provider: Provider
    """Without keys and headers where `unreadable` says why."""
    created_at: float
    updated_at: float
    unreadable: RixinError | None = None


class ProviderTable:
    """The providers. Every change raises the revision, so that all processes hear of it.

    Args:
        database: Where they are stored.
        box: Encrypts what nobody may read there.
    """

    def __init__(self, database: Database, box: Box) -> None:
        self._database = database
        self._box = box

    async def revision(self) -> int:
        """The number that every change raises."""
        async with self._database.read() as connection:
            return await revisions.read(connection, REVISION)

    async def list(self) -> tuple[list[StoredProvider], int]:
        """All of them in the order of their making, and the revision as of which that is so."""
        async with self._database.read() as connection:
            revision = await revisions.read(connection, REVISION)
            rows = await connection.execute(select(providers).order_by(providers.c.created_at, providers.c.name))
            return [self._stored(row) for row in rows], revision

    async def add(self, provider: Provider, now: float) -> None:
        """Stores a provider.

        Raises:
            RixinError: `CONFLICT` when the name is taken.
        """
        async with self._database.begin(REVISION) as connection:
            await revisions.bump(connection, REVISION)
            query = select(providers.c.name).where(providers.c.name == provider.name)
            if (await connection.execute(query)).one_or_none() is not None:
                raise RixinError(Kind.CONFLICT, f"There is a provider named {provider.name} already.", param="name")
            await connection.execute(insert(providers).values(**self._values(provider, now), created_at=now))

    async def replace(self, provider: Provider, now: float) -> bool:
        """Stores a provider in place of the one of its name. Returns whether there was one."""
        async with self._database.begin(REVISION) as connection:
            await revisions.bump(connection, REVISION)
            changed = await connection.execute(
                update(providers).where(providers.c.name == provider.name).values(**self._values(provider, now))
            )
        return changed.rowcount == 1

    async def remove(self, name: str) -> bool:
        """Removes a provider. Returns whether there was one."""
        async with self._database.begin(REVISION) as connection:
            await revisions.bump(connection, REVISION)
            changed = await connection.execute(delete(providers).where(providers.c.name == name))
        return changed.rowcount == 1

    def _values(self, provider: Provider, now: float) -> dict[str, Any]:
        tree = cast("dict[str, Any]", msgspec.to_builtins(provider))
        secrets = {name: tree.pop(name) for name in _SECRET}
        sealed = self._box.seal(msgspec.json.encode(secrets), sealed_for(provider.name))
        columns = {name: tree.pop(name) for name in _COLUMNS}
        return {**columns, "options": tree, "sealed": sealed, "updated_at": now}

    def _stored(self, row: Row[*tuple[Any, ...]]) -> StoredProvider:
        tree = {**row.options, **{name: getattr(row, name) for name in _COLUMNS}}
        unreadable = None
        try:
            tree |= msgspec.json.decode(self._box.open(row.sealed, sealed_for(row.name)))
        except RixinError as error:
            unreadable = RixinError(Kind.CONFIGURATION, f"The keys of the provider {row.name} are lost: {error}")
        try:
            provider = msgspec.convert(tree, Provider)
        except msgspec.ValidationError as error:
            # Another version of the program may know settings that this one does not.
            provider = Provider(name=row.name, base_url=row.base_url)
            unreadable = RixinError(Kind.CONFIGURATION, f"The provider {row.name} cannot be read: {error}")
        return StoredProvider(
            provider=provider,
            created_at=row.created_at,
            updated_at=row.updated_at,
            unreadable=unreadable,
        )


def sealed_for(name: str) -> str:
    """For whom the keys of a provider are sealed: for it."""
    return f"provider/{name}"
