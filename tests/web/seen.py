"""What a client sees of an upstream that answers everything in one way, through the whole server."""

import json
from pathlib import Path
from typing import Any

from msgspec import Struct

from rixin.store.usage_row import UsageRow
from tests.support.clients import CHAT, MESSAGES, RESPONSES
from tests.support.healing import healing_site
from tests.upstreams.scripted import DONE, Reply, Request, completion_chunk, stream
from tests.upstreams.strict import StrictUpstream

Body = dict[str, Any]
READ: Body = {"type": "object", "properties": {"path": {"type": "string"}}}
ASKED: dict[str, Body] = {
    CHAT: {
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "read", "parameters": READ}}],
    },
    MESSAGES: {
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 99,
        "tools": [{"name": "read", "input_schema": READ}],
    },
    RESPONSES: {"input": "Hi", "tools": [{"type": "function", "name": "read", "parameters": READ}]},
}


class Scripted(StrictUpstream):
    """An upstream that answers everything in one way."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self._scripted = reply

    def _reply(self, request: Request) -> Reply:
        return super()._reply(request) if request.method == "GET" else self._scripted


class Seen(Struct):
    """What a client saw."""

    status: int
    text: str
    """The body."""
    row: UsageRow
    """What the request log has of it."""

    @property
    def events(self) -> list[Body]:
        """The stream's events."""
        lines = [line.removeprefix("data: ") for line in self.text.splitlines() if line.startswith("data: ")]
        return [json.loads(line) for line in lines if line != "[DONE]"]

    def of(self, kind: str) -> list[Body]:
        """The events of one type."""
        return [event for event in self.events if event["type"] == kind]

    @property
    def said(self) -> str:
        """All text."""
        return "".join(event["delta"] for event in self.of("response.output_text.delta"))

    @property
    def thought(self) -> str:
        """All thoughts, as their items have them at their end."""
        items = [event["item"] for event in self.of("response.output_item.done")]
        parts = [
            part for item in items if item["type"] == "reasoning" for part in item.get("content") or item["summary"]
        ]
        return "".join(part["text"] for part in parts)

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Names and arguments of the calls that are done."""
        items = [event["item"] for event in self.of("response.output_item.done")]
        return [(item["name"], item["arguments"]) for item in items if item["type"] == "function_call"]

    @property
    def end(self) -> Body:
        """The last event."""
        return self.events[-1]


async def see(folder: Path, reply: Reply, path: str = RESPONSES, **fields: Any) -> Seen:
    """Asks for a stream of an upstream that gives `reply`, once."""
    settings: Body = {"retries": 0, "first_byte_timeout": 5.0, "idle_timeout": 5.0}
    async with healing_site(folder, Scripted(reply), models=["m"], controls=False, **settings) as healing:
        body = {"model": "m", "stream": True, **ASKED[path], **fields}
        headers = {"authorization": f"Bearer {healing.site.key}"}
        async with healing.site.client.post(healing.site.url + path, json=body, headers=headers) as response:
            status, text = response.status, await response.text()
        await healing.site.ledger.flush()
        [row] = await healing.site.ledger.recent()
    return Seen(status, text, row)


def chunks(*deltas: Body, finish: str | None = "stop", done: bool = True) -> Reply:
    """A stream of these deltas, and its end."""
    events = [completion_chunk(delta) for delta in deltas]
    return stream([*events, *([completion_chunk({}, finish)] if finish else []), *([DONE] if done else [])])


def calling(*calls: Body) -> Body:
    """A delta with parts of calls."""
    return {"tool_calls": list(calls)}


def part(name: str | None = None, arguments: Any = None, **fields: Any) -> Body:
    """A part of a call."""
    function = {"name": name, "arguments": arguments}
    return {**fields, "function": {key: value for key, value in function.items() if value is not None}}
