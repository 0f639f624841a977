"""An upstream's events and answers to our events, one JSON object at a time.

Gateways are forgiven what the token platform's Messages route and others leave out: signatures, pings, counts of
caches, `stop_sequence`, indices, empty deltas, `message_stop`.
"""

import re
from typing import Literal

import msgspec
from msgspec import Struct

from rixin.core.events import Annotation, Event, Finish, Reasoning, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import Opaque
from rixin.dialects.anthropic.finish import READ, read_stop_reason
from rixin.dialects.anthropic.usage import UsageReader
from rixin.dialects.anthropic.wire import NAME
from rixin.dialects.upstream_errors import body_error
from rixin.errors import Kind, RixinError

_BESIDE = ("container", "context_management", "stop_details")
"""Fields of a message, or of its `message_delta`, that ride along."""

_ID_LENGTH = 24


class _Block(Struct):
    """A block under way."""

    kind: Literal["text", "thinking", "call", "opaque"]
    index: int
    """Of the block, or of the call among the calls."""
    value: JsonObject
    pieces: list[str] = []


class MessageReader:
    """Turns the events of a stream into ours."""

    def __init__(self) -> None:
        self._started = False
        self._seed = ""
        self._blocks: dict[int, _Block] = {}
        self._last = -1
        self._calls = 0
        self._usage = UsageReader()
        self._beside: dict[str, JsonValue] = {}
        self._finished = False

    @property
    def complete(self) -> bool:
        """Whether the reason for the end has come."""
        return self._finished

    def feed(self, value: JsonObject) -> list[Event]:
        """The events of an object.

        Raises:
            RixinError: The object is an error, or cannot be part of an answer.
        """
        match value.get("type"):
            case "content_block_delta":
                return self._delta(self._index(value), _object(value.get("delta")))
            case "content_block_start":
                return self._begin(self._index(value, new=True), _object(value.get("content_block")))
            case "content_block_stop":
                return self._stop(self._index(value))
            case "message_start":
                return self._start(_object(value.get("message")))
            case "message_delta":
                return self._message_delta(value)
            case "message_stop":
                # Whoever says that the message has ended and not why means that it is whole.
                return [] if self._finished else self._finish("end_turn", None)
            case "message":
                return self._message(value)
            case str(kind) if kind != "error" and "error" not in value:
                return []  # pings, and what there may be tomorrow
            case _:
                if (error := body_error(value)) is not None:
                    raise error
                return []

    def end(self) -> list[Event]:
        """Nothing: the reason for the end is the last event."""
        return []

    def _start(self, message: JsonObject) -> list[Event]:
        if self._started:
            return []
        identity, model = message.get("id"), message.get("model")
        identity = identity if isinstance(identity, str) else ""
        self._seed = re.sub(r"[^0-9A-Za-z]", "", identity)[-_ID_LENGTH:]
        self._started = True
        start = Start(id=identity, created=0, model=model if isinstance(model, str) else "")
        return [start, *self._use(message.get("usage"))]

    def _message(self, message: JsonObject) -> list[Event]:
        """A whole answer, as the stream that it stands for."""
        content = message.get("content")
        if not isinstance(content, list):
            raise RixinError(Kind.UPSTREAM_INVALID, "The upstream sent a message without content.")
        events = self._start(message)
        for index, block in enumerate(content):
            events += [*self._begin(index, _object(block)), *self._stop(index)]
        word = message.get("stop_reason") or "end_turn"
        return events + self._message_delta({**message, "delta": {**message, "stop_reason": word}})

    def _index(self, value: JsonObject, *, new: bool = False) -> int:
        index = value.get("index")
        if isinstance(index, int):
            self._last = index
        elif new:
            self._last += 1
        return self._last

    def _begin(self, index: int, value: JsonObject) -> list[Event]:
        events = [*self._start({}), *self._stop(index)]
        match value.get("type"):
            case "text":
                self._blocks[index] = _Block("text", index, value)
                events += _text(value.get("text"))
                citations = value.get("citations")
                events += [Annotation(value=citation) for citation in citations] if isinstance(citations, list) else []
            case "thinking":
                self._blocks[index] = _Block("thinking", index, value)
                events += [*_thought(value.get("thinking")), *_signature(value.get("signature"))]
            case "tool_use":
                events.append(self._begin_call(index, value))
            case _:
                self._blocks[index] = _Block("opaque", index, value)
        return events

    def _begin_call(self, index: int, value: JsonObject) -> Event:
        name, call_id, call = value.get("name"), value.get("id"), self._calls
        if not isinstance(name, str) or not name:
            raise RixinError(Kind.UPSTREAM_INVALID, "The upstream sent a tool call without a name.")
        self._calls += 1
        self._blocks[index] = _Block("call", call, value)
        given = isinstance(call_id, str) and call_id
        return ToolStart(index=call, id=call_id if given else f"toolu_{self._seed}{call}", name=name)  # pyright: ignore[reportArgumentType] - given says that it is a text

    def _delta(self, index: int, delta: JsonObject) -> list[Event]:
        started, block = self._start({}), self._blocks.get(index)
        match delta:
            case {"text": str(text)} if delta.get("type") in ("text_delta", None):
                return started + _text(text)
            case {"type": "thinking_delta", "thinking": text}:
                return started + _thought(text)
            case {"type": "signature_delta", "signature": text}:
                return started + _signature(text)
            case {"type": "citations_delta", "citation": value}:
                return [*started, Annotation(value=value)]
            case {"type": "input_json_delta", "partial_json": str(text)} if text:
                if block is None:
                    raise RixinError(Kind.UPSTREAM_INVALID, "The upstream sent a part of a tool call that never began.")
                block.pieces.append(text)
                return [ToolArguments(index=block.index, text=text)] if block.kind == "call" else []
            case _:
                return started

    def _stop(self, index: int) -> list[Event]:
        block = self._blocks.pop(index, None)
        if block is None or block.kind in ("text", "thinking"):
            return []
        if block.kind == "opaque":
            value = {**block.value, "input": _decode("".join(block.pieces))} if block.pieces else block.value
            told: JsonObject = {"index": index, "content_block": value}
            return [Opaque(dialect=NAME, kind="content_block", value=told, choice=0)]
        if "".join(block.pieces).strip():
            return [ToolEnd(index=block.index)]
        text = _arguments(block.value.get("input"))
        return [ToolArguments(index=block.index, text=text), ToolEnd(index=block.index)]

    def _message_delta(self, value: JsonObject) -> list[Event]:
        delta = _object(value.get("delta"))
        for name in _BESIDE:
            told = delta.get(name) or value.get(name)
            if told:
                self._beside[name] = told
        word, stop_sequence = delta.get("stop_reason"), delta.get("stop_sequence")
        events = self._use(value.get("usage"))
        if isinstance(word, str) and word and not self._finished:
            events += self._finish(word, stop_sequence if isinstance(stop_sequence, str) else None)
        return events

    def _finish(self, word: str, stop_sequence: str | None) -> list[Event]:
        events = self._start({})
        for index in sorted(self._blocks):
            events += self._stop(index)
        if word not in READ:
            self._beside["stop_reason"] = word
        if self._usage.beside:
            self._beside["usage"] = self._usage.beside
        for name, told in self._beside.items():
            events.append(Opaque(dialect=NAME, kind=name, value=told, choice=0))
        self._finished = True
        reason = read_stop_reason(word, called=bool(self._calls))
        return [*events, Finish(reason=reason, stop_sequence=stop_sequence)]

    def _use(self, value: JsonValue) -> list[Event]:
        usage = self._usage.feed(value)
        return [] if usage is None else [usage]


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _text(value: JsonValue) -> list[Event]:
    return [Text(text=value)] if isinstance(value, str) and value else []


def _thought(value: JsonValue) -> list[Event]:
    return [Reasoning(text=value)] if isinstance(value, str) and value else []


def _signature(value: JsonValue) -> list[Event]:
    return [Reasoning(signature=value)] if isinstance(value, str) and value else []


def _arguments(value: JsonValue) -> str:
    """The arguments of a call whose block began with all of them."""
    return value if isinstance(value, str) and value else msgspec.json.encode(value or {}).decode()


def _decode(text: str) -> JsonValue:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
