"""Streams, rendered for a client: data-only events without a space after the colon, each with the usage so far.

Source: SenseNova V6 API documentation, section on image-text chat.
"""

from typing import assert_never

import msgspec

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
from rixin.core.json import JsonObject
from rixin.core.messages import Opaque
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.dialects.base import Stamp
from rixin.dialects.sensenova_native.errors import encode_error
from rixin.dialects.sensenova_native.finish import finish_word
from rixin.dialects.sensenova_native.usage import RunningUsage, render_usage
from rixin.dialects.sensenova_native.wire import NAME
from rixin.errors import RixinError

DONE = b"data:[DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"

_TAIL = b',"status":{"code":0,"message":"ok"}}\n\n'

_encode = msgspec.json.Encoder().encode


class ChunkWriter:
    """Writes the chunks of a chat, or of a bare prompt's continuation.

    A choice's last chunk waits for the end of the stream, where the usage that it tells is known.
    """

    def __init__(self, request: Generate, stamp: Stamp) -> None:
        self._head = b'data:{"data":{"id":' + _encode(stamp.new_id("")) + b',"choices":['
        self._request = request
        self.usage = RunningUsage(request)
        self._finishes: dict[int, FinishReason] = {}

    def feed(self, events: list[Event]) -> bytes:
        """The chunks of these events, in one piece."""
        pieces: list[bytes] = []
        for position, event in enumerate(events):
            following = events[position + 1] if position + 1 < len(events) else None
            pieces.append(self._event(event, following if isinstance(following, Usage) else None))
        return b"".join(pieces)

    def fail(self, error: RixinError) -> bytes:
        """The error and no `[DONE]`: what came before it must not be taken for whole."""
        return b"data:%s\n\n" % encode_error(error)

    def close(self) -> bytes:
        """The last chunk of each choice, and `[DONE]`."""
        last = [self.chunk(choice, {"delta": ""}, self.finish(choice)) for choice in sorted(self._finishes)]
        return b"".join(last) + DONE

    def keep_alive(self) -> bytes:
        """A comment."""
        return KEEP_ALIVE

    def finish(self, choice: int) -> str:
        """Why a choice ended, by the usage so far; empty while it goes on."""
        reason = self._finishes.get(choice)
        return "" if reason is None else finish_word(reason, self.usage.now(), self._request)

    def _event(self, event: Event, counted: Usage | None) -> bytes:
        """A chunk; `counted` is the count that came with the words, and covers them."""
        match event:
            case Text() | Refusal():
                return self._words(event, {"delta": event.text}, counted)
            case Reasoning():
                return self._words(event, {"delta": "", "reasoning_content": event.text}, counted)
            case Usage():
                self.usage.report(event)
                return b""
            case Finish():
                self._finishes[event.choice] = event.reason
                return b""
            case Opaque():
                return self._opaque(event)
            case Start() | ToolStart() | ToolArguments() | ToolEnd() | Annotation():
                return b""
            case _:
                assert_never(event)

    def _words(self, event: Text | Reasoning | Refusal, fields: JsonObject, counted: Usage | None) -> bytes:
        if not event.text:
            return b""
        if counted is None:
            self.usage.add(event)
        else:
            self.usage.report(counted)
        return self.chunk(event.choice, fields)

    def _opaque(self, event: Opaque) -> bytes:
        """What came in this dialect goes out in it; what is another dialect's has no form here."""
        if event.dialect != NAME:
            return b""
        if event.choice is None:
            return self.chunk(0, {"delta": ""}, told={event.kind: event.value})
        return self.chunk(event.choice, {"delta": "", event.kind: event.value})

    def chunk(self, choice: int, fields: JsonObject, finish: str = "", told: JsonObject | None = None) -> bytes:
        """A chunk with the usage so far.

        Args:
            choice: Of which answer.
            fields: What it tells of it, the words first.
            finish: Why the answer ended.
            told: What it tells beside the answers.
        """
        rendered = _encode({**fields, "finish_reason": finish, "index": choice, "role": "assistant"})
        rest = _encode({"usage": render_usage(self.usage.now()), **(told or {})})
        return self._head + rendered + b"]," + rest[1:] + _TAIL
