"""Teams: people whose keys count together. Made, changed and removed here, and nowhere else."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.accounts.account import Account
from rixin.accounts.audit import OPERATOR, Act, Actor, AuditLog
from rixin.accounts.key_rules import check_name, check_plan
from rixin.accounts.roles import TeamRole
from rixin.accounts.user_rules import no_user
from rixin.clock import Clock, uuid7
from rixin.errors import Kind, RixinError, invalid
from rixin.store import keys, revisions, users
from rixin.store import teams as store
from rixin.store.database import Database
from rixin.store.schema import teams as columns
from rixin.store.schema import users as user_columns
from rixin.store.teams import Member, Team, TeamTable

MAX_LISTED = 1000
_ID = re.compile(r"team_[0-9a-f]{32}")


class TeamChange(Struct, frozen=True, kw_only=True):
    """What shall change of a team; the rest stays."""

    name: str | UnsetType = UNSET
    plan: str | UnsetType | None = UNSET


class TeamBook:
    """The teams of one database.

    Args:
        database: Where they are stored.
        audit: Where every change is written down.
        clock: Time.
    """

    def __init__(self, database: Database, audit: AuditLog, clock: Clock) -> None:
        self._database = database
        self._table = TeamTable(database)
        self._audit = audit
        self._clock = clock

    async def members(self, team_id: str, viewer: Account | None = None) -> list[Member]:
        """Who is in a team.

        Args:
            team_id: Which.
            viewer: Who asks; None for the machine's operator. Members see the teams that they are in.

        Raises:
            RixinError: `NOT_FOUND` where there is no such team, or the viewer may not see it.
        """
        async with self._database.read() as connection:
            await _check_seen(connection, team_id, viewer)
        return await self._table.members(team_id)

    async def list(
        self,
        viewer: Account | None = None,
        *,
        mine: bool = False,
        after: str | None = None,
        limit: int = MAX_LISTED,
    ) -> list[Team]:
        """Teams in the order of their making.

        Args:
            viewer: Who asks; None for the machine's operator. Members see the teams that they are in.
            mine: Whether others see no more either.
            after: The id of the last team of the page before this one.
            limit: At most so many, up to 1000.

        Raises:
            RixinError: `INVALID_REQUEST` naming the argument.
        """
        if after is not None and not _ID.fullmatch(after):
            raise invalid("after must be the id of a team", "after")
        if not 1 <= limit <= MAX_LISTED:
            raise invalid(f"limit must lie between 1 and {MAX_LISTED}", "limit")
        narrowed = viewer if viewer is not None and (mine or viewer.role == "member") else None
        return await self._table.list(user=None if narrowed is None else narrowed.user, after=after, limit=limit)

    async def is_led(self, team_id: str, viewer: Account) -> bool:
        """Whether somebody is an admin of a team; where there is none with this id, nobody is."""
        if viewer.user is None or not _ID.fullmatch(team_id):
            return False
        async with self._database.read() as connection:
            return await store.role_in(connection, team_id, viewer.user) == "admin"

    async def create(self, name: str, plan: str | None = None, by: Actor = OPERATOR) -> Team:
        """Makes a team. Raises `INVALID_REQUEST`, or `CONFLICT` where the name is taken."""
        check_name(name)
        check_plan(plan)
        now = self._clock.now()
        team = Team(id="team_" + uuid7(now).replace("-", ""), name=name, plan=plan, created_at=now)
        async with self._changing() as connection:
            await _check_free(connection, name)
            await store.add(connection, team)
            detail = {"name": name, "plan": plan}
            await self._audit.append(connection, Act(actor=by, action="team.create", target=team.id, detail=detail))
        return team

    async def change(self, team_id: str, change: TeamChange, by: Actor = OPERATOR) -> Team:
        """Changes a team. Raises as `create`, and `NOT_FOUND`."""
        values = {name: value for name, value in asdict(change).items() if value is not UNSET}
        if change.name is not UNSET:
            check_name(change.name)
        if change.plan is not UNSET:
            check_plan(change.plan)
        async with self._changing() as connection:
            team = await _found(connection, team_id)
            if change.name not in (UNSET, team.name):
                await _check_free(connection, str(change.name))
            if values:
                await store.change(connection, team_id, **values)
            await self._audit.append(connection, Act(actor=by, action="team.change", target=team_id, detail=values))
            return await _found(connection, team_id)

    async def delete(self, team_id: str, by: Actor = OPERATOR) -> None:
        """Removes a team with its keys; what they used stays on record. Raises `NOT_FOUND`."""
        async with self._changing() as connection:
            team = await _found(connection, team_id)
            await store.remove(connection, team_id)
            act = Act(actor=by, action="team.delete", target=team_id, detail={"name": team.name})
            await self._audit.append(connection, act)

    async def put_member(
        self, team_id: str, user_id: str, role: TeamRole, by: Actor = OPERATOR, *, creator: Account | None = None
    ) -> None:
        """Brings a user into a team, or gives them another role in it.

        Args:
            team_id: Which team.
            user_id: Whom.
            role: What they are in it.
            by: Who does it, for the audit log.
            creator: Who does it; None for the machine's operator. Owners and admins may, and the team's own admins.

        Raises:
            RixinError: `NOT_FOUND` where there is no such team or user, or the creator does not see the team;
                `PERMISSION_DENIED` where they see it and may not change it.
        """
        async with self._changing() as connection:
            await _check_led(connection, team_id, creator)
            if await users.find(connection, user_columns.c.id == user_id) is None:
                raise no_user()
            await store.put_member(connection, team_id, user_id, role)
            detail = {"user": user_id, "role": role}
            await self._audit.append(connection, Act(actor=by, action="team.member", target=team_id, detail=detail))

    async def remove_member(
        self, team_id: str, user_id: str, by: Actor = OPERATOR, *, creator: Account | None = None
    ) -> None:
        """Takes a user out of a team: their keys for it count no more. As `put_member`."""
        async with self._changing() as connection:
            await _check_led(connection, team_id, creator)
            if not await store.remove_member(connection, team_id, user_id):
                raise no_user()
            act = Act(actor=by, action="team.leave", target=team_id, detail={"user": user_id})
            await self._audit.append(connection, act)

    @asynccontextmanager
    async def _changing(self) -> AsyncGenerator[AsyncConnection]:
        async with self._database.begin() as connection:
            await revisions.bump(connection, keys.REVISION)
            yield connection


async def _found(connection: AsyncConnection, team_id: str) -> Team:
    team = await store.find(connection, columns.c.id == team_id) if _ID.fullmatch(team_id) else None
    if team is None:
        raise _no_team()
    return team


async def _check_free(connection: AsyncConnection, name: str) -> None:
    if await store.find(connection, columns.c.name == name) is not None:
        raise RixinError(Kind.CONFLICT, "There is a team with this name already.", param="name")


async def _check_seen(connection: AsyncConnection, team_id: str, viewer: Account | None) -> str | None:
    """The role of a viewer in a team that they may see. Raises `NOT_FOUND`."""
    await _found(connection, team_id)
    if viewer is None or viewer.user is None:
        return None
    role = await store.role_in(connection, team_id, viewer.user)
    if viewer.role == "member" and role is None:
        raise _no_team()
    return role


async def _check_led(connection: AsyncConnection, team_id: str, creator: Account | None) -> None:
    role = await _check_seen(connection, team_id, creator)
    if creator is not None and creator.role not in ("owner", "admin") and role != "admin":
        raise RixinError(Kind.PERMISSION_DENIED, "Only admins choose who is in a team.")


def _no_team() -> RixinError:
    return RixinError(Kind.NOT_FOUND, "There is no team with this id.")
