"""API keys and access keys: list, make, disable, delete."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, FiniteFloat

from rixin.accounts.account import Account
from rixin.accounts.key_rules import KeyWish
from rixin.accounts.keys import MAX_LISTED
from rixin.errors import invalid
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import AdminServices, Caller, Services

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


class KeyPage(BaseModel):
    """Some keys in the order of their making."""

    data: list[KeyView]
    next: str | None
    """The `after` of the next page; absent on the last one."""


class NewKey(BaseModel):
    """A wish for a key. It can be no wider than the key that asks for it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    scopes: list[Literal["inference", "admin", "metrics"]] = ["inference"]
    models: list[str] = []
    plan: str | None = None
    expires_at: FiniteFloat | None = None


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
    search: Annotated[str | None, Query(description="Text in the name, whatever its case.")] = None,
    after: Annotated[str | None, Query(description="The id of the last key of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
) -> KeyPage:
    """Lists keys."""
    keys = await services.keys.list(search=search, after=after, limit=limit)
    return KeyPage(data=[KeyView.model_validate(key) for key in keys], next=keys[-1].id if len(keys) == limit else None)


@router.post("/keys", status_code=201)
async def create_key(services: Services, caller: Caller, wish: NewKey) -> MadeKey:
    """Makes a key, and shows it this once."""
    return MadeKey.model_validate(await services.keys.create_api_key(_wish(services, caller, wish)))


@router.post("/access-keys", status_code=201)
async def create_access_key(services: Services, caller: Caller, wish: NewKey) -> MadeAccessKey:
    """Makes an access key, and shows its secret this once. It is listed, disabled and deleted among the keys."""
    return MadeAccessKey.model_validate(await services.keys.create_access_key(_wish(services, caller, wish)))


@router.patch("/keys/{key_id}")
async def change_key(services: Services, key_id: str, change: KeyChange) -> KeyState:
    """Disables a key, or enables it again. It counts everywhere within seconds."""
    await (services.keys.disable if change.disabled else services.keys.enable)(key_id)
    return KeyState(id=key_id, disabled=change.disabled)


@router.delete("/keys/{key_id}", status_code=204)
async def delete_key(services: Services, key_id: str) -> None:
    """Deletes a key for good. What it used stays on record."""
    await services.keys.delete(key_id)


def _wish(services: AdminServices, caller: Account, wish: NewKey) -> KeyWish:
    if wish.plan is not None and wish.plan not in services.plans.all:
        raise invalid("There is no such plan.", "plan")
    return KeyWish(
        name=wish.name,
        scopes=tuple(wish.scopes),
        models=tuple(wish.models),
        plan=wish.plan,
        expires_at=wish.expires_at,
        creator=None if services.settings.auth == "off" else caller,
    )
