"""The request log: what became of each request, call by call, and what was said, where that is kept."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from rixin.accounts.ledger import MAX_LISTED
from rixin.accounts.request_log import RequestRecord
from rixin.errors import Kind, RixinError
from rixin.store.requests import ListedRequest
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.pages import Before, cursor, position
from rixin.web.admin.services import Caller, Services
from rixin.web.admin.usage import RequestUsage
from rixin.web.admin.wanted_usage import Wanted

router = guarded_router("requests")


class RequestView(RequestUsage):
    """A request, when it was over."""

    attempt_count: int | None
    """How many calls of engines it took; absent where that is not kept any more, or none was made."""
    bodies_size: int
    """Bytes that its bodies take in the store; 0 where none are kept."""


class RequestPage(BaseModel):
    """Some requests, the latest first."""

    data: list[RequestView]
    next: str | None
    """The `before` of the next page; absent on the last one."""


class AttemptView(BaseModel):
    """One call of an engine. Milliseconds are since the request's arrival."""

    model_config = ConfigDict(from_attributes=True)

    engine: str
    model: str
    """The engine's own name for it."""
    began_ms: float
    answered_ms: float | None
    """When the head of its answer came."""
    ended_ms: float | None
    status: int | None
    """The status of its answer; absent where none came."""
    error: str | None
    """The kind of error that ended it."""
    upstream_id: str | None
    """What the upstream called the request."""
    sent: str | None = None
    """The body that was sent, redacted; absent where it is not kept."""
    answer: str | None = None
    """What came back, or its beginning, redacted; kept of calls that failed."""


class RequestDetailView(RequestUsage):
    """All that is known of a request."""

    body: str | None
    """What the client sent, redacted; absent where it is not kept."""
    attempts: list[AttemptView]


@router.get("/requests")
async def list_requests(
    services: Services,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
    before: Before = None,
) -> RequestPage:
    """Lists requests that fit all that is given, the latest first; to a member as usage is."""
    listed = await services.requests.list(wanted, limit=limit, before=position(before))
    return RequestPage(
        data=[_view(request) for request in listed],
        next=cursor(listed[-1].usage.time, listed[-1].usage.id) if len(listed) == limit else None,
    )


@router.get("/requests/{request_id}")
async def show_request(services: Services, caller: Caller, request_id: str) -> RequestDetailView:
    """Shows a request with its calls, and with its bodies where they are kept; to a member, their own."""
    user = caller.user or caller.id if caller.role == "member" else None
    record = await services.requests.find(request_id, user)
    if record is None:
        raise RixinError(Kind.NOT_FOUND, "There is no request with this id.")
    return _detail(record)


def _view(request: ListedRequest) -> RequestView:
    usage = RequestUsage.model_validate(request.usage)
    return RequestView(**usage.model_dump(), attempt_count=request.attempts, bodies_size=request.bodies_size)


def _detail(record: RequestRecord) -> RequestDetailView:
    attempts = [AttemptView.model_validate(attempt) for attempt in record.attempts]
    if record.bodies is not None:
        for attempt, bodies in zip(attempts, record.bodies.attempts, strict=True):
            attempt.sent, attempt.answer = bodies.sent, bodies.answer
    usage = RequestUsage.model_validate(record.usage)
    body = None if record.bodies is None else record.bodies.client
    return RequestDetailView(**usage.model_dump(), body=body, attempts=attempts)
