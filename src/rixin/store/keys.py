"""Keys as they are stored. Of an API key's secret only a keyed digest is kept; an access key's is kept encrypted."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Delete, Row, Update, bindparam, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store import revisions
from rixin.store.database import Database
from rixin.store.schema import keys, members, teams, users

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
    user_id: str | None = None
    """Whose it is; None where it is the operator's."""
    team_id: str | None = None
    """The team that it counts for."""
    dialects: tuple[str, ...] = ()
    """Names of the dialects that it may speak; empty means every one."""
    networks: tuple[str, ...] = ()
    """Where its requests may come from, in CIDR notation; empty means anywhere."""


class KeyOwner(Struct, frozen=True, kw_only=True):
    """What a key's user and team are now."""

    role: str | None = None
    """The user's; None where the key has no user."""
    user_plan: str | None = None
    team_plan: str | None = None
    stands: bool = True
    """Whether the user is there and not disabled, and the team is there, with the user in it."""


class FoundKey(Struct, frozen=True, kw_only=True):
    """A key that was looked up."""

    key: Key
    owner: KeyOwner = KeyOwner()
    sealed: bytes | None = None
    """The secret of an access key, encrypted."""


class Reach(Struct, frozen=True):
    """The keys that somebody may see and change: their own, and those of the teams that they are admins of."""

    user_id: str

    @property
    def condition(self) -> ColumnElement[bool]:
        """Whether a key is within it."""
        seen_to = select(members.c.team_id).where(members.c.user_id == self.user_id, members.c.role == "admin")
        return or_(keys.c.user_id == self.user_id, keys.c.team_id.in_(seen_to))


Also: TypeAlias = Callable[[AsyncConnection], Awaitable[None]]
"""What else is done in a transaction, at its end."""


async def nothing_else(_connection: AsyncConnection) -> None:
    """Nothing."""


class KeyTable:
    """The keys. Every change raises the revision, so that all processes hear of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: Key, digest: bytes, sealed: bytes | None = None, *, also: Also = nothing_else) -> None:
        """Stores a new key.

        Args:
            key: What is known of it.
            digest: By which it is found.
            sealed: An access key's secret, encrypted.
            also: What is done with it.

        Raises:
            RixinError: `CONFLICT` when the id or the digest is there already.
        """
        async with self._database.begin() as connection:
            await revisions.bump(connection, REVISION)
            await _insert(connection, key, digest, sealed)
            await also(connection)

    async def add_first(self, key: Key, digest: bytes, *, also: Also = nothing_else) -> bool:
        """Stores a key if there is none at all; of several processes, one succeeds. Returns whether it was stored."""
        async with self._database.read() as connection:
            if await _any(connection):
                return False
        async with self._database.begin() as connection:
            await revisions.bump(connection, REVISION)
            if await _any(connection):
                return False
            await _insert(connection, key, digest)
            await also(connection)
        return True

    async def find(self, digest: bytes) -> tuple[FoundKey | None, int]:
        """The key with a digest, if there is one, and the revision as of which that is so."""
        async with self._database.read() as connection:
            revision = await revisions.read(connection, REVISION)
            query = select(*_SHOWN, keys.c.sealed).where(keys.c.digest == digest)
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return None, revision
            owner = await _owner(connection, row.user_id, row.team_id)
        return FoundKey(key=_key(row), owner=owner, sealed=row.sealed), revision

    async def owner(self, user_id: str | None, team_id: str | None) -> KeyOwner:
        """What a key of a user and a team has, or would have, for an owner."""
        async with self._database.read() as connection:
            return await _owner(connection, user_id, team_id)

    async def revision(self) -> int:
        """The number that every change raises."""
        async with self._database.read() as connection:
            return await revisions.read(connection, REVISION)

    async def list(
        self,
        *,
        search: str | None = None,
        after: str | None = None,
        limit: int = 1000,
        reach: Reach | None = None,
        user_id: str | None = None,
        team_id: str | None = None,
    ) -> list[Key]:
        """Keys in the order of their ids, which is that of their making.

        Args:
            search: Text that the name must contain, whatever its case; no character has a special meaning.
            after: The id to go on from.
            limit: At most so many.
            reach: Within which they must be; None means all.
            user_id: Whose they must be.
            team_id: The team that they must count for.
        """
        conditions = [] if reach is None else [reach.condition]
        conditions += [keys.c.user_id == user_id] if user_id is not None else []
        conditions += [keys.c.team_id == team_id] if team_id is not None else []
        if search:
            conditions.append(keys.c.name.icontains(search, autoescape=True))
        if after is not None:
            conditions.append(keys.c.id > after)
        query = select(*_SHOWN).where(*conditions).order_by(keys.c.id).limit(limit)
        async with self._database.read() as connection:
            return [_key(row) for row in await connection.execute(query)]

    async def set_disabled(
        self,
        id: str,  # noqa: A002 - it is the id
        at: float | None,
        *,
        reach: Reach | None = None,
        also: Also = nothing_else,
    ) -> bool:
        """Disables a key as of an instant, or enables it with None. Returns whether there is such a key in reach."""
        return await self._change(update(keys).values(disabled_at=at), id, reach, also)

    async def delete(
        self,
        id: str,  # noqa: A002 - it is the id
        *,
        reach: Reach | None = None,
        also: Also = nothing_else,
    ) -> bool:
        """Removes a key for good. Returns whether there was one in reach."""
        return await self._change(delete(keys), id, reach, also)

    async def _change(self, change: Update | Delete, key_id: str, reach: Reach | None, also: Also) -> bool:
        async with self._database.begin() as connection:
            await revisions.bump(connection, REVISION)
            within = () if reach is None else (reach.condition,)
            changed = await connection.execute(change.where(keys.c.id == key_id, *within))
            if changed.rowcount == 1:
                await also(connection)
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


async def _owner(connection: AsyncConnection, user_id: str | None, team_id: str | None) -> KeyOwner:
    role = user_plan = team_plan = None
    stands = True
    if user_id is not None:
        query = select(users.c.role, users.c.plan, users.c.disabled_at).where(users.c.id == user_id)
        user = (await connection.execute(query)).one_or_none()
        stands = user is not None and user.disabled_at is None
        role, user_plan = (None, None) if user is None else (user.role, user.plan)
    if team_id is not None:
        team = (await connection.execute(select(teams.c.plan).where(teams.c.id == team_id))).one_or_none()
        team_plan = None if team is None else team.plan
        stands = stands and team is not None and (user_id is None or await _is_in(connection, user_id, team_id))
    return KeyOwner(role=role, user_plan=user_plan, team_plan=team_plan, stands=stands)


async def _is_in(connection: AsyncConnection, user_id: str, team_id: str) -> bool:
    member = exists(select(members.c.role).where(members.c.user_id == user_id, members.c.team_id == team_id))
    return bool((await connection.execute(select(member))).scalar_one())


async def _insert(connection: AsyncConnection, key: Key, digest: bytes, sealed: bytes | None = None) -> None:
    values: dict[str, object] = msgspec.structs.asdict(key)
    await connection.execute(insert(keys).values(**values, digest=digest, sealed=sealed))


def _key(row: Row[*tuple[object, ...]]) -> Key:
    return msgspec.convert(row, Key, from_attributes=True)
