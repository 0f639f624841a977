"""Teams as they are stored, and who is in them."""

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store.database import Database
from rixin.store.schema import keys, members, teams, users


class Team(Struct, frozen=True, kw_only=True):
    """People who share a plan."""

    id: str
    name: str
    plan: str | None = None
    """What all keys of the team together are limited by."""
    created_at: float
    """Seconds since the epoch."""


class Member(Struct, frozen=True, kw_only=True):
    """Somebody in a team."""

    user_id: str
    name: str
    email: str
    role: str
    """`admin` or `member`, of the team."""


async def add(connection: AsyncConnection, team: Team) -> None:
    """Stores a new team. Raises `CONFLICT` where the name is taken."""
    await connection.execute(insert(teams).values(**msgspec.structs.asdict(team)))


async def change(connection: AsyncConnection, team_id: str, **values: object) -> bool:
    """Changes columns of a team. Returns whether there is such a team."""
    return (await connection.execute(update(teams).where(teams.c.id == team_id).values(**values))).rowcount == 1


async def remove(connection: AsyncConnection, team_id: str) -> bool:
    """Removes a team with its keys and memberships. Returns whether there was one."""
    for table in (keys, members):
        await connection.execute(delete(table).where(table.c.team_id == team_id))
    return (await connection.execute(delete(teams).where(teams.c.id == team_id))).rowcount == 1


async def role_in(connection: AsyncConnection, team_id: str, user_id: str) -> str | None:
    """What a user is in a team; None where they are not in it."""
    query = select(members.c.role).where(members.c.team_id == team_id, members.c.user_id == user_id)
    return (await connection.execute(query)).scalar_one_or_none()


async def find(connection: AsyncConnection, condition: ColumnElement[bool]) -> Team | None:
    """The team of which a condition is true."""
    row = (await connection.execute(select(teams).where(condition))).one_or_none()
    return None if row is None else msgspec.convert(row, Team, from_attributes=True)


async def put_member(connection: AsyncConnection, team_id: str, user_id: str, role: str) -> None:
    """Brings a user into a team, or gives them another role in it."""
    member = (members.c.team_id == team_id, members.c.user_id == user_id)
    changed = await connection.execute(update(members).where(*member).values(role=role))
    if changed.rowcount == 0:
        await connection.execute(insert(members).values(team_id=team_id, user_id=user_id, role=role))


async def remove_member(connection: AsyncConnection, team_id: str, user_id: str) -> bool:
    """Takes a user out of a team. Returns whether they were in it."""
    member = (members.c.team_id == team_id, members.c.user_id == user_id)
    return (await connection.execute(delete(members).where(*member))).rowcount == 1


class TeamTable:
    """The teams, to be read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def members(self, team_id: str) -> list[Member]:
        """Who is in a team, by the order in which they became users."""
        query = (
            select(members.c.user_id, users.c.name, users.c.email, members.c.role)
            .join(users, users.c.id == members.c.user_id)
            .where(members.c.team_id == team_id)
            .order_by(members.c.user_id)
        )
        async with self._database.read() as connection:
            return [msgspec.convert(row, Member, from_attributes=True) for row in await connection.execute(query)]

    async def list(self, *, user: str | None = None, after: str | None = None, limit: int = 1000) -> list[Team]:
        """Teams in the order of their ids, which is that of their making.

        Args:
            user: The id of a user, whose teams alone are listed.
            after: The id to go on from.
            limit: At most so many.
        """
        conditions: list[ColumnElement[bool]] = []
        if user is not None:
            conditions.append(teams.c.id.in_(select(members.c.team_id).where(members.c.user_id == user)))
        if after is not None:
            conditions.append(teams.c.id > after)
        query = select(teams).where(*conditions).order_by(teams.c.id).limit(limit)
        async with self._database.read() as connection:
            return [msgspec.convert(row, Team, from_attributes=True) for row in await connection.execute(query)]
