"""What a client asks for:

one type per operation, the closed set that every dialect parses into and every engine serves.
"""

from collections.abc import Callable
from typing import Literal, Self, TypeAlias

import msgspec
from msgspec import Struct

from rixin.core.cards import ModelCard
from rixin.core.json import JsonValue
from rixin.core.messages import ImagePart, Message, ReasoningPart, ToolCall
from rixin.core.observer import Observer
from rixin.core.tools import ResponseFormat, Tool, ToolChoice


class Sampling(Struct, frozen=True, kw_only=True):
    """How tokens are drawn. None means that the client said nothing, and nothing is sent on."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    logit_bias: dict[str, float] | None = None
    do_sample: bool | None = None


class ReasoningWish(Struct, frozen=True, kw_only=True):
    """How much a model shall think: by effort word, by switch, by token budget, or any of them together."""

    effort: str | None = None
    enabled: bool | None = None
    budget: int | None = None

    @property
    def wanted(self) -> bool | None:
        """True or False where the client decided, None where the model's default holds."""
        if self.enabled is not None:
            return self.enabled
        return None if self.effort is None else self.effort != "none"


class Origin(Struct, frozen=True):
    """The client's own request: the dialect it spoke and the body it sent, decompressed."""

    dialect: str
    body: bytes


class Change(Struct, frozen=True):
    """Something that was done to a request on its way, told to the client as `name(field)`."""

    name: str
    field: str


class Turn(Struct, frozen=True, kw_only=True):
    """The turn of a conversation that this server keeps. Of the turns before it the oldest may be left out."""

    session: str
    id: str
    claim: int
    """What the session's claims were counted to when its turns were read; this turn's is the next."""
    starts: tuple[int, ...]
    """Where among the messages each turn begins, this one being the last."""
    question: str
    """What is asked in it, in its client's words."""


Recall: TypeAlias = Callable[[ToolCall], ReasoningPart | None]
"""Finds what was thought before a call that came back without it."""


class Generate(Struct, frozen=True, kw_only=True):
    """Text, calls and thoughts from a conversation, or from a bare `prompt` (then `messages` is empty)."""

    model: str
    """The name the client asked for."""
    card: ModelCard
    messages: tuple[Message, ...] = ()
    prompt: str | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    max_tokens_binding: bool = False
    """Whether a `max_tokens` that does not fit into the window makes the request fail, instead of being lowered."""
    stop: tuple[str, ...] = ()
    n: int = 1
    logprobs: bool = False
    top_logprobs: int | None = None
    response_format: ResponseFormat | None = None
    reasoning: ReasoningWish = ReasoningWish()
    stream: bool = False
    form: frozenset[str] = frozenset()
    """How the client wants its answer told, in its dialect's own words, which nobody but the dialect's renderers
    reads."""
    include_usage: bool | None = None
    """Whether the client wants usage in its stream; None leaves it to the card's conventions."""
    user: str | None = None
    session: str | None = None
    """What identifies the conversation, for routes that stay with it."""
    turn: Turn | None = None
    """Which turn of a kept conversation this is; None where the client sent all there is."""
    fairness_key: str | None = None
    """Who asks, as an opaque text: queues of our own engines take turns between them. Never sent to an upstream."""
    observer: Observer | None = None
    """Sees the calls that engines make for this request."""
    thoughts: dict[str, ReasoningPart | None] = {}
    """What the envelopes in the client's history hold, by the envelope; None for those that are left out."""
    recall: Recall | None = None
    """Finds thoughts for upstreams that refuse calls without them."""
    knowledge_tokens: int = 0
    """Tokens that its messages have of passages which were retrieved for it."""
    extra: dict[str, JsonValue] = {}
    """Fields of the client's dialect that the house carries without knowing them."""
    peculiar: tuple[str, ...] | None = None
    """Names of fields of the client's dialect that only an upstream of that dialect makes something of; None where
    those are all of `extra`."""
    changes: tuple[Change, ...] = ()
    origin: Origin | None = None
    edited: frozenset[str] = frozenset()
    """Names of fields that differ from `origin` by now; an upstream of the same dialect renders only these anew."""

    @property
    def ignored(self) -> tuple[Change, ...]:
        """What is to be told of an answer by somebody who does not speak the client's dialect."""
        return tuple(Change("ignored", name) for name in (self.extra if self.peculiar is None else self.peculiar))

    def edit(self, change: Change | None = None, /, **fields: object) -> Self:
        """A copy with some fields replaced, remembered as edited, and the reason told to the client."""
        changes = self.changes if change is None else (*self.changes, change)
        return msgspec.structs.replace(self, **fields, changes=changes, edited=self.edited | fields.keys())


TextKind: TypeAlias = Literal["query", "passage"]
"""What a text is in a search: what is looked for, or where it is looked for."""


class Embed(Struct, frozen=True, kw_only=True):
    """Vectors of texts."""

    model: str
    card: ModelCard
    inputs: tuple[str | tuple[int, ...], ...]
    """Texts, or the token ids of texts, by the model's own vocabulary."""
    kind: TextKind | None = None
    """None where the client did not say."""
    dimensions: int | None = None
    encoding: Literal["float", "base64"] = "float"
    """How the client wants its vectors."""
    most_tokens: int | None = None
    """Tokens that one text may have by the client's API; None where the model's own limit holds."""
    user: str | None = None
    fairness_key: str | None = None
    observer: Observer | None = None
    """As of `Generate`."""
    extra: tuple[str, ...] = ()
    """Names of fields of the client's dialect that only an upstream of that dialect makes something of."""
    changes: tuple[Change, ...] = ()
    origin: Origin | None = None


class DrawProgress(Struct, frozen=True):
    """How far a drawing is."""

    stage: Literal["writing", "drawing"]
    """First words are found for the picture, then it is drawn."""
    part: float
    """Of the whole work, from 0 to 1."""


ImageFormat: TypeAlias = Literal["png", "jpeg", "webp", "svg", "pdf"]


class Draw(Struct, frozen=True, kw_only=True):
    """Images from a prompt, or from images and a prompt."""

    model: str
    card: ModelCard
    prompt: str
    images: tuple[ImagePart, ...] = ()
    """What is to be edited, the main one first."""
    mask: ImagePart | None = None
    """Where the main one may be changed: where this is transparent."""
    size: tuple[int, int] | None = None
    """Width and height in pixels; None leaves them to the model."""
    n: int = 1
    response_format: Literal["url", "b64_json"] | None = None
    output_format: ImageFormat | None = None
    quality: str | None = None
    style: str | None = None
    seed: int | None = None
    """Two requests that are alike in all, this included, get the same images from a model that can repeat itself."""
    watermark: bool | None = None
    prompt_extend: bool | None = None
    """Whether a model may write the prompt anew first."""
    user: str | None = None
    stream: bool = False
    """Whether the client is told how far the work is, and of each image in an event of its own."""
    fairness_key: str | None = None
    observer: Observer | None = None
    """As of `Generate`."""
    progress: Callable[[DrawProgress], None] | None = None
    """Called as the work goes on, by engines that know."""
    extra: dict[str, JsonValue] = {}
    changes: tuple[Change, ...] = ()
    origin: Origin | None = None


Asked: TypeAlias = Generate | Embed | Draw
"""What engines are asked for."""


class Count(Struct, frozen=True, kw_only=True):
    """The number of prompt tokens that a `Generate` would cost."""

    request: Generate


Request: TypeAlias = Generate | Embed | Draw | Count
