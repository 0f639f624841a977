"""Logins as they are stored: who has proven who they are. Of a token only a digest is kept."""

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store.database import Database
from rixin.store.schema import logins, users


class Login(Struct, frozen=True, kw_only=True):
    """A login. Instants are seconds since the epoch."""

    digest: bytes
    user_id: str
    method: str
    """`password`, `oidc` or `setup`."""
    created_at: float
    used_at: float
    expires_at: float


class FoundLogin(Struct, frozen=True, kw_only=True):
    """A login that was looked up, and what its user is now."""

    used_at: float
    expires_at: float
    user_id: str
    name: str
    role: str
    plan: str | None
    disabled_at: float | None


async def add(connection: AsyncConnection, login: Login) -> None:
    """Stores a new login."""
    await connection.execute(insert(logins).values(**msgspec.structs.asdict(login)))


async def end_all(connection: AsyncConnection, user_id: str, *, but: bytes | None = None) -> None:
    """Ends the logins of a user, all or all but one."""
    await connection.execute(delete(logins).where(logins.c.user_id == user_id, logins.c.digest != (but or b"")))


class LoginTable:
    """The logins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, digest: bytes) -> FoundLogin | None:
        """The login with a digest."""
        columns = (logins.c.used_at, logins.c.expires_at, logins.c.user_id)
        owner = (users.c.name, users.c.role, users.c.plan, users.c.disabled_at)
        query = select(*columns, *owner).join(users, users.c.id == logins.c.user_id).where(logins.c.digest == digest)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else msgspec.convert(row, FoundLogin, from_attributes=True)

    async def of_user(self, user_id: str) -> list[Login]:
        """The logins of a user, the one that was used last first."""
        query = select(logins).where(logins.c.user_id == user_id).order_by(logins.c.used_at.desc(), logins.c.digest)
        async with self._database.read() as connection:
            return [msgspec.convert(row, Login, from_attributes=True) for row in await connection.execute(query)]

    async def touch(self, digest: bytes, at: float) -> None:
        """Notes when a login was last used."""
        async with self._database.begin() as connection:
            await connection.execute(update(logins).where(logins.c.digest == digest).values(used_at=at))

    async def end(self, digest: bytes) -> None:
        """Ends a login."""
        async with self._database.begin() as connection:
            await connection.execute(delete(logins).where(logins.c.digest == digest))

    async def sweep(self, *, expired: float, unused: float) -> None:
        """Removes the logins whose end came before one instant, or that were last used before another."""
        async with self._database.begin() as connection:
            await connection.execute(
                delete(logins).where((logins.c.expires_at <= expired) | (logins.c.used_at <= unused))
            )
