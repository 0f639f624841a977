"""Small requests, and what becomes of them, which the dialect's tests share."""

from typing import Any

import msgspec

from rixin.core.requests import Generate
from rixin.dialects.anthropic import DIALECT
from rixin.dialects.base import Call
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.profiles.profile import Profile
from rixin.profiles.sanitizers import sanitize
from tests.dialects.support import card_of

TOOL: dict[str, Any] = {"name": "f", "description": "Does f.", "input_schema": {"type": "object", "properties": {}}}


def ask(headers: dict[str, str] | None = None, /, **fields: Any) -> Generate:
    """Parses a body, made of a small conversation and the fields given; `headers` are the call's."""
    body = {"model": "up-model", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return parse(msgspec.json.encode(body), headers)


def parse(body: bytes, headers: dict[str, str] | None = None, path: str = "/v1/messages") -> Generate:
    """Parses a body by the route of its path."""
    route = next(route for route in DIALECT.routes if path in route.paths)
    request = route.parse(Call(headers=headers or {}, body=body), card_of)
    assert isinstance(request, Generate)
    return request


def user(*blocks: Any) -> dict[str, Any]:
    """A user's message."""
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    """An assistant's message."""
    return {"role": "assistant", "content": list(blocks)}


def text(words: str) -> dict[str, Any]:
    """A block of text."""
    return {"type": "text", "text": words}


def tool_use(call_id: str, name: str = "f", **arguments: Any) -> dict[str, Any]:
    """A block that calls a tool."""
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def tool_result(call_id: str, content: Any = "", **fields: Any) -> dict[str, Any]:
    """A block that answers a call."""
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **fields}


def roles(request: Generate) -> list[str]:
    """The roles of a request's messages."""
    return [message.role for message in request.messages]


def chat_messages(request: Generate, **profile: Any) -> list[Any]:
    """The messages that a Chat upstream would be sent."""
    assert CHAT.upstream is not None
    messages = sanitize(CHAT.upstream.build_body(request), Profile(**profile)).body["messages"]
    assert isinstance(messages, list)
    return messages
