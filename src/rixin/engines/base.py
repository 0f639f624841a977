"""What an engine is: whatever answers requests. A new engine is one file that satisfies these protocols."""

from collections.abc import AsyncGenerator
from typing import Protocol, runtime_checkable

from msgspec import Struct

from rixin.core.embeddings import Embeddings
from rixin.core.events import Event
from rixin.core.images import Images
from rixin.core.json import JsonObject
from rixin.core.requests import Change, Draw, Embed, Generate


class Sign(Struct, frozen=True):
    """How far a request has come whose answer has not begun."""

    queued: float = 0.0
    """Seconds that it has waited for its turn."""
    read: float | None = None
    """The part of its prompt that has been read, from 0 to 1; None while it waits."""


class Batch(Struct, frozen=True):
    """What one network read brought.

    `raw` holds the upstream's own bytes, whole events only, and only where a client of the same dialect may be given
    them unchanged; a stream has it in every batch with events or in none. It may be empty, where the events show
    nothing, and never holds the mark of the stream's end, which is the writer's. A batch without events is a sign of
    life: the engine is at work on the prompt, or waits for a free slot. Where it knows how far it is, `sign` tells.
    """

    events: list[Event]
    raw: bytes | None = None
    changes: tuple[Change, ...] = ()
    """What the engine did to the request before it sent it on, told with the first batch or not at all; and to the
    answer, told once it was done."""
    sign: Sign | None = None


class Engine(Protocol):
    """Something that answers `Generate` requests."""

    @property
    def name(self) -> str:
        """What logs and headers call it."""
        ...

    async def ready(self) -> None:
        """Makes sure that requests can be answered: loads a model, or checks nothing at all. Idempotent.

        Raises:
            RixinError: `STARTING` or `OVERLOADED` when it cannot be ready in time.
        """
        ...

    def stream(self, request: Generate) -> AsyncGenerator[Batch, None]:
        """Answers a request. Closing the generator cancels the work.

        Raises:
            RixinError: Before the first event or after it; the stream is broken then.
        """
        ...

    async def aclose(self) -> None:
        """Gives back what the engine holds."""
        ...


class Prepared(Struct, frozen=True, kw_only=True):
    """A request as its upstream will be sent it. Replace its parts to send it otherwise."""

    body: JsonObject
    """Encoded as it is; whoever changes it makes a dict of their own."""
    changes: tuple[Change, ...] = ()
    """What was done to the request to make this of it."""
    tool_names: dict[str, str] = {}
    """Tools that go by another name upstream: that name, and the client's. Answers are told with the client's."""


@runtime_checkable
class Sends(Protocol):
    """An engine that shows what it sends, takes it back changed, and has more than one key to send it with.

    `Engine.stream` is both steps, with the first key. Whoever takes them apart tells `Prepared.changes` to the client;
    batches then tell none.
    """

    def prepare(self, request: Generate) -> Prepared:
        """What an upstream would be sent for a request. Nothing is sent.

        Raises:
            RixinError: The request has no form on the upstream's wire.
        """
        ...

    def send(self, request: Generate, prepared: Prepared, key: str | None) -> AsyncGenerator[Batch, None]:
        """Sends what was prepared for `request`, once, with an API key; None for an upstream that asks for none.

        Raises:
            RixinError: As `Engine.stream`.
        """
        ...


@runtime_checkable
class Answers(Protocol):
    """An engine that `Sends`, and gives answers that nobody wants to see before they are complete in one step."""

    def answers(self, request: Generate, prepared: Prepared) -> bool:
        """Whether it does so for this request."""
        ...

    async def answer(self, request: Generate, prepared: Prepared, key: str | None) -> Batch:
        """All that `Sends.send` would give, in one batch.

        Raises:
            RixinError: As `Engine.stream`.
        """
        ...


@runtime_checkable
class Embeds(Protocol):
    """An engine that makes vectors of texts."""

    async def embed(self, request: Embed, key: str | None) -> Embeddings:
        """The vectors of a request's texts, with an API key; None for an engine that asks for none.

        Raises:
            RixinError: What is wrong with the request, or how the engine failed.
        """
        ...


@runtime_checkable
class Draws(Protocol):
    """An engine that draws images."""

    async def draw(self, request: Draw, key: str | None) -> Images:
        """The images of a request, with an API key; None for an engine that asks for none.

        Raises:
            RixinError: What is wrong with the request, or how the engine failed.
        """
        ...


@runtime_checkable
class Counts(Protocol):
    """An engine that counts prompt tokens exactly."""

    async def count(self, request: Generate) -> int:
        """The prompt tokens that a request would cost."""
        ...


class ListedModel(Struct, frozen=True, kw_only=True):
    """A model as its engine lists it. Unknown limits are None."""

    name: str
    context_length: int | None = None
    max_output_length: int | None = None
    created: int = 0
    owned_by: str = ""
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()


@runtime_checkable
class Lists(Protocol):
    """An engine that tells which models it has."""

    async def models(self) -> list[ListedModel]:
        """The models that can be asked for now."""
        ...


class Load(Struct, frozen=True, kw_only=True):
    """How busy an engine is."""

    running: int
    waiting: int
    slots: int
    reading: list[float] = []
    """The parts, from 0 to 1, that have been read of the prompts of those that run and have not been answered yet."""


@runtime_checkable
class Reports(Protocol):
    """An engine that tells how busy it is."""

    async def load(self) -> Load:
        """The load at this moment."""
        ...
