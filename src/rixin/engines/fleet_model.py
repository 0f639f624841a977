"""One local model of a server, and what is known of it."""

import asyncio

from rixin.engines.background_pull import BackgroundPull
from rixin.engines.control_messages import PULLING, ModelStatus
from rixin.engines.launcher import ReadyModel
from rixin.engines.process import ChildProcess, State
from rixin.errors import RixinError
from rixin.settings import LocalModel


class FleetModel:
    """A model, its weights on their way, its process, and who uses it.

    Args:
        spec: What the settings say of it.
        embeds: Whether it is the embedder, which comes with the program, instead of a model that chats.
    """

    pull: BackgroundPull | None = None
    """How its weights come here; None for a file of the user's own."""
    child: ChildProcess[ReadyModel] | None = None
    """Its engine, once it was wanted."""
    resting: asyncio.TimerHandle | None = None
    """What unloads it, unless it is used before."""

    def __init__(self, spec: LocalModel, *, embeds: bool = False) -> None:
        self.spec = spec
        self.embeds = embeds
        self.memory: int | None = None
        self.leases: set[tuple[int, int]] = set()
        self.asking = 0
        """How many callers wait for it right now."""
        self.use = 0
        """The number of its latest use, among all uses of all models."""
        self.last_used: float | None = None
        self.was_ready = False
        self.unloads = 0
        """How often somebody unloaded it."""
        self.failure: RixinError | None = None
        """Why there is not even a process, where it should be loaded."""

    @property
    def name(self) -> str:
        """What requests call it."""
        return self.spec.name

    @property
    def state(self) -> str:
        """As `ModelStatus` has it."""
        if self.pull and self.pull.running:
            return State.FAILED if self.pull.error else PULLING
        if self.child and self.child.state is not State.STOPPED:
            return self.child.state
        if self.asking:
            return State.STARTING
        return State.FAILED if self.failure else State.STOPPED

    @property
    def held_memory(self) -> int:
        """Bytes that it takes, or is about to take."""
        down = self.child is None or self.child.state in (State.STOPPED, State.FAILED)
        return 0 if down else self.memory or 0

    @property
    def idle(self) -> bool:
        """Whether it may be unloaded for another one's sake."""
        return bool(self.held_memory) and not (self.leases or self.asking or self.spec.keep_loaded)

    def status(self) -> ModelStatus:
        """The model as others are told of it."""
        child, pull = self.child, self.pull
        progress, retry_after, message = None, None, None
        if pull and pull.running:
            progress, retry_after = pull.progress, pull.retry_after
            message = pull.error.message if pull.error else None
        elif child and child.state is State.STARTING:
            progress = child.progress
        elif child and child.state in (State.BACKING_OFF, State.FAILED):
            retry_after, message = child.retry_after, child.message
        elif self.failure:
            retry_after, message = self.failure.retry_after, told(self.failure)
        return ModelStatus(
            model=self.name,
            state=self.state,
            progress=progress,
            memory=self.memory,
            last_used=self.last_used,
            pid=child.pid if child else None,
            leases=len(self.leases),
            retry_after=retry_after,
            message=message,
        )


def told(error: RixinError) -> str:
    """An error as operators are told it."""
    return f"{error.message}: {error.detail}" if error.detail else error.message
