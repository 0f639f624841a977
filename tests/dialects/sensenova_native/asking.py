"""Small requests, which the dialect's tests share."""

from typing import Any

import msgspec

from rixin.core.requests import Generate
from rixin.dialects.base import Call
from rixin.dialects.sensenova_native import DIALECT
from tests.dialects.support import card_of

CHAT = "/v1/llm/chat-completions"
COMPLETIONS = "/v1/llm/completions"


def ask(**fields: Any) -> Generate:
    """Parses a chat's body, made of a small conversation and the fields given."""
    body = {"model": "up-model", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return parse(msgspec.json.encode(body))


def ask_prompt(**fields: Any) -> Generate:
    """Parses the body of a text completion."""
    return parse(msgspec.json.encode({"model": "up-model", "prompt": "Once", **fields}), COMPLETIONS)


def parse(body: bytes, path: str = CHAT) -> Generate:
    """Parses a body by the route of its path."""
    route = next(route for route in DIALECT.routes if path in route.paths)
    request = route.parse(Call(body=body), card_of)
    assert isinstance(request, Generate)
    return request
