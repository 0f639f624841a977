"""People: list, make, change, remove."""

from typing import Annotated

from fastapi import Query
from msgspec import UNSET
from pydantic import BaseModel, ConfigDict

from rixin.accounts.roles import Role
from rixin.accounts.user_rules import UserChange, UserWish, no_user
from rixin.accounts.users import MAX_LISTED
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.plans import check_plan
from rixin.web.admin.services import By, Caller, Services

router = guarded_router("users")


class UserView(BaseModel):
    """A person. Instants are seconds since the epoch."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    email: str
    role: Role
    plan: str | None
    """What all their keys together are limited by."""
    created_at: float
    disabled_at: float | None
    last_login_at: float | None


class UserPage(BaseModel):
    """Some users in the order of their making."""

    data: list[UserView]
    next: str | None
    """The `after` of the next page; absent on the last one."""


class NewUser(BaseModel):
    """A wish for a user."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: str
    name: str
    role: Role = "member"
    plan: str | None = None
    password: str | None = None
    """Absent where they log in by a provider of identities, or are given one later."""


class ChangedUser(BaseModel):
    """What shall change of a user; what is absent stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: str = ""
    name: str = ""
    role: Role = "member"
    plan: str | None = None
    disabled: bool = False


class NewPassword(BaseModel):
    """A password for somebody."""

    model_config = ConfigDict(extra="forbid", strict=True)

    password: str


@router.get("/users")
async def list_users(
    services: Services,
    search: Annotated[str | None, Query(description="Text in the name or e-mail address, whatever its case.")] = None,
    after: Annotated[str | None, Query(description="The id of the last user of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
) -> UserPage:
    """Lists users."""
    users = await services.people.users.list(search=search, after=after, limit=limit)
    data = [UserView.model_validate(user) for user in users]
    return UserPage(data=data, next=users[-1].id if len(users) == limit else None)


@router.post("/users", status_code=201)
async def create_user(services: Services, caller: Caller, by: By, wish: NewUser) -> UserView:
    """Makes a user."""
    check_plan(services, wish.plan)
    user = UserWish(email=wish.email, name=wish.name, role=wish.role, plan=wish.plan, password=wish.password)
    return UserView.model_validate(await services.people.users.create(user, by, creator=caller))


@router.get("/users/{user_id}")
async def show_user(services: Services, caller: Caller, user_id: str) -> UserView:
    """Shows a user; to a member, nobody but themselves."""
    if caller.role == "member" and user_id != caller.user:
        raise no_user()
    return UserView.model_validate(await services.people.users.find(user_id))


@router.patch("/users/{user_id}")
async def change_user(services: Services, caller: Caller, by: By, user_id: str, change: ChangedUser) -> UserView:
    """Changes a user. Another role, or being disabled, ends their logins; keys heed it within seconds."""
    said = change.model_fields_set
    if "plan" in said:
        check_plan(services, change.plan)
    wish = UserChange(
        email=change.email if "email" in said else UNSET,
        name=change.name if "name" in said else UNSET,
        role=change.role if "role" in said else UNSET,
        plan=change.plan if "plan" in said else UNSET,
        disabled=change.disabled if "disabled" in said else UNSET,
    )
    return UserView.model_validate(await services.people.users.change(user_id, wish, by, creator=caller))


@router.put("/users/{user_id}/password", status_code=204)
async def set_password(services: Services, caller: Caller, by: By, user_id: str, wish: NewPassword) -> None:
    """Gives a user a password, and ends their logins."""
    await services.people.users.set_password(user_id, wish.password, by, creator=caller)


@router.delete("/users/{user_id}", status_code=204)
async def delete_user(services: Services, caller: Caller, by: By, user_id: str) -> None:
    """Removes a user with their keys. What they used stays on record."""
    await services.people.users.delete(user_id, by, creator=caller)
