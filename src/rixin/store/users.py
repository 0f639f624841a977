"""People as they are stored, and by which identities of other providers they are known."""

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Row, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store.database import Database
from rixin.store.schema import identities, keys, logins, members, users

_SHOWN = tuple(column for column in users.columns if column.name != "password")


class User(Struct, frozen=True, kw_only=True):
    """A person. Instants are seconds since the epoch."""

    id: str
    name: str
    email: str
    """In lower case; the one by which they log in."""
    role: str
    plan: str | None = None
    """What all their keys together are limited by."""
    created_at: float
    disabled_at: float | None = None
    last_login_at: float | None = None


class Identity(Struct, frozen=True):
    """By which a provider of identities knows a person: a subject of an issuer is never given to another one."""

    issuer: str
    subject: str


async def add(connection: AsyncConnection, user: User, password: str | None) -> None:
    """Stores a new user, with the hash of their password. Raises `CONFLICT` where the e-mail address is taken."""
    await connection.execute(insert(users).values(**msgspec.structs.asdict(user), password=password))


async def change(connection: AsyncConnection, user_id: str, **values: object) -> bool:
    """Changes columns of a user. Returns whether there is such a user."""
    return (await connection.execute(update(users).where(users.c.id == user_id).values(**values))).rowcount == 1


async def remove(connection: AsyncConnection, user_id: str) -> None:
    """Removes a user with their keys, logins, identities and memberships."""
    for table in (keys, logins, identities, members):
        await connection.execute(delete(table).where(table.c.user_id == user_id))
    await connection.execute(delete(users).where(users.c.id == user_id))


async def find(connection: AsyncConnection, condition: ColumnElement[bool]) -> User | None:
    """The user of whom a condition is true."""
    row = (await connection.execute(select(*_SHOWN).where(condition))).one_or_none()
    return None if row is None else _user(row)


async def password_of(connection: AsyncConnection, user_id: str, *, lock: bool = False) -> str | None:
    """The hash of a user's password; None where there is none. Locked, it stays until the transaction ends."""
    query = select(users.c.password).where(users.c.id == user_id)
    return (await connection.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


async def any_there(connection: AsyncConnection) -> bool:
    """Whether there is a user at all."""
    return bool((await connection.execute(select(exists(select(users.c.id))))).scalar_one())


async def other_owners(connection: AsyncConnection, user_id: str) -> int:
    """How many owners there are that count, besides one."""
    condition = (users.c.role == "owner", users.c.disabled_at.is_(None), users.c.id != user_id)
    return (await connection.execute(select(func.count()).select_from(users).where(*condition))).scalar_one()


async def identified(connection: AsyncConnection, identity: Identity) -> User | None:
    """The user whose identity it is."""
    known = select(identities.c.user_id).where(
        identities.c.issuer == identity.issuer, identities.c.subject == identity.subject
    )
    return await find(connection, users.c.id == known.scalar_subquery())


async def has_identity(connection: AsyncConnection, user_id: str) -> bool:
    """Whether a user is known by any identity."""
    query = select(exists(select(identities.c.user_id).where(identities.c.user_id == user_id)))
    return bool((await connection.execute(query)).scalar_one())


async def link(connection: AsyncConnection, user_id: str, identity: Identity, now: float) -> None:
    """Makes an identity a user's. Raises `CONFLICT` where it is somebody's already."""
    values = msgspec.structs.asdict(identity)
    await connection.execute(insert(identities).values(user_id=user_id, created_at=now, **values))


class UserTable:
    """The users, to be read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, *, search: str | None = None, after: str | None = None, limit: int = 1000) -> list[User]:
        """Users in the order of their ids, which is that of their making.

        Args:
            search: Text that the name or the e-mail address must contain, whatever its case; no character has a
                special meaning.
            after: The id to go on from.
            limit: At most so many.
        """
        conditions: list[ColumnElement[bool]] = []
        if search:
            fits = (column.icontains(search, autoescape=True) for column in (users.c.name, users.c.email))
            conditions.append(or_(*fits))
        if after is not None:
            conditions.append(users.c.id > after)
        query = select(*_SHOWN).where(*conditions).order_by(users.c.id).limit(limit)
        async with self._database.read() as connection:
            return [_user(row) for row in await connection.execute(query)]


def _user(row: Row[*tuple[object, ...]]) -> User:
    return msgspec.convert(row, User, from_attributes=True)
