"""An upstream's JSON objects, chunks of a stream or a whole answer, to events.

What none of the rules explains (unknown fields of a delta or of a chunk) becomes an `Opaque` event; it is not dropped.

Sources: SenseNova token platform guide, sections 4.3 and 8; the chat chunks of OpenAI, DeepSeek, Kimi, OpenRouter, vLLM
and llama.cpp.
"""

from rixin.core.events import Event, Finish, Start, Text
from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import Opaque
from rixin.dialects.openai_chat.calls import CallAssembler, read_fragment
from rixin.dialects.openai_chat.delta import read_delta
from rixin.dialects.openai_chat.finish import read_finish_reason
from rixin.dialects.openai_chat.runs import RunReader
from rixin.dialects.openai_chat.usage import UsageReader
from rixin.dialects.openai_chat.wire import NAME
from rixin.dialects.openai_chat.words import words_of
from rixin.dialects.upstream_errors import body_error

_KNOWN = frozenset({
    "id", "request_id", "object", "created", "model", "choices", "usage", "error", "base_resp", "system_fingerprint",
    "service_tier", "provider", "timings", "prompt_filter_results", "prompt_logprobs", "prompt_token_ids", "x_groq",
    "kv_transfer_params", "obfuscation", "nvext", "prompt_progress", "__verbose", "input_sensitive", "output_sensitive",
    "input_sensitive_type", "output_sensitive_type", "output_sensitive_int",
})  # fmt: skip
"""Fields of a chunk that are read, or that tell of the upstream's machinery and not of the answer."""


_CALLS = frozenset({"tool_calls", "function_call"})


class _Choice:
    """One choice under way."""

    def __init__(self, index: int, seed: str) -> None:
        self.index = index
        self.calls = CallAssembler(index, seed)
        self.called = False
        self.spoke = False
        self.finished = False


class ChunkReader:
    """Turns JSON objects into events.

    Args:
        whole: There will be one object only, an answer that is complete.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._whole = whole
        self._started = False
        self._id = ""
        self._created = 0
        self._model = ""
        self._choices: dict[int, _Choice] = {}
        self._usage = UsageReader()
        self._opaque: dict[str, JsonValue] = {}
        self._runs = RunReader()

    @property
    def complete(self) -> bool:
        """Whether a choice began, and each one that did has its finish."""
        return bool(self._choices) and all(choice.finished for choice in self._choices.values())

    def feed(self, chunk: JsonObject, /) -> list[Event]:
        """The events of an object.

        Raises:
            RixinError: The object is an error, or cannot be part of an answer.
        """
        choices = chunk.get("choices")
        if (not choices or chunk.get("error") or chunk.get("base_resp")) and (error := body_error(chunk)) is not None:
            raise error
        if not self._started:
            self._identify(chunk)
        events: list[Event] = []
        if isinstance(choices, list):
            for position, value in enumerate(choices):
                if isinstance(value, dict):
                    events += self._choice(value, position)
        events += self._use(chunk.get("usage"))
        if not chunk.keys() <= _KNOWN:
            events += self._unknown(chunk)
        if events and not self._started:
            self._started = True
            events.insert(0, Start(id=self._id, created=self._created, model=self._model))
        return events

    def glance(self, chunk: str) -> list[Event] | None:
        """The events of an object that holds nothing but words of a choice which has begun; None for any other."""
        found = words_of(chunk) if self._choices else None
        if found is None:
            return None
        index, words = found
        choice = self._choices.get(index)
        if choice is None or choice.called or not self._started:
            return None
        choice.spoke = True
        self._runs.learn(index, chunk)
        return [Text(text=words, choice=index)]

    def skim(self, data: bytes) -> tuple[list[Event], bytes]:
        """The words of the chunks that these bytes of a stream begin with, where they are alike; and the bytes after
        them. The bytes begin where an event does.
        """
        known = self._runs.choice
        return ([], data) if known is None or self._choices[known].called else self._runs.read(data)

    def end(self) -> list[Event]:
        """The events that the end of the answer completes: calls that came after their choice's finish."""
        return [event for choice in self._choices.values() for event in choice.calls.end_all()]

    def _identify(self, chunk: JsonObject) -> None:
        identity, created, model = chunk.get("id"), chunk.get("created"), chunk.get("model")
        self._id = self._id or (identity if isinstance(identity, str) else "")
        self._model = self._model or (model if isinstance(model, str) else "")
        if isinstance(created, int | float):
            self._created = self._created or int(created)

    def _choice(self, value: JsonObject, position: int) -> list[Event]:
        index = value.get("index")
        if not isinstance(index, int):
            index = position
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice(index, self._id)
        delta = self._delta(choice, value)
        events = read_delta(delta, index, value.get("logprobs"))
        if events:
            choice.spoke = True
            if choice.calls:
                events[:0] = choice.calls.end_complete()
        if not delta.keys().isdisjoint(_CALLS):
            events += self._calls(choice, delta)
        word = value.get("finish_reason") or ("stop" if self._whole else None)
        if isinstance(word, str) and not choice.finished:
            events += self._finish(choice, word, value.get("stop_reason"))
        if "usage" in value:
            events += self._use(value["usage"])
        return events

    def _delta(self, choice: _Choice, value: JsonObject) -> JsonObject:
        """The delta; a whole answer's message, also where a stream holds one instead of deltas; or a text."""
        delta = value.get("delta")
        if not isinstance(delta, dict) and (self._whole or not choice.spoke):
            delta = value.get("message")
        if isinstance(delta, dict):
            return delta
        return {"text": value["text"]} if "text" in value else {}

    def _calls(self, choice: _Choice, delta: JsonObject) -> list[Event]:
        events: list[Event] = []
        calls = delta.get("tool_calls")
        if isinstance(calls, list):
            for call in calls:
                events += choice.calls.take(read_fragment(call), whole=self._whole)
        legacy = delta.get("function_call")
        if isinstance(legacy, dict):
            events += choice.calls.take(read_fragment(legacy), whole=self._whole)
        choice.spoke = choice.spoke or bool(events)
        choice.called = bool(choice.calls)
        return events

    def _finish(self, choice: _Choice, word: str, stop: JsonValue) -> list[Event]:
        events = choice.calls.end_all()
        choice.finished = True
        reading = read_finish_reason(word, called=bool(choice.calls))
        if reading.unknown is not None:
            kind = "native_finish_reason"
            events.append(Opaque(dialect=NAME, kind=kind, value=reading.unknown, choice=choice.index))
        stop_sequence = stop if isinstance(stop, str) else None
        events.append(Finish(reason=reading.reason, choice=choice.index, stop_sequence=stop_sequence))
        return events

    def _use(self, value: JsonValue) -> list[Event]:
        usage = None if value is None else self._usage.feed(value)
        return [] if usage is None else [usage]

    def _unknown(self, chunk: JsonObject) -> list[Event]:
        """Fields of the chunk that no rule explains, when they say something new."""
        events: list[Event] = []
        for name, value in chunk.items():
            if name not in _KNOWN and value not in (None, "", [], {}) and self._opaque.get(name) != value:
                self._opaque[name] = value
                events.append(Opaque(dialect=NAME, kind=name, value=value))
        return events
