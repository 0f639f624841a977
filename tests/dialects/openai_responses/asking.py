"""Requests, answers and streams of this dialect, which its tests share."""

import itertools
import json
from typing import Any

import msgspec

from rixin.core.events import Event
from rixin.core.requests import Generate
from rixin.dialects.base import Call, Stamp
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.dialects.openai_responses import DIALECT
from rixin.dialects.sse import SSEDecoder
from tests.dialects.support import card_of

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}}


def fresh_stamp() -> Stamp:
    """An identity whose ids count up, each prefix for itself."""
    counts: dict[str, itertools.count[int]] = {}

    def new_id(prefix: str) -> str:
        return f"{prefix}{next(counts.setdefault(prefix, itertools.count(1)))}"

    return Stamp(
        request_id="0190a7d2-5f3c-7b1e-9c00-2b6f8e4d1a77", created=1776952631, new_id=new_id, now=lambda: 1776952640
    )


def parse(body: bytes, headers: dict[str, str] | None = None) -> Generate:
    """Parses a body."""
    request = DIALECT.routes[0].parse(Call(headers=headers or {}, body=body), card_of)
    assert isinstance(request, Generate)
    return request


def ask(headers: dict[str, str] | None = None, /, **fields: Any) -> Generate:
    """Parses a body made of a small input and the fields given."""
    return parse(msgspec.json.encode({"model": "up-model", "input": "Hi", **fields}), headers)


def function(name: str, **fields: Any) -> dict[str, Any]:
    """A function on offer."""
    return {"type": "function", "name": name, "parameters": SCHEMA, **fields}


def call(name: str, call_id: str, **fields: Any) -> dict[str, Any]:
    """A replayed call."""
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}", **fields}


def output(call_id: str, value: Any = "done") -> dict[str, Any]:
    """What a call gave."""
    return {"type": "function_call_output", "call_id": call_id, "output": value}


def chat_of(request: Generate) -> Any:
    """What a Chat upstream would be sent."""
    assert CHAT.upstream is not None
    return CHAT.upstream.build_body(request)


def write(request: Generate, events: list[Event]) -> bytes:
    """The whole stream of an answer."""
    writer = DIALECT.writer(request, fresh_stamp())
    return writer.feed(events) + writer.close()


def told(stream: bytes) -> list[dict[str, Any]]:
    """The events of a stream; each one's SSE type is its own, and only the last may be `[DONE]`."""
    events: list[dict[str, Any]] = []
    received = SSEDecoder().feed(stream)
    for position, event in enumerate(received):
        if event.data == "[DONE]":
            assert position == len(received) - 1
            continue
        value = json.loads(event.data)
        assert event.event == value["type"]
        assert value["sequence_number"] == position
        events.append(value)
    return events


def kinds(stream: bytes) -> list[str]:
    """The types of a stream's events."""
    return [event["type"] for event in told(stream)]


def items_of(stream: bytes) -> list[dict[str, Any]]:
    """The items that a stream made final, in order."""
    return [event["item"] for event in told(stream) if event["type"] == "response.output_item.done"]


def answer(request: Generate, events: list[Event]) -> list[dict[str, Any]]:
    """The items with which a request is answered."""
    return items_of(write(request, events))
