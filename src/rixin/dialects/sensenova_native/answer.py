"""An upstream's JSON objects, chunks of a stream or a whole answer, to events.

What none of the rules explains (`plugins`, `knowledge_base_results`) becomes an `Opaque` event; it is not dropped.

Sources: SenseNova V6 API documentation, section on image-text chat; the platform's Python SDK.
"""

from rixin.core.events import Event, Finish, Reasoning, Start, Text
from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import Opaque
from rixin.dialects.openai_chat.finish import read_finish_reason
from rixin.dialects.openai_chat.usage import UsageReader
from rixin.dialects.sensenova_native.wire import NAME
from rixin.dialects.upstream_errors import body_error
from rixin.errors import Kind, RixinError

_DATA = frozenset({"id", "choices", "usage", "model", "created"})
_WORDS = ("delta", "message", "text")
"""Where words stand: in a stream, in a whole answer, in a whole continuation of a prompt."""
_CHOICE = frozenset({*_WORDS, "index", "role", "finish_reason", "reasoning_content"})
"""Fields that are read, or tell nothing more."""


class AnswerReader:
    """Turns JSON objects into events.

    Args:
        whole: There will be one object only, an answer that is complete.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._whole = whole
        self._started = False
        self._finished: dict[int, bool] = {}
        self._usage = UsageReader()
        self._beside: dict[str, JsonValue] = {}

    @property
    def complete(self) -> bool:
        """Whether a choice began, and each one that did has its finish."""
        return bool(self._finished) and all(self._finished.values())

    def feed(self, value: JsonObject, /) -> list[Event]:
        """The events of an object: words first, and then the count that covers them.

        Raises:
            RixinError: The object is an error, or cannot be part of an answer.
        """
        if (error := body_error(_errors(value))) is not None:
            raise error
        data = value.get("data")
        if not isinstance(data, dict):
            message = "The upstream sent something that is not an answer."
            raise RixinError(Kind.UPSTREAM_INVALID, message, detail="an object without data")
        events: list[Event] = []
        if not self._started:
            self._started = True
            identity, model = data.get("id"), data.get("model")
            events.append(Start(id=_text(identity), created=0, model=_text(model)))
        choices = data.get("choices")
        finishes: list[Event] = []
        for position, choice in enumerate(choices if isinstance(choices, list) else ()):
            if isinstance(choice, dict):
                events += self._choice(choice, position, finishes)
        if (usage := self._usage.feed(data.get("usage"))) is not None:
            events.append(usage)
        for name, beside in data.items():
            if name not in _DATA and beside not in (None, "", [], {}) and self._beside.get(name) != beside:
                self._beside[name] = beside
                events.append(Opaque(dialect=NAME, kind=name, value=beside))
        return events + finishes

    def end(self) -> list[Event]:
        """Nothing is left open at the end of an answer."""
        return []

    def _choice(self, value: JsonObject, position: int, finishes: list[Event]) -> list[Event]:
        index = value.get("index")
        if not isinstance(index, int):
            index = position
        self._finished.setdefault(index, False)
        events: list[Event] = []
        if thought := _text(value.get("reasoning_content")):
            events.append(Reasoning(text=thought, choice=index))
        if words := next((_text(value[name]) for name in _WORDS if name in value), ""):
            events.append(Text(text=words, choice=index))
        events += [
            Opaque(dialect=NAME, kind=name, value=told, choice=index)
            for name, told in value.items()
            if name not in _CHOICE and told not in (None, "", [], {})
        ]
        word = value.get("finish_reason") or ("stop" if self._whole else None)
        if isinstance(word, str) and not self._finished[index]:
            self._finished[index] = True
            reading = read_finish_reason(word, called=False)
            if reading.unknown is not None:
                events.append(Opaque(dialect=NAME, kind="native_finish_reason", value=reading.unknown, choice=index))
            finishes.append(Finish(reason=reading.reason, choice=index))
        return events


def _errors(value: JsonObject) -> JsonObject:
    """The object, or its status where that tells of an error: `{"status": {"code": 18, "message": "..."}}`."""
    status = value.get("status")
    failed = isinstance(status, dict) and status.get("code") not in (None, 0, "0")
    return {"error": status} if failed and not value.get("error") else value


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
