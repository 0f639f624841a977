"""Streams, rendered for a client: Anthropic's events.

Source: Anthropic's reference of streaming. One block of content is open at a time, and their indices leave no gap: what
comes while a tool call is open and is not of it waits until the call has ended.
"""

from collections import deque
from typing import Literal, assert_never

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
from rixin.core.messages import Opaque
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.dialects.anthropic.citations import is_citation
from rixin.dialects.anthropic.errors import encode_error
from rixin.dialects.anthropic.finish import render_stop_reason
from rixin.dialects.anthropic.usage import render_usage
from rixin.dialects.anthropic.wire import NAME
from rixin.dialects.base import Stamp
from rixin.errors import Kind, RixinError

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_encode = msgspec.json.Encoder().encode

_BLOCKS: dict[str, JsonObject] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}


class _Waiting(Struct):
    """What waits for its turn: a tool call as far as it has come, or other events."""

    call: ToolStart | None = None
    pieces: list[str] = []
    ended: bool = False
    events: list[Event] = []


class MessagesWriter:
    """Writes the events of one answer; of several choices a client of this dialect sees the first."""

    def __init__(self, request: Generate, stamp: Stamp) -> None:
        self._request = request
        self._stamp = stamp
        self._started = False
        self._over = False
        self._index = -1
        self._open: Literal["text", "thinking", "call"] | None = None
        self._call: ToolStart | None = None
        self._waiting: deque[_Waiting] = deque()
        self._waiting_calls: dict[int, _Waiting] = {}
        self._called = False
        self._refused = False
        self._completion = 0
        self._usage: Usage | None = None
        self._usage_beside: JsonObject = {}
        self._stop_reason: str | None = None
        self._beside: JsonObject = {}
        self._beside_delta: JsonObject = {}
        self._finish: Finish | None = None

    def feed(self, events: list[Event]) -> bytes:
        """The bytes of these events, in one piece. The first begin with `message_start`."""
        if self._over:
            return b""
        if self._started:
            return b"".join([self._take(event) for event in events])
        first = next((event for event in events if not isinstance(event, Start)), None)
        if first is None:
            return b""
        return self._message_start(first) + b"".join([self._take(event) for event in events])

    def fail(self, error: RixinError) -> bytes:
        """The event `error`, and nothing after it: no block is closed, and no message."""
        self._over = True
        return b"event: error\ndata: %s\n\n" % encode_error(error, self._stamp)

    def close(self) -> bytes:
        """`message_delta` with the reason for the end and the usage, and `message_stop`."""
        if self._over:
            return b""
        if self._finish is None:
            return self.fail(
                RixinError(Kind.UPSTREAM_INTERRUPTED, "The model's answer broke off before it was complete.")
            )
        self._over = True
        finish = self._finish
        reason = render_stop_reason(
            finish.reason,
            stop_sequence=finish.stop_sequence,
            called=self._called,
            refused=self._refused,
            native=self._stop_reason,
        )
        usage = self._usage or Usage(prompt=estimate_prompt(self._request), completion=self._completion)
        body: JsonObject = {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": finish.stop_sequence, **self._beside},
            "usage": render_usage(usage, self._usage_beside),
        }
        return _frame({**body, **self._beside_delta}) + STOP

    def keep_alive(self) -> bytes:
        """A `ping`."""
        return PING

    def _message_start(self, first: Event) -> bytes:
        """The first event. Its usage is what the upstream told at once, else an estimate that the end corrects."""
        self._started = True
        usage = first if isinstance(first, Usage) else Usage(prompt=estimate_prompt(self._request))
        message: JsonObject = {
            "id": self._stamp.new_id("msg_"),
            "type": "message",
            "role": "assistant",
            "model": self._request.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": render_usage(usage, {}),
        }
        return _frame({"type": "message_start", "message": message})

    def _take(self, event: Event) -> bytes:
        match event:
            case Start():
                return b""
            case Usage():
                self._usage = event
                return b""
            case Opaque() if event.dialect != NAME or event.choice or not self._is_content(event):
                return b""
            case Finish():
                return self._end(event) if event.choice == 0 else b""
            case _ if event.choice:
                return b""
            case _ if self._open == "call" and not self._is_of_call(event):
                self._wait(event)
                return b""
            case _:
                return self._write(event)

    def _is_content(self, event: Opaque) -> bool:
        """Whether something of this dialect is a block; what is not is kept for the message's end."""
        match event:
            case Opaque(kind="content_block"):
                return True
            case Opaque(kind="usage", value=dict(beside)):
                self._usage_beside = beside
            case Opaque(kind="stop_reason", value=str(word)):
                self._stop_reason = word
            case Opaque(kind="context_management"):
                self._beside_delta[event.kind] = event.value
            case _:
                self._beside[event.kind] = event.value
        return False

    def _is_of_call(self, event: Event) -> bool:
        call = self._call
        return call is not None and isinstance(event, ToolArguments | ToolEnd) and event.index == call.index

    def _wait(self, event: Event) -> None:
        match event:
            case ToolStart():
                waiting = self._waiting_calls[event.index] = _Waiting(call=event)
                self._waiting.append(waiting)
            case ToolArguments():
                self._waiting_calls[event.index].pieces.append(event.text)
            case ToolEnd():
                self._waiting_calls[event.index].ended = True
            case _:
                if not self._waiting or self._waiting[-1].call is not None:
                    self._waiting.append(_Waiting())
                self._waiting[-1].events.append(event)

    def _next(self) -> bytes:
        """What waited, up to a call that has not ended."""
        written: list[bytes] = []
        while self._waiting and self._open != "call":
            waiting = self._waiting.popleft()
            written += [self._write(event) for event in waiting.events]
            if (call := waiting.call) is not None:
                written.append(self._start_call(call))
                written.append(self._arguments("".join(waiting.pieces)))
                if waiting.ended:
                    written.append(self._end_call())
        return b"".join(written)

    def _end(self, finish: Finish) -> bytes:
        """Closes every block: the finish has come."""
        self._finish = finish
        written = self._end_call() if self._open == "call" else b""
        for waiting in self._waiting:
            waiting.ended = True
        return written + self._next() + self._close_block()

    def _write(self, event: Event) -> bytes:
        match event:
            case Text():
                return self._text(event.text)
            case Refusal():
                self._refused = True
                return self._text(event.text)
            case Reasoning():
                return self._reasoning(event)
            case Annotation():
                return self._citation(event.value)
            case ToolStart():
                return self._start_call(event)
            case ToolArguments():
                return self._arguments(event.text)
            case ToolEnd():
                return self._end_call() + self._next()
            case Opaque():
                return self._block(event.value)
            case Start() | Usage() | Finish():
                return b""
            case _:
                assert_never(event)

    def _text(self, text: str) -> bytes:
        if not text:
            return b""
        self._completion += estimate_text(text)
        return self._turn_to("text") + self._delta(b'{"type":"text_delta","text":%s}', text)

    def _reasoning(self, event: Reasoning) -> bytes:
        written = b""
        if event.text:
            self._completion += estimate_text(event.text)
            written = self._turn_to("thinking") + self._delta(b'{"type":"thinking_delta","thinking":%s}', event.text)
        if event.signature is not None:
            written += self._turn_to("thinking")
            written += self._delta(b'{"type":"signature_delta","signature":%s}', event.signature) + self._close_block()
        return written

    def _citation(self, value: JsonValue) -> bytes:
        """A citation in this dialect's form; those of others cannot be said."""
        if not is_citation(value):
            return b""
        return self._turn_to("text") + self._delta(b'{"type":"citations_delta","citation":%s}', value)

    def _start_call(self, call: ToolStart) -> bytes:
        self._called = True
        started = self._start_block({"type": "tool_use", "id": call.id, "name": call.name, "input": {}}, "call")
        self._call = call
        return started + (self._json('{"input":"') if call.kind == "custom" else b"")

    def _arguments(self, text: str) -> bytes:
        """More of the open call's arguments; the words of a custom tool become the one field of an object."""
        if not text:
            return b""
        self._completion += estimate_text(text)
        custom = self._call is not None and self._call.kind == "custom"
        return self._json(_encode(text)[1:-1].decode() if custom else text)

    def _end_call(self) -> bytes:
        tail = self._json('"}') if self._call is not None and self._call.kind == "custom" else b""
        return tail + self._close_block()

    def _json(self, text: str) -> bytes:
        return self._delta(b'{"type":"input_json_delta","partial_json":%s}', text)

    def _block(self, value: JsonValue) -> bytes:
        """A whole block that only this dialect knows."""
        match value:
            case {"content_block": dict(block)}:
                return self._start_block(block, None) + self._stop_block()
            case _:
                return b""

    def _turn_to(self, kind: Literal["text", "thinking"]) -> bytes:
        """Opens a block of text or thought, unless it is open."""
        return b"" if self._open == kind else self._start_block(_BLOCKS[kind], kind)

    def _start_block(self, block: JsonObject, kind: Literal["text", "thinking", "call"] | None) -> bytes:
        closed = self._close_block()
        self._index += 1
        self._open = kind
        return closed + _frame({"type": "content_block_start", "index": self._index, "content_block": block})

    def _close_block(self) -> bytes:
        if self._open is None:
            return b""
        self._open = self._call = None
        return self._stop_block()

    def _stop_block(self) -> bytes:
        return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % self._index

    def _delta(self, form: bytes, value: JsonValue) -> bytes:
        head = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":' % self._index
        return b"%s%s}\n\n" % (head, form % _encode(value))


def _frame(body: JsonObject) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (str(body["type"]).encode(), _encode(body))
