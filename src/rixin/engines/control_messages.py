"""The conversation between the supervisor, which owns the local models, and the programs that use them.

One JSON document a line over a Unix socket. A client sends `Call`s, each answered by the `Answer` of the same id, in
any order; a call without an id is not answered. The server also sends `Push`es, unasked. Answers and pushes keep
their order, so that what a client remembers of a model is never newer than the news that it has gone.
"""

from typing import TypeAlias

from msgspec import Struct

from rixin.errors import Kind, RixinError

PULLING = "pulling"
"""The state of a model whose weights are on their way to this machine."""


class EnsuredModel(Struct, frozen=True, kw_only=True, tag="ensured"):
    """A local model that answers now. Lengths are tokens."""

    model: str
    socket: str
    """The path of the Unix socket on which it answers."""
    context_length: int
    """The window of one request."""
    pool: int
    """What all running requests share."""
    max_output_length: int
    slots: int = 1
    vision: bool = False


class ModelStatus(Struct, frozen=True, kw_only=True, tag="status"):
    """A local model as the supervisor sees it."""

    model: str
    state: str
    """`PULLING`, or a state of its child process."""
    progress: float | None = None
    """From 0 to 1, of a pull or of reading the weights; None while what is done has no known length."""
    memory: int | None = None
    """Bytes that it takes when loaded, estimated; None before that is known."""
    last_used: float | None = None
    """Seconds since the epoch."""
    pid: int | None = None
    """Its engine's process."""
    leases: int = 0
    """How many programs are using it."""
    retry_after: float | None = None
    """Seconds until a model that is not ready is worth another request."""
    message: str | None = None
    """Why it failed, for an operator."""


class Ensure(Struct, frozen=True, tag="ensure"):
    """Wants a model ready; answered by `EnsuredModel`. A lease keeps it loaded until the release or the end of the
    connection; its number is the client's choice."""

    model: str
    lease: int | None = None


class Release(Struct, frozen=True, tag="release"):
    """Gives a lease back; answered by `Done`."""

    lease: int


class LoadModel(Struct, frozen=True, tag="load"):
    """Begins to load a model; answered by its `ModelStatus` at once."""

    model: str


class UnloadModel(Struct, frozen=True, tag="unload"):
    """Unloads a model, in use or not; answered by its `ModelStatus` when it is gone."""

    model: str


class ListModels(Struct, frozen=True, tag="list"):
    """Asks for all local models; answered by `Models`."""


class Models(Struct, frozen=True, tag="models"):
    """All local models."""

    models: list[ModelStatus]


class Done(Struct, frozen=True, tag="done"):
    """It is done, and there is nothing to say."""


class Failure(Struct, frozen=True, tag="failure"):
    """A call's error."""

    kind: Kind
    message: str
    retry_after: float | None = None
    detail: str | None = None
    param: str | None = None

    @classmethod
    def of(cls, error: RixinError) -> "Failure":
        """The error as it travels."""
        return cls(error.kind, error.message, error.retry_after, error.detail, error.param)

    def error(self) -> RixinError:
        """The error as it is raised."""
        return RixinError(self.kind, self.message, param=self.param, retry_after=self.retry_after, detail=self.detail)


class ModelGone(Struct, frozen=True, tag="gone"):
    """A model that was ready answers no more; who needs it asks again."""

    model: str


class ModelChanged(Struct, frozen=True, tag="changed"):
    """A model's state or progress has changed. A new connection begins with one for each model."""

    status: ModelStatus


Request: TypeAlias = Ensure | Release | LoadModel | UnloadModel | ListModels
Reply: TypeAlias = EnsuredModel | ModelStatus | Models | Done | Failure
Notice: TypeAlias = ModelGone | ModelChanged


class Call(Struct, frozen=True, omit_defaults=True):
    """A request on the wire."""

    request: Request
    id: int | None = None


class Answer(Struct, frozen=True, tag="answer"):
    """A reply on the wire."""

    id: int
    reply: Reply


class Push(Struct, frozen=True, tag="push"):
    """A notice on the wire."""

    notice: Notice
