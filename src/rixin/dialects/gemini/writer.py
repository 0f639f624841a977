"""Streams, rendered for a client: chunks, each of which looks like a whole answer and holds what is new.

Sources: Google's Gemini API reference; its SDKs for JavaScript and Python, whose readers know less than an event stream
may hold. They take a comment for data, so blank space keeps a silent stream alive. They end an event's line at U+2028
too. They raise an error that stands in the stream as bare JSON, which is how Google sends it, and pass over one that
comes as an event.
"""

from typing import assert_never

import msgspec
from msgspec import Struct

from rixin.core.estimate import estimate_prompt, estimate_text
from rixin.core.events import (
    Annotation,
    Event,
    Finish,
    Reasoning,
    Refusal,
    Start,
    Text,
    ToolArguments,
    ToolEnd,
    ToolStart,
)
from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import Opaque, ToolCall
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.dialects.base import Stamp
from rixin.dialects.gemini.errors import encode_error
from rixin.dialects.gemini.finish import render_finish_reason
from rixin.dialects.gemini.parts import call_part, candidate, identity, text_part, thought_part
from rixin.dialects.gemini.usage import render_usage
from rixin.dialects.gemini.wire import EVENTS, THOUGHTS
from rixin.errors import Kind, RixinError

KEEP_ALIVE = b"\n"

_encode = msgspec.json.Encoder().encode


class _Candidate(Struct):
    """One answer under way."""

    index: int
    signature: str | None = None
    """What proves the last thought, until the part comes that carries it."""
    calls: dict[int, tuple[ToolStart, list[str]]] = {}
    refused: bool = False
    finish: Finish | None = None

    def take_signature(self) -> str | None:
        signature, self.signature = self.signature, None
        return signature


class ChunkWriter:
    """Writes the chunks of an answer: an event stream, or one JSON array, as the request wants it.

    A call is told when it is complete: its arguments are an object on this wire.
    """

    def __init__(self, request: Generate, stamp: Stamp) -> None:
        self._request = request
        self._identity = identity(request, stamp)
        self._shown = THOUGHTS in request.form
        self._events = EVENTS in request.form
        self._candidates: dict[int, _Candidate] = {}
        self._usage: Usage | None = None
        self._completion = 0
        self._begun = False
        self._over = False

    @property
    def content_type(self) -> str:
        """What kind of stream it is."""
        return "text/event-stream; charset=utf-8" if self._events else "application/json"

    def feed(self, events: list[Event]) -> bytes:
        """The chunks of these events, in one piece."""
        return b"" if self._over else b"".join([self._take(event) for event in events])

    def fail(self, error: RixinError) -> bytes:
        """The error, bare, and nothing after it; no candidate has its finish reason."""
        self._over = True
        if self._events:
            return encode_error(error) + b"\n\n"
        return self._place() + encode_error(error) + b"]"

    def close(self) -> bytes:
        """The last chunk, with the finish reason of each candidate and the usage."""
        if self._over:
            return b""
        ended = [(one, one.finish) for _, one in sorted(self._candidates.items()) if one.finish is not None]
        if not ended or len(ended) < len(self._candidates):
            return self.fail(
                RixinError(Kind.UPSTREAM_INTERRUPTED, "The model's answer broke off before it was complete.")
            )
        finishes: list[JsonValue] = [_last(one, finish) for one, finish in ended]
        usage = self._usage or Usage(prompt=estimate_prompt(self._request), completion=self._completion)
        last = self._frame({"candidates": finishes, "usageMetadata": render_usage(usage), **self._identity})
        self._over = True
        return last if self._events else last + b"]"

    def keep_alive(self) -> bytes:
        """Blank space."""
        return KEEP_ALIVE

    def _take(self, event: Event) -> bytes:
        match event:
            case Text():
                return self._text(self._of(event.choice), event.text)
            case Refusal():
                one = self._of(event.choice)
                one.refused = True
                return self._text(one, event.text)
            case Reasoning():
                return self._reasoning(self._of(event.choice), event)
            case ToolStart():
                self._of(event.choice).calls[event.index] = (event, [])
            case ToolArguments():
                self._of(event.choice).calls[event.index][1].append(event.text)
            case ToolEnd():
                return self._call(self._of(event.choice), event.index)
            case Finish():
                one = self._of(event.choice)
                one.finish = event
                return b"".join([self._call(one, index) for index in list(one.calls)])
            case Usage():
                self._usage = event
            case Start() | Annotation() | Opaque():
                pass
            case _:
                assert_never(event)
        return b""

    def _of(self, choice: int) -> _Candidate:
        one = self._candidates.get(choice)
        if one is None:
            one = self._candidates[choice] = _Candidate(choice)
        return one

    def _text(self, one: _Candidate, text: str) -> bytes:
        if not text:
            return b""
        self._completion += estimate_text(text)
        return self._chunk(one, text_part(text, one.take_signature()))

    def _reasoning(self, one: _Candidate, event: Reasoning) -> bytes:
        written = b""
        if one.signature is not None:  # no part came between that thought and this one
            written = self._chunk(one, text_part("", one.take_signature()))
        if event.text:
            self._completion += estimate_text(event.text)
            if self._shown:
                written += self._chunk(one, thought_part(event.text))
        one.signature = event.signature
        return written

    def _call(self, one: _Candidate, index: int) -> bytes:
        start, pieces = one.calls.pop(index)
        arguments = "".join(pieces)
        self._completion += estimate_text(arguments)
        call = ToolCall(id=start.id, name=start.name, arguments=arguments, kind=start.kind)
        return self._chunk(one, call_part(call, one.take_signature()))

    def _chunk(self, one: _Candidate, part: JsonObject) -> bytes:
        return self._frame({"candidates": [candidate(one.index, [part])], **self._identity})

    def _frame(self, chunk: JsonObject) -> bytes:
        if not self._events:
            return self._place() + _encode(chunk)
        data = _encode(chunk).replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
        return b"data: " + data + b"\n\n"

    def _place(self) -> bytes:
        """What comes before an entry of the array."""
        begun, self._begun = self._begun, True
        return b",\n" if begun else b"["


def _last(one: _Candidate, finish: Finish) -> JsonObject:
    """What is left to say of a candidate that has ended."""
    reason = render_finish_reason(finish.reason, refused=one.refused)
    return candidate(one.index, [text_part("", one.take_signature())], reason)
