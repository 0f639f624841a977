"""The doctor: examines a provider while one looks on, and explains why a request failed."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from rixin.errors import Kind, RixinError
from rixin.service.doctor import BUDGET, LEAST_BUDGET, MOST_BUDGET
from rixin.service.explain import CALLS, MOST_CALLS, explain
from rixin.settings import ModelOverride
from rixin.web.admin.errors import render
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.phrases import PhraseView
from rixin.web.admin.providers import ProviderDetail, detail
from rixin.web.admin.services import AdminServices, Services

router = guarded_router("doctor")

SILENCE = 10.0
"""Seconds after which a stream that has nothing to tell says that it is there."""
_AT_WORK = b": at work\n\n"

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events: `finding` for each probe, then `report`; "
        "`error` with the body of an error where it could not be made or kept.",
        "content": {"text/event-stream": {"schema": {"type": "object", "required": ["event", "data"]}}},
    }
}


class ExaminationWish(BaseModel):
    """What shall be examined."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = None
    """The provider's name for it; the first that answers chats unless given."""
    calls: Annotated[int, Field(ge=LEAST_BUDGET, le=MOST_BUDGET)] = BUDGET
    """The most calls that it may cost."""
    image_url: str | None = None
    """An image that the provider can fetch, by which images by address are tried."""
    write: bool = False
    """Whether to store what was found, as what the provider's settings say of that model."""


class FoundWish(BaseModel):
    """What an examination found of a model, or a part of it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str
    """The provider's name for it."""
    profile: dict[str, Any] = {}
    """As the report has it."""
    context_length: Annotated[int, Field(ge=1)] | None = None
    """The window, in tokens."""


class ExplanationWish(BaseModel):
    """How a failed request shall be explained."""

    model_config = ConfigDict(extra="forbid", strict=True)

    replay: bool = False
    """Whether it may be sent to its provider again, in parts, where the upstream's words do not tell."""
    calls: Annotated[int, Field(ge=1, le=MOST_CALLS)] = CALLS
    """The most calls that this may cost."""


class CauseView(BaseModel):
    """Why a request failed, as far as it could be found out."""

    model_config = ConfigDict(from_attributes=True)

    request_id: str
    provider: str
    model: str
    status: int | None
    """What the upstream answered with."""
    kind: str
    message: str
    """The upstream's words, where they are kept."""
    how: str
    """By what the culprits were found: `rules`, `words`, `replay`, `kind`, or `nothing`."""
    culprits: list[str]
    """Fields, or parts of requests by their names."""
    en: str
    zh: str
    repairs: list[str]
    """What would make it pass, as sentences."""
    repair_phrases: list[PhraseView]
    calls: int
    """Calls that were made to find it out."""
    note: str
    note_phrase: PhraseView | None


@router.post("/providers/{name}/doctor", responses=_EVENTS, response_class=StreamingResponse)
async def examine_provider(services: Services, name: str, wish: ExaminationWish | None = None) -> StreamingResponse:
    """Examines what a provider takes, and streams what is found. It ends when the client leaves."""
    wish = wish or ExaminationWish()
    if services.providers.find(name).source == "configured" and wish.write:
        raise RixinError(
            Kind.CONFLICT, f"The provider {name} is in the configuration file; change it there.", param="write"
        )
    events = _examination(services, name, wish)
    return StreamingResponse(events, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


@router.post("/providers/{name}/doctor/keep")
async def keep_found(services: Services, name: str, found: FoundWish) -> ProviderDetail:
    """Takes over what an examination found, as what the provider's settings say of that model."""
    override = ModelOverride(name=found.model, profile=found.profile, context_length=found.context_length)
    return detail(services, await services.examiner.keep(name, override))


@router.post("/requests/{request_id}/explain")
async def explain_request(services: Services, request_id: str, wish: ExplanationWish | None = None) -> CauseView:
    """Finds out why a request failed."""
    wish = wish or ExplanationWish()
    record = await services.requests.find(request_id)
    if record is None:
        raise RixinError(Kind.NOT_FOUND, "There is no request with this id.")
    examiner = services.examiner
    cause = await explain(
        record,
        examiner.error_rules,
        preset_of=examiner.preset_of,
        prober_of=examiner.prober_of if wish.replay else None,
        calls=wish.calls,
    )
    return CauseView.model_validate(cause)


async def _examination(services: AdminServices, name: str, wish: ExaminationWish) -> AsyncGenerator[bytes, None]:
    events: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def work() -> None:
        try:
            diagnosis = await services.examiner.examine(
                name,
                model=wish.model,
                budget=wish.calls,
                image_url=wish.image_url,
                tell=lambda finding: events.put_nowait(_event("finding", finding)),
            )
            events.put_nowait(_event("report", diagnosis))
            if wish.write and diagnosis.override:
                await services.examiner.keep(name, msgspec.convert(diagnosis.override, ModelOverride))
        except RixinError as error:
            events.put_nowait(_event("error", msgspec.Raw(render(error).body)))
        finally:
            events.put_nowait(None)

    task = asyncio.create_task(work())
    try:
        while (event := await _next(events)) is not None:
            yield event
        await task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _next(events: "asyncio.Queue[bytes | None]") -> bytes | None:
    """The next event, or a comment when there has been none for a while; None at the end."""
    try:
        async with asyncio.timeout(SILENCE):
            return await events.get()
    except TimeoutError:
        return _AT_WORK


def _event(name: str, value: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(value))
