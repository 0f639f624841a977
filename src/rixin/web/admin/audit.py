"""The audit log: who did what."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Json

from rixin.store.audit import AuditFilter
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import Services

router = guarded_router("audit")

MAX_LISTED = 1000


class AuditView(BaseModel):
    """Something that was done."""

    model_config = ConfigDict(from_attributes=True)

    sequence: int
    time: float
    """Seconds since the epoch."""
    actor: str
    """The id of a user or a key, `operator` for the command line, `nobody` for who was not let in."""
    actor_name: str
    address: str | None
    action: str
    target: str | None
    detail: Json[dict[str, object]]
    hash: str


class AuditPage(BaseModel):
    """Some acts, the latest first."""

    data: list[AuditView]
    next: int | None
    """The `before` of the next page; absent on the last one."""


class ProblemView(BaseModel):
    """Something in the log that is not as it was written."""

    model_config = ConfigDict(from_attributes=True)

    sequence: int
    message: str


class VerdictView(BaseModel):
    """What a verification found."""

    model_config = ConfigDict(from_attributes=True)

    rows: int
    head: str
    """The hash of the last row."""
    problems: list[ProblemView]


@router.get("/audit/verify")
async def verify_audit(services: Services) -> VerdictView:
    """Goes through the whole log, and finds rows that were changed, removed or inserted."""
    return VerdictView.model_validate(await services.people.audit.verify())


@router.get("/audit")
async def list_audit(
    services: Services,
    actor: Annotated[str | None, Query(description="Who did it, by id.")] = None,
    action: Annotated[str | None, Query(description="Such as `key.create`.")] = None,
    target: Annotated[str | None, Query(description="What it was done to, by id.")] = None,
    before: Annotated[int | None, Query(description="The `next` of the page before.", ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
) -> AuditPage:
    """Lists what was done, the latest first."""
    wanted = AuditFilter(actor=actor, action=action, target=target)
    rows = await services.people.audit.list(wanted, before=before, limit=limit)
    data = [AuditView.model_validate(row) for row in rows]
    return AuditPage(data=data, next=rows[-1].sequence if len(rows) == limit else None)
