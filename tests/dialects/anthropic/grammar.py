"""The grammar of Anthropic's streams, as its reference has it."""

import json
from typing import Any

DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
}
STARTS: dict[str, dict[str, Any]] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}


def frames(stream: bytes) -> list[dict[str, Any]]:
    """The events of a stream; each has its name twice."""
    events: list[dict[str, Any]] = []
    for frame in stream.decode().removesuffix("\n\n").split("\n\n"):
        name, _, data = frame.partition("\n")
        event: dict[str, Any] = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def check_grammar(stream: bytes) -> None:
    """Fails where a whole stream is none."""
    events = [event for event in frames(stream) if event["type"] != "ping"]
    assert [event["type"] for event in (events[0], *events[-2:])] == ["message_start", "message_delta", "message_stop"]
    assert events[0]["message"]["usage"]["input_tokens"] >= 0
    assert events[-2]["usage"]["output_tokens"] >= 0
    opened: dict[str, Any] = {}
    index, sealed = -1, False
    for event in events[1:-2]:
        match event["type"]:
            case "content_block_start":
                assert not opened
                opened, sealed, index = event["content_block"], False, index + 1
                assert opened["type"] != "tool_use" or opened["input"] == {}
                assert opened == STARTS.get(opened["type"], opened)
            case "content_block_delta":
                assert event["delta"]["type"] in DELTAS[opened["type"]]
                assert not sealed
                sealed = event["delta"]["type"] == "signature_delta"
            case _:
                assert event["type"] == "content_block_stop"
                assert opened
                opened = {}
        assert event["index"] == index
    assert not opened
