"""The models that this machine runs: what state they are in, and loading and unloading them."""

import asyncio

from pydantic import BaseModel, ConfigDict

from rixin.engines.control_messages import ModelStatus
from rixin.engines.process import State
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import Services

router = guarded_router("engines")


class LoadView(BaseModel):
    """How busy a model is."""

    model_config = ConfigDict(from_attributes=True)

    running: int
    waiting: int
    slots: int
    """How many requests can run at a time."""
    reading: list[float]
    """The parts, from 0 to 1, that have been read of prompts that are not answered yet."""


class EngineView(BaseModel):
    """A local model."""

    model_config = ConfigDict(from_attributes=True)

    model: str
    state: str
    progress: float | None
    """From 0 to 1, of a download or a start."""
    memory: int | None
    """Bytes that it takes when it is loaded, estimated."""
    last_used: float | None
    """Seconds since the epoch."""
    leases: int
    """How many programs are using it."""
    retry_after: float | None
    """Seconds until a model that is not ready is worth a request."""
    message: str | None
    """Why it failed."""
    load: LoadView | None = None
    """Null unless it is loaded."""


class EngineList(BaseModel):
    """All local models."""

    data: list[EngineView]


@router.get("/engines")
async def list_engines(services: Services) -> EngineList:
    """Lists the local models and their states."""
    statuses = await services.engines.list_models()
    return EngineList(data=await asyncio.gather(*(_view(services, status) for status in statuses)))


@router.post("/engines/{name:path}/load", status_code=202)
async def load_engine(services: Services, name: str) -> EngineView:
    """Begins to load a model, and answers at once."""
    return EngineView.model_validate(await services.engines.load(name))


@router.post("/engines/{name:path}/unload")
async def unload_engine(services: Services, name: str) -> EngineView:
    """Unloads a model, in use or not, and answers when its memory is free."""
    return EngineView.model_validate(await services.engines.unload(name))


async def _view(services: Services, status: ModelStatus) -> EngineView:
    view = EngineView.model_validate(status)
    load = await services.load_of(status.model) if status.state == State.READY else None
    return view if load is None else view.model_copy(update={"load": LoadView.model_validate(load)})
