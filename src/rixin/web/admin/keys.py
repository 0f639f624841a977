"""API keys and access keys: list, make, disable, delete."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, FiniteFloat

from rixin.accounts.account import Account
from rixin.accounts.key_rules import KeyWish
from rixin.accounts.keys import MAX_LISTED
from rixin.errors import invalid
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.plans import check_plan
from rixin.web.admin.reach import reach_of
from rixin.web.admin.services import AdminServices, By, Caller, Services

router = guarded_router("keys")


class KeyView(BaseModel):
    """A key without its secret, which nobody has. Instants are seconds since the epoch."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    prefix: str
    scopes: list[str]
    models: list[str]
    plan: str | None
    created_at: float
    expires_at: float | None
    disabled_at: float | None
    last_used_at: float | None
    creator: str | None
    kind: Literal["api", "access"]
    user_id: str | None
    """Whose it is; absent where it is the operator's."""
    team_id: str | None
    """The team that it counts for."""
    dialects: list[str]
    networks: list[str]


class KeyPage(BaseModel):
    """Some keys in the order of their making."""

    data: list[KeyView]
    next: str | None
    """The `after` of the next page; absent on the last one."""


class NewKey(BaseModel):
    """A wish for a key. It can be no wider than who asks for it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    scopes: list[Literal["inference", "admin", "metrics"]] = ["inference"]
    models: list[str] = []
    plan: str | None = None
    expires_at: FiniteFloat | None = None
    user: str | None = None
    """The id of the user whose it shall be; who asks, unless it is said otherwise."""
    team: str | None = None
    """The id of the team that it shall count for."""
    dialects: list[str] = []
    """Names of the dialects that it may speak; none means every one."""
    networks: list[str] = []
    """Where it may be used, as addresses or networks in CIDR notation; none means anywhere."""


class MadeKey(BaseModel):
    """A new API key, the only time that it is shown."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    key: str


class MadeAccessKey(BaseModel):
    """A new access key, the only time that its secret is shown."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    access_key_id: str
    secret_access_key: str


class KeyChange(BaseModel):
    """What shall change of a key."""

    model_config = ConfigDict(extra="forbid", strict=True)

    disabled: bool


class KeyState(BaseModel):
    """What a change came to."""

    id: str
    disabled: bool


@router.get("/keys")
async def list_keys(
    services: Services,
    caller: Caller,
    search: Annotated[str | None, Query(description="Text in the name, whatever its case.")] = None,
    after: Annotated[str | None, Query(description="The id of the last key of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
    user: Annotated[str | None, Query(description="The id of the user whose they are.")] = None,
    team: Annotated[str | None, Query(description="The id of the team that they count for.")] = None,
) -> KeyPage:
    """Lists keys; to a member, their own, and those of the teams that they are admins of."""
    keys = await services.keys.list(
        search=search, after=after, limit=limit, reach=reach_of(caller), user=user, team=team
    )
    return KeyPage(data=[KeyView.model_validate(key) for key in keys], next=keys[-1].id if len(keys) == limit else None)


@router.post("/keys", status_code=201)
async def create_key(services: Services, caller: Caller, by: By, wish: NewKey) -> MadeKey:
    """Makes a key, and shows it this once."""
    return MadeKey.model_validate(await services.keys.create_api_key(_wish(services, caller, wish), by))


@router.post("/access-keys", status_code=201)
async def create_access_key(services: Services, caller: Caller, by: By, wish: NewKey) -> MadeAccessKey:
    """Makes an access key, and shows its secret this once. It is listed, disabled and deleted among the keys."""
    return MadeAccessKey.model_validate(await services.keys.create_access_key(_wish(services, caller, wish), by))


@router.patch("/keys/{key_id}")
async def change_key(services: Services, caller: Caller, by: By, key_id: str, change: KeyChange) -> KeyState:
    """Disables a key, or enables it again. It counts everywhere within seconds."""
    keys = services.keys
    await (keys.disable if change.disabled else keys.enable)(key_id, by, reach=reach_of(caller))
    return KeyState(id=key_id, disabled=change.disabled)


@router.delete("/keys/{key_id}", status_code=204)
async def delete_key(services: Services, caller: Caller, by: By, key_id: str) -> None:
    """Deletes a key for good. What it used stays on record."""
    await services.keys.delete(key_id, by, reach=reach_of(caller))


def _wish(services: AdminServices, caller: Account, wish: NewKey) -> KeyWish:
    check_plan(services, wish.plan)
    unknown = sorted(set(wish.dialects) - services.dialects)
    if unknown:
        known = ", ".join(sorted(services.dialects))
        raise invalid(f"There is no dialect {unknown[0][:50]!r}; there are {known}.", "dialects")
    return KeyWish(
        name=wish.name,
        scopes=tuple(wish.scopes),
        models=tuple(wish.models),
        plan=wish.plan,
        expires_at=wish.expires_at,
        user=wish.user,
        team=wish.team,
        dialects=tuple(wish.dialects),
        networks=tuple(wish.networks),
        creator=None if services.settings.auth == "off" else caller,
    )
