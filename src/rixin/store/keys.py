"""Keys as they are stored. Of an API key's secret only a keyed digest is kept; an access key's is kept encrypted."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Row, bindparam, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store import revisions
from rixin.store.database import Database
from rixin.store.schema import keys

REVISION = "keys"

_SHOWN = tuple(column for column in keys.columns if column.name not in ("digest", "sealed"))


KeyKind: TypeAlias = Literal["api", "access"]
"""A key that is sent itself, or one that signs tokens."""


class Key(Struct, frozen=True, kw_only=True):
    """One key. Instants are seconds since the epoch."""

    id: str
    name: str
    prefix: str
    """The first characters of the secret, by which its owner knows it again; of an access key, its id."""
    scopes: tuple[str, ...]
    models: tuple[str, ...] = ()
    """Names or globs; empty means every model."""
    plan: str | None = None
    created_at: float
    expires_at: float | None = None
    disabled_at: float | None = None
    last_used_at: float | None = None
    creator: str | None = None
    """The id of the key that made this one; None where the machine's operator did."""
    kind: KeyKind = "api"


class FoundKey(Struct, frozen=True, kw_only=True):
    """A key that was looked up."""

    key: Key
    sealed: bytes | None = None
    """The secret of an access key, encrypted."""


class KeyTable:
    """The keys. Every change raises the revision, so that all processes hear of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: Key, digest: bytes, sealed: bytes | None = None) -> None:
        """Stores a new key.

        Args:
            key: What is known of it.
            digest: By which it is found.
            sealed: An access key's secret, encrypted.

        Raises:
            RixinError: `CONFLICT` when the id or the digest is there already.
        """
        async with self._database.begin() as connection:
            await revisions.bump(connection, REVISION)
            await _insert(connection, key, digest, sealed)

    async def add_first(self, key: Key, digest: bytes) -> bool:
        """Stores a key if there is none at all; of several processes, one succeeds. Returns whether it was stored."""
        async with self._database.read() as connection:
            if await _any(connection):
                return False
        async with self._database.begin() as connection:
            await revisions.bump(connection, REVISION)
            if await _any(connection):
                return False
            await _insert(connection, key, digest)
        return True

    async def find(self, digest: bytes) -> tuple[FoundKey | None, int]:
        """The key with a digest, if there is one, and the revision as of which that is so."""
        async with self._database.read() as connection:
            revision = await revisions.read(connection, REVISION)
            query = select(*_SHOWN, keys.c.sealed).where(keys.c.digest == digest)
            row = (await connection.execute(query)).one_or_none()
        return (None if row is None else FoundKey(key=_key(row), sealed=row.sealed)), revision

    async def revision(self) -> int:
        """The number that every change raises."""
        async with self._database.read() as connection:
            return await revisions.read(connection, REVISION)

    async def list(self, *, search: str | None = None, after: str | None = None, limit: int = 1000) -> list[Key]:
        """Keys in the order of their ids, which is that of their making.

        Args:
            search: Text that the name must contain, whatever its case; no character has a special meaning.
            after: The id to go on from.
            limit: At most so many.
        """
        conditions: list[ColumnElement[bool]] = []
        if search:
            conditions.append(keys.c.name.icontains(search, autoescape=True))
        if after is not None:
            conditions.append(keys.c.id > after)
        query = select(*_SHOWN).where(*conditions).order_by(keys.c.id).limit(limit)
        async with self._database.read() as connection:
            return [_key(row) for row in await connection.execute(query)]

    async def set_disabled(self, id: str, at: float | None) -> bool:  # noqa: A002 - it is the id
        """Disables a key as of an instant, or enables it with None. Returns whether there is such a key."""
        async with self._database.begin() as connection:
            await revisions.bump(connection, REVISION)
            changed = await connection.execute(update(keys).where(keys.c.id == id).values(disabled_at=at))
        return changed.rowcount == 1

    async def delete(self, id: str) -> bool:  # noqa: A002 - it is the id
        """Removes a key for good. Returns whether there was one."""
        async with self._database.begin() as connection:
            await revisions.bump(connection, REVISION)
            changed = await connection.execute(delete(keys).where(keys.c.id == id))
        return changed.rowcount == 1

    async def touch(self, used: Mapping[str, float]) -> None:
        """Notes when keys were last used, by id. What is noted already is never put back to an earlier instant."""
        if not used:
            return
        used_at = bindparam("used_at", type_=keys.c.last_used_at.type)
        key_id = bindparam("key_id", type_=keys.c.id.type)
        statement = (
            update(keys)
            .where(keys.c.id == key_id, or_(keys.c.last_used_at.is_(None), keys.c.last_used_at < used_at))
            .values(last_used_at=used_at)
        )
        async with self._database.begin() as connection:
            await connection.execute(statement, [{"key_id": name, "used_at": at} for name, at in used.items()])


async def _any(connection: AsyncConnection) -> bool:
    return bool((await connection.execute(select(exists(select(keys.c.id))))).scalar_one())


async def _insert(connection: AsyncConnection, key: Key, digest: bytes, sealed: bytes | None = None) -> None:
    values: dict[str, object] = msgspec.structs.asdict(key)
    await connection.execute(insert(keys).values(**values, digest=digest, sealed=sealed))


def _key(row: Row[*tuple[object, ...]]) -> Key:
    return msgspec.convert(row, Key, from_attributes=True)
