"""The models of this machine, as a worker knows them: the supervisor has them, and tells how they are."""

import asyncio

from rixin.cli.local_models import learned, local_cards
from rixin.dialects.base import Upstream
from rixin.engines.base import Engine
from rixin.engines.control import ControlClient, ModelChanged, Notice
from rixin.engines.e5 import LocalEmbedder
from rixin.engines.llama_cpp import LlamaCpp
from rixin.engines.process import State
from rixin.errors import Kind, RixinError
from rixin.routing.catalog import Catalog
from rixin.settings import EMBEDDER, LOCAL, Settings

_DOING = {
    "pulling": "being downloaded",
    State.STARTING: "being loaded",
    State.BACKING_OFF: "being restarted",
    State.STOPPING: "being unloaded",
    State.FAILED: "broken; the log says why",
}
"""A model's states as a sentence tells them."""


def local_engines(settings: Settings, control: ControlClient, spoken: Upstream) -> dict[str, Engine]:
    """The engines, by the names that candidates have for them; `spoken` is what their processes speak, and
    what all report errors in."""
    names = [model.name for model in settings.models] or [LOCAL]
    chatting = {f"{LOCAL}/{name}": LlamaCpp(name, control, spoken, settings.engine) for name in names}
    embedder = LocalEmbedder(control, spoken, settings.engine)
    return {**chatting, embedder.name: embedder}


def obstacle(settings: Settings, control: ControlClient) -> RixinError | None:
    """Why requests cannot be served: only a server with nothing but its embedded model waits for that."""
    if settings.models:
        return None
    status = control.models.get(LOCAL)
    if status is None or status.state in (State.READY, State.STOPPED):
        return None
    progress = "" if status.progress is None else f" ({status.progress:.0%})"
    doing = _DOING.get(status.state, status.state)
    return RixinError(Kind.STARTING, f"The model is {doing}{progress}.", retry_after=status.retry_after or 5)


class LocalLearner:
    """Brings the local models' cards up to date once a model is loaded and its true limits are known."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._cards = {card.name: card for card in local_cards(settings)}
        self._catalog = catalog
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        catalog.set_local_models(self._cards.values())

    def hear(self, notice: Notice) -> None:
        """Takes news of a model."""
        if isinstance(notice, ModelChanged) and notice.status.state == State.READY and notice.status.model != EMBEDDER:
            self._ready.put_nowait(notice.status.model)

    async def run(self, control: ControlClient) -> None:
        """Asks for the limits of every model that became ready."""
        while True:
            name = await self._ready.get()
            try:
                ensured = await control.ensure(name)
            except RixinError:
                continue  # it has gone again; the next news tell more
            self._cards[name] = learned(self._cards[name], ensured)
            self._catalog.set_local_models(self._cards.values())
