"""Teams: people whose keys count together."""

from typing import Annotated

from fastapi import Query
from msgspec import UNSET
from pydantic import BaseModel, ConfigDict

from rixin.accounts.roles import TeamRole
from rixin.accounts.teams import MAX_LISTED, TeamChange
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.plans import check_plan
from rixin.web.admin.services import By, Caller, Services

router = guarded_router("teams")


class TeamView(BaseModel):
    """A team."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    plan: str | None
    """What all keys of the team together are limited by."""
    created_at: float
    """Seconds since the epoch."""


class TeamPage(BaseModel):
    """Some teams in the order of their making."""

    data: list[TeamView]
    next: str | None
    """The `after` of the next page; absent on the last one."""


class NewTeam(BaseModel):
    """A wish for a team."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    plan: str | None = None


class ChangedTeam(BaseModel):
    """What shall change of a team; what is absent stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = ""
    plan: str | None = None


class MemberView(BaseModel):
    """Somebody in a team."""

    model_config = ConfigDict(from_attributes=True)

    user_id: str
    name: str
    email: str
    role: TeamRole


class MemberList(BaseModel):
    """Who is in a team."""

    data: list[MemberView]


class Membership(BaseModel):
    """What somebody is in a team."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: TeamRole = "member"


@router.get("/teams")
async def list_teams(
    services: Services,
    caller: Caller,
    after: Annotated[str | None, Query(description="The id of the last team of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
) -> TeamPage:
    """Lists teams; to a member, those that they are in."""
    teams = await services.people.teams.list(caller, after=after, limit=limit)
    data = [TeamView.model_validate(team) for team in teams]
    return TeamPage(data=data, next=teams[-1].id if len(teams) == limit else None)


@router.post("/teams", status_code=201)
async def create_team(services: Services, by: By, wish: NewTeam) -> TeamView:
    """Makes a team."""
    check_plan(services, wish.plan)
    return TeamView.model_validate(await services.people.teams.create(wish.name, wish.plan, by))


@router.patch("/teams/{team_id}")
async def change_team(services: Services, by: By, team_id: str, change: ChangedTeam) -> TeamView:
    """Changes a team."""
    said = change.model_fields_set
    if "plan" in said:
        check_plan(services, change.plan)
    wish = TeamChange(name=change.name if "name" in said else UNSET, plan=change.plan if "plan" in said else UNSET)
    return TeamView.model_validate(await services.people.teams.change(team_id, wish, by))


@router.delete("/teams/{team_id}", status_code=204)
async def delete_team(services: Services, by: By, team_id: str) -> None:
    """Removes a team with its keys. What they used stays on record."""
    await services.people.teams.delete(team_id, by)


@router.get("/teams/{team_id}/members")
async def list_members(services: Services, caller: Caller, team_id: str) -> MemberList:
    """Lists who is in a team."""
    members = await services.people.teams.members(team_id, caller)
    return MemberList(data=[MemberView.model_validate(member) for member in members])


@router.put("/teams/{team_id}/members/{user_id}", status_code=204)
async def put_member(
    services: Services, caller: Caller, by: By, team_id: str, user_id: str, membership: Membership | None = None
) -> None:
    """Brings a user into a team, or gives them another role in it. Admins of the team may, too."""
    role = (membership or Membership()).role
    await services.people.teams.put_member(team_id, user_id, role, by, creator=caller)


@router.delete("/teams/{team_id}/members/{user_id}", status_code=204)
async def remove_member(services: Services, caller: Caller, by: By, team_id: str, user_id: str) -> None:
    """Takes a user out of a team: their keys for it count no more."""
    await services.people.teams.remove_member(team_id, user_id, by, creator=caller)
