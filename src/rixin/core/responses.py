"""Whole answers, and how a stream of events becomes one."""

from collections.abc import Iterable
from typing import assert_never

from msgspec import Struct

from rixin.core.events import (
    Annotation,
    Event,
    Finish,
    FinishReason,
    Reasoning,
    Refusal,
    Start,
    Text,
    ToolArguments,
    ToolEnd,
    ToolStart,
)
from rixin.core.json import JsonValue
from rixin.core.messages import Opaque, Part, ReasoningPart, RefusalPart, TextPart, ToolCall
from rixin.core.usage import Usage
from rixin.errors import Kind, RixinError


class Choice(Struct, frozen=True, kw_only=True):
    """One answer: its parts in the order in which they were made."""

    index: int
    parts: tuple[Part, ...]
    finish_reason: FinishReason
    stop_sequence: str | None = None
    logprobs: tuple[JsonValue, ...] = ()
    annotations: tuple[JsonValue, ...] = ()

    @property
    def text(self) -> str:
        """The words of the answer, joined."""
        return "".join([part.text for part in self.parts if type(part) is TextPart])

    @property
    def reasoning(self) -> str:
        """The thoughts of the answer, joined."""
        return "".join([part.text for part in self.parts if type(part) is ReasoningPart])

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls of the answer, in order."""
        return tuple([part for part in self.parts if type(part) is ToolCall])


class Response(Struct, frozen=True, kw_only=True):
    """A whole answer. `id`, `created` and `model` are the upstream's own; `usage` is None where none was reported."""

    id: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    opaque: tuple[Opaque, ...] = ()


class _ChoiceBuilder:
    """Gathers the events of one choice."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.parts: list[Part] = []
        self.pieces: list[str] = []
        self.open: type[TextPart | ReasoningPart | RefusalPart] | None = None
        self.signature: str | None = None
        self.calls: dict[int, tuple[int, ToolStart, list[str]]] = {}
        self.logprobs: list[JsonValue] = []
        self.annotations: list[JsonValue] = []
        self.finish: Finish | None = None

    def add(self, kind: type[TextPart | ReasoningPart | RefusalPart], text: str, *, signed: bool = False) -> None:
        if not text and not signed:
            return  # nothing is said, and nothing ends
        if self.open is not kind:
            self.close()
            self.open = kind
        self.pieces.append(text)

    def sign(self, signature: str) -> None:
        self.signature = signature
        self.close()

    def close(self) -> None:
        if self.open is None:
            return
        text = "".join(self.pieces)
        if self.open is ReasoningPart:
            if text or self.signature:
                self.parts.append(ReasoningPart(text=text, signature=self.signature))
        elif text:
            self.parts.append(RefusalPart(text) if self.open is RefusalPart else TextPart(text))
        self.pieces, self.open, self.signature = [], None, None

    def start_call(self, event: ToolStart) -> None:
        self.close()
        self.calls[event.index] = (len(self.parts), event, [])
        self.parts.append(ToolCall(id=event.id, name=event.name, arguments="", kind=event.kind))

    def end_call(self, index: int) -> None:
        position, start, pieces = self.calls.pop(index)
        self.parts[position] = ToolCall(id=start.id, name=start.name, arguments="".join(pieces), kind=start.kind)

    def build(self) -> Choice:
        if self.finish is None:
            raise RixinError(Kind.UPSTREAM_INTERRUPTED, "The model's answer broke off before it was complete.")
        self.close()
        for index in list(self.calls):
            self.end_call(index)
        return Choice(
            index=self.index,
            parts=tuple(self.parts),
            finish_reason=self.finish.reason,
            stop_sequence=self.finish.stop_sequence,
            logprobs=tuple(self.logprobs),
            annotations=tuple(self.annotations),
        )


class Collector:
    """Builds a `Response` from events, fed in any portions."""

    def __init__(self) -> None:
        self._start: Start | None = None
        self._choices: dict[int, _ChoiceBuilder] = {}
        self._usage: Usage | None = None
        self._opaque: list[Opaque] = []

    def feed(self, events: Iterable[Event]) -> None:
        """Takes the next events of the stream."""
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:  # noqa: C901 - one flat arm per event of a closed union
        match event:
            case Text():
                choice = self._choice(event.choice)
                choice.add(TextPart, event.text)
                if event.logprobs is not None:
                    choice.logprobs.append(event.logprobs)
            case Reasoning():
                choice = self._choice(event.choice)
                choice.add(ReasoningPart, event.text, signed=event.signature is not None)
                if event.signature is not None:
                    choice.sign(event.signature)
            case ToolStart():
                self._choice(event.choice).start_call(event)
            case ToolArguments():
                self._choice(event.choice).calls[event.index][2].append(event.text)
            case ToolEnd():
                self._choice(event.choice).end_call(event.index)
            case Refusal():
                self._choice(event.choice).add(RefusalPart, event.text)
            case Annotation():
                self._choice(event.choice).annotations.append(event.value)
            case Finish():
                self._choice(event.choice).finish = event
            case Usage():
                self._usage = event
            case Start():
                self._start = event
            case Opaque():
                self._opaque.append(event)
            case _:
                assert_never(event)

    def _choice(self, index: int) -> _ChoiceBuilder:
        if index in self._choices:
            return self._choices[index]
        builder = self._choices[index] = _ChoiceBuilder(index)
        return builder

    def response(self) -> Response:
        """The whole answer.

        Raises:
            RixinError: `UPSTREAM_INTERRUPTED` when no answer began, or when one has no finish.
        """
        if self._start is None or not self._choices:
            raise RixinError(Kind.UPSTREAM_INTERRUPTED, "The model gave no answer.")
        return Response(
            id=self._start.id,
            created=self._start.created,
            model=self._start.model,
            choices=tuple([self._choices[index].build() for index in sorted(self._choices)]),
            usage=self._usage,
            opaque=tuple(self._opaque),
        )


def collect(events: Iterable[Event]) -> Response:
    """The answer that a whole stream of events amounts to."""
    collector = Collector()
    collector.feed(events)
    return collector.response()
