"""Small requests, which the dialect's tests share."""

from typing import Any

import msgspec

from rixin.core.requests import Count, Generate
from rixin.dialects.base import Call
from rixin.dialects.gemini import DIALECT
from tests.dialects.support import card_of

TOOL: dict[str, Any] = {"name": "f", "description": "Does f.", "parameters": {"type": "OBJECT", "properties": {}}}


def ask(model: str = "up-model", /, action: str = "generateContent", alt: str = "sse", **fields: Any) -> Generate:
    """Parses a body, made of a small conversation and the fields given, by the route of an action."""
    body = {"contents": [user(text("Hi"))], **fields}
    request = parse(msgspec.json.encode(body), action, model, alt)
    assert isinstance(request, Generate)
    return request


def parse(body: bytes, action: str, model: str = "up-model", alt: str = "sse") -> Generate | Count:
    """Parses a body by the route of an action."""
    route = next(route for route in DIALECT.routes if route.paths[0].endswith(f":{action}"))
    request = route.parse(Call(path_params={"model": model}, query={"alt": alt}, body=body), card_of)
    assert isinstance(request, Generate | Count)
    return request


def stream(alt: str = "sse", *, thoughts: bool = True) -> Generate:
    """A request for a stream, as events or as an array, with thoughts or without."""
    config = {"thinkingConfig": {"includeThoughts": thoughts}}
    return ask(action="streamGenerateContent", alt=alt, generationConfig=config)


def user(*parts: Any) -> dict[str, Any]:
    """A user's content."""
    return {"role": "user", "parts": list(parts)}


def model(*parts: Any) -> dict[str, Any]:
    """A model's content."""
    return {"role": "model", "parts": list(parts)}


def text(words: str) -> dict[str, Any]:
    """A part of text."""
    return {"text": words}


def call(name: str = "f", identity: str | None = None, **args: Any) -> dict[str, Any]:
    """A part that calls a function."""
    given = {} if identity is None else {"id": identity}
    return {"functionCall": {**given, "name": name, "args": args}}


def result(name: str = "f", identity: str | None = None, **response: Any) -> dict[str, Any]:
    """A part that answers a call."""
    given = {} if identity is None else {"id": identity}
    return {"functionResponse": {**given, "name": name, "response": response}}
