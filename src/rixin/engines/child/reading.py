"""The library's chunks to events, for one attempt at one choice."""

from rixin.clock import random_text
from rixin.core.events import Event, Finish, FinishReason, Reasoning, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.tools import Tool
from rixin.engines.child.calls import Call, CallScanner
from rixin.engines.child.chunk import CallDelta, Chunk, ChunkChoice, shorten
from rixin.errors import Kind, RixinError

_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}


class Reading:
    """Reads one attempt.

    Args:
        choice: The index of the choice.
        scanner: Finds calls in the text; None hands all text on.
        tools: What may be called.
        alternatives: How many alternatives a token's log probability comes with; None where none was asked for.
    """

    def __init__(
        self,
        choice: int,
        scanner: CallScanner | None = None,
        tools: tuple[Tool, ...] = (),
        *,
        alternatives: int | None = None,
    ) -> None:
        self._choice = choice
        self._scanner = scanner
        self._customs = {tool.name for tool in tools if tool.kind == "custom"}
        self._alternatives = alternatives
        self._open: int | None = None
        """The index of the library's own call that is under way."""
        self._calls = 0
        self._reason: FinishReason | None = None
        self._stop: str | None = None
        self.progress = 0.0
        """The part of the prompt that has been read."""
        self.cached = 0
        self.completion = 0
        """Tokens of the answer."""
        self.reasoning = 0
        """Those of them that are thoughts."""

    @property
    def rejected(self) -> bool:
        """Whether the model took the wrong turn before anything was said; see `CallScanner`."""
        return self._scanner is not None and self._scanner.rejected

    @property
    def over(self) -> bool:
        """Whether the rest of the answer does not matter."""
        return self._scanner is not None and self._scanner.done

    def feed(self, chunk: Chunk) -> list[Event]:
        """The events of a chunk."""
        if chunk.prompt_progress is not None:
            self.progress, self.cached = chunk.prompt_progress.part, chunk.prompt_progress.cache
            return []
        if chunk.timings is not None:
            self.completion = max(self.completion, chunk.timings.predicted_n)
        if chunk.usage is not None:
            self.completion = chunk.usage.completion_tokens
        if chunk.verbose is not None:
            self._stop = chunk.verbose.stopping_word or None
        return [event for choice in chunk.choices for event in self._read(choice)]

    def end(self) -> list[Event]:
        """The events that the end of the attempt completes.

        Raises:
            RixinError: `INTERNAL` when the library gave no reason for the end.
        """
        events: list[Event] = []
        if self._scanner is not None:
            for found in self._scanner.finish(cut=self._reason != "stop"):
                events += self._say(found)
        events += self._end_call()
        reason = self._reason
        if self._calls and (self.over or reason == "stop"):
            reason = "tool_calls"
        if reason is None and not self.over:
            raise RixinError(Kind.INTERNAL, "The model's answer broke off.")
        return [*events, Finish(reason=reason or "stop", choice=self._choice, stop_sequence=self._stop)]

    def _read(self, choice: ChunkChoice) -> list[Event]:
        events: list[Event] = []
        delta = choice.delta
        if delta.reasoning_content:
            self.reasoning = max(self.completion, self.reasoning + 1)
            events.append(Reasoning(text=delta.reasoning_content, choice=self._choice))
        if text := delta.content or choice.text:
            events += self._text(text, choice)
        for call in delta.tool_calls:
            events += self._call(call)
        if choice.finish_reason is not None:
            self._reason = _REASONS.get(choice.finish_reason)
        return events

    def _text(self, text: str, choice: ChunkChoice) -> list[Event]:
        if self._scanner is not None:
            return [event for found in self._scanner.feed(text) for event in self._say(found)]
        logprobs = None
        if choice.logprobs is not None and self._alternatives is not None:
            logprobs = shorten(choice.logprobs, self._alternatives)
        return [*self._end_call(), Text(text=text, choice=self._choice, logprobs=logprobs)]

    def _say(self, found: str | Call) -> list[Event]:
        if isinstance(found, str):
            return [Text(text=found, choice=self._choice)]
        index, self._calls = self._calls, self._calls + 1
        kind = "custom" if found.name in self._customs else "function"
        return [
            ToolStart(index=index, id=_call_id(), name=found.name, choice=self._choice, kind=kind),
            ToolArguments(index=index, text=found.arguments, choice=self._choice),
            ToolEnd(index=index, choice=self._choice),
        ]

    def _call(self, call: CallDelta) -> list[Event]:
        """A piece of a call that the library found by the chat template's own format."""
        events: list[Event] = []
        if call.index != self._open:
            events = self._end_call()
            self._open, self._calls = call.index, self._calls + 1
            name = call.function.name or ""
            events.append(ToolStart(index=self._calls - 1, id=call.id or _call_id(), name=name, choice=self._choice))
        if call.function.arguments:
            events.append(ToolArguments(index=self._calls - 1, text=call.function.arguments, choice=self._choice))
        return events

    def _end_call(self) -> list[Event]:
        if self._open is None:
            return []
        self._open = None
        return [ToolEnd(index=self._calls - 1, choice=self._choice)]


def _call_id() -> str:
    return f"call_{random_text(18)}"
