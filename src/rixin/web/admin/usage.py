"""What requests used and what that cost: sums, and the latest requests; as JSON, and as CSV for spreadsheets."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Annotated, Any, TypeAlias

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict

from rixin.accounts.ledger import MAX_LISTED, whole
from rixin.core.csv_text import csv_lines
from rixin.core.prices import decimal_text
from rixin.errors import invalid
from rixin.store.usage_sums import DAY, Grouping
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.pages import Before, Instant, cursor, position
from rixin.web.admin.services import Services
from rixin.web.admin.wanted_usage import Wanted, WantedSums

router = guarded_router("usage")

DEFAULT_DAYS = 30

_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A line of the columns' names, and one for each row.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


def _money(value: int | str) -> str:
    return decimal_text(value) if isinstance(value, int) else value


Money: TypeAlias = Annotated[str, BeforeValidator(_money)]
"""An amount in units of a currency, as decimal text that is exact."""


class UsageSum(BaseModel):
    """The sum of a group of requests, whose costs are in one currency."""

    model_config = ConfigDict(from_attributes=True)

    group: str
    name: str
    requests: int
    errors: int
    estimated: int
    """How many of the requests have tokens that are an estimate."""
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    knowledge_tokens: int
    cost: Money
    currency: str


class UsageSummary(BaseModel):
    """Sums over the requests that arrived from `since` until before `until`, which are whole hours or days in UTC."""

    since: float
    until: float
    group_by: Grouping
    data: list[UsageSum]


class RequestUsage(BaseModel):
    """One request, when it was over. Neither what was said in it nor from where it came."""

    model_config = ConfigDict(from_attributes=True)

    time: float
    id: str
    key_id: str
    key_name: str
    user_id: str | None
    team_id: str | None
    dialect: str
    operation: str
    model_asked: str
    model: str
    provider: str
    status: int
    error: str | None
    stream: bool
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    knowledge_tokens: int
    estimated: bool
    queue_ms: float | None
    first_token_ms: float | None
    total_ms: float
    changes: str
    cost: Money
    currency: str
    price_prompt: Money
    """Of a million tokens."""
    price_completion: Money
    price_cached: Money
    price_request: Money
    """Of the request as such."""


class UsagePage(BaseModel):
    """Some requests, the latest first."""

    data: list[RequestUsage]
    next: str | None
    """The `before` of the next page; absent on the last one."""


@router.get("/usage/summary")
async def summarize_usage(
    services: Services,
    wanted: WantedSums,
    since: Instant | None = None,
    until: Instant | None = None,
    group_by: Grouping = "model",
) -> UsageSummary:
    """Sums up usage by key, user, team, model, provider, day or hour (UTC).

    Over the last thirty days unless it is said otherwise, and always over whole hours, or whole days where they are
    asked for: `since` and `until` of the answer tell which. A member sums up what `GET /admin/v1/usage/recent` lists.
    """
    until = services.clock.now() if until is None else until
    since = max(0.0, until - DEFAULT_DAYS * DAY) if since is None else since
    if since > until:
        raise invalid("since must not be later than until", "since")
    totals = await services.ledger.summary(since, until, group_by, wanted)
    first, last = whole(since, until, group_by)
    return UsageSummary(
        since=first, until=last, group_by=group_by, data=[UsageSum.model_validate(total) for total in totals]
    )


@router.get("/usage/summary.csv", response_class=StreamingResponse, responses=_CSV)
async def download_usage_summary(
    services: Services,
    wanted: WantedSums,
    since: Instant | None = None,
    until: Instant | None = None,
    group_by: Grouping = "model",
) -> StreamingResponse:
    """The sums of `GET /admin/v1/usage/summary`, as a file for spreadsheets."""
    summary = await summarize_usage(services, wanted, since, until, group_by)

    async def pages() -> AsyncGenerator[list[UsageSum]]:
        yield summary.data

    return _download(f"usage-by-{group_by}.csv", UsageSum, pages())


@router.get("/usage/recent")
async def list_usage(
    services: Services,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
    before: Before = None,
) -> UsagePage:
    """Lists requests that fit all that is given, the latest first.

    To a member, their own, and those of the teams that they are admins of, where `team` names one.
    """
    rows = await services.ledger.recent(limit=limit, before=position(before), wanted=wanted)
    return UsagePage(
        data=[RequestUsage.model_validate(row) for row in rows],
        next=cursor(rows[-1].time, rows[-1].id) if len(rows) == limit else None,
    )


@router.get("/usage/recent.csv", response_class=StreamingResponse, responses=_CSV)
async def download_usage(services: Services, wanted: Wanted) -> StreamingResponse:
    """All requests of `GET /admin/v1/usage/recent`, the latest first, as a file for spreadsheets."""

    async def pages() -> AsyncGenerator[list[RequestUsage]]:
        async for rows in services.ledger.all(wanted):
            yield [RequestUsage.model_validate(row) for row in rows]

    return _download("usage.csv", RequestUsage, pages())


def _download(name: str, model: type[BaseModel], pages: AsyncIterator[Iterable[BaseModel]]) -> StreamingResponse:
    columns = list(model.model_fields)

    async def text() -> AsyncGenerator[str]:
        yield csv_lines([columns])
        async for page in pages:
            yield csv_lines([getattr(row, column) for column in columns] for row in page)

    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(text(), media_type="text/csv", headers=headers)
