"""An upstream with hidden rules, as a pure function; and clients of several shapes that call it."""

import copy
import random
from typing import Any, cast

from msgspec import Struct

from tests.profiles.sanitizing import Body

OPTIONAL: dict[str, Any] = {
    "store": False,
    "metadata": {"run": "7"},
    "user": "ann",
    "service_tier": "auto",
    "prompt_cache_key": "session-7",
    "safety_identifier": "ann",
    "stream_options": {"include_usage": True},
    "parallel_tool_calls": True,
    "n": 1,
    "response_format": {"type": "json_object"},
    "temperature": 0.4,
    "top_p": 0.8,
    "top_k": 40,
    "min_p": 0.1,
    "presence_penalty": 0.3,
    "frequency_penalty": 0.2,
    "repetition_penalty": 1.2,
    "seed": 11,
    "logit_bias": {"50256": -100},
    "reasoning_effort": "medium",
    "thinking": {"type": "enabled"},
    "verbosity": "low",
    "prediction": {"type": "content", "content": "x"},
    "logprobs": False,
}
"""The optional fields of which rules refuse some, with what clients send in them."""

OPAQUE = "Errors in message queue response"


class Rules(Struct, kw_only=True):
    """What one upstream refuses."""

    refused: frozenset[str] = frozenset()
    accepted: frozenset[str] | None = None
    """The only fields that are; None where all are but the refused ones."""
    temperature_cap: float = 2
    max_tokens_cap: int = 10**9
    null_content: bool = False
    several_systems: bool = False
    late_system: bool = False
    developer: bool = False
    text_parts: bool = False
    strict: bool = False
    schema_dialect: bool = False
    tool_choice_auto: bool = False
    echoed_reasoning: bool = False
    images: bool = False
    opaque: bool = True
    status: int = 400

    def complaints(self, body: Body) -> list[str]:
        """Everything that this upstream has against a body."""
        unknown = [field for field in body if self.accepted is not None and field not in self.accepted]
        found = [f"Unknown parameter: '{field}'." for field in body if field in self.refused or field in unknown]
        if (body.get("temperature") or 0) > self.temperature_cap:
            found.append(f"invalid temperature, should in [0,{self.temperature_cap}].")
        limit = max(body.get("max_tokens") or 0, body.get("max_completion_tokens") or 0)
        if limit > self.max_tokens_cap:
            found.append(f"max_tokens must be less than or equal to {self.max_tokens_cap}")
        if self.tool_choice_auto and body.get("tool_choice") == "auto":
            found.append("tool_choice auto is not supported")
        return found + self._of_messages(body) + self._of_tools(body)

    def _of_messages(self, body: Body) -> list[str]:
        messages: list[Body] = body["messages"]
        roles = [message["role"] for message in messages]
        found: list[str] = []
        if self.null_content and any("content" in message and message["content"] is None for message in messages):
            found.append("messages: content must not be null")
        if self.several_systems and roles.count("system") > 1:
            found.append("only one system message is allowed")
        if self.late_system and "system" in roles[1:]:
            found.append("system message must be at the beginning")
        if self.developer and "developer" in roles:
            found.append("messages[0].role must be one of: system, user, assistant, tool")
        if self.text_parts and any(isinstance(message.get("content"), list) for message in messages):
            found.append("messages.content: Input should be a valid string")
        if self.images and any(part["type"] == "image_url" for message in messages for part in _parts(message)):
            found.append("This model does not support image input.")
        if self.echoed_reasoning and any("reasoning_content" in message for message in messages):
            found.append("reasoning_content is not allowed in input messages")
        return found

    def _of_tools(self, body: Body) -> list[str]:
        functions: list[Body] = [tool["function"] for tool in listed(body, "tools")]
        found: list[str] = []
        if self.strict and any("strict" in function for function in functions):
            found.append("Unknown field: tools[0].function.strict")
        if self.schema_dialect and any("$schema" in function["parameters"] for function in functions):
            found.append("unsupported schema keyword $schema")
        return found

    def refuses(self, body: Body) -> str | None:
        """The error message for a body; None where it is answered."""
        found = self.complaints(body)
        return (OPAQUE if self.opaque else found[0]) if found else None


SENSENOVA = Rules(
    accepted=frozenset(
        {
            "model",
            "messages",
            "stream",
            "stream_options",
            "temperature",
            "top_p",
            "max_tokens",
            "n",
            "stop",
            "frequency_penalty",
            "presence_penalty",
            "reasoning_effort",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "seed",
        }
    ),
    max_tokens_cap=65536,
    null_content=True,
    several_systems=True,
    late_system=True,
    developer=True,
    strict=True,
    tool_choice_auto=True,
    echoed_reasoning=True,
)
"""A gateway that takes the documented parameters of SenseNova 6.7 Flash-Lite and no others, and does not say why."""


def draw_rules(random_: random.Random) -> Rules:
    """Hidden rules, drawn at random."""

    def often() -> bool:
        return random_.random() < 0.4

    return Rules(
        refused=frozenset(random_.sample(sorted(OPTIONAL), random_.randint(2, 12))),
        temperature_cap=random_.choice([0.9, 1, 1, 1.5, 2, 2]),
        max_tokens_cap=random_.choice([4096, 8192, 65536, 10**9]),
        null_content=often(),
        several_systems=often(),
        late_system=often(),
        developer=often(),
        text_parts=often(),
        strict=often(),
        schema_dialect=often(),
        tool_choice_auto=often(),
        echoed_reasoning=often(),
        opaque=random_.random() < 0.6,
        status=random_.choice([400, 422]),
    )


def facts(body: Body) -> dict[str, Any]:
    """What an answer must have been given for: the last user text, systems, tools, calls and results."""
    messages: list[Body] = body["messages"]
    calls: list[Body] = [call for message in messages for call in listed(message, "tool_calls")]
    return {
        "user": [text(message) for message in messages if message["role"] == "user"][-1:],
        "systems": [text(message) for message in messages if message["role"] in ("system", "developer")],
        "tools": [tool["function"]["name"] for tool in listed(body, "tools")],
        "calls": [[call["function"]["name"], call["function"]["arguments"]] for call in calls],
        "results": [text(message) for message in messages if message["role"] == "tool"],
        "stream": bool(body.get("stream")),
        "stop": body.get("stop"),
    }


def complete(asked: Body, sent: Body) -> bool:
    """Whether what was sent has all that was asked; systems may be one."""
    return covers(facts(sent), facts(asked))


def covers(given: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether facts have all that others have; systems may be one."""
    systems = "\n".join(given["systems"])
    if not all(line in systems for system in wanted["systems"] for line in system.splitlines()):
        return False
    return all(given[name] == fact for name, fact in wanted.items() if name != "systems")


def listed(holder: Body, field: str) -> list[Body]:
    """A list in a body or a message; empty where there is none."""
    return holder.get(field) or []


def _parts(message: Body) -> list[Body]:
    content = message.get("content")
    return cast("list[Body]", content) if isinstance(content, list) else []


def text(message: Body) -> str:
    """The words of a message."""
    content: Any = message.get("content")
    if isinstance(content, str) or not content:
        return content or ""
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def _tool(name: str, **fields: Any) -> Body:
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    return {"type": "function", "function": {"name": name, "description": "x", "parameters": schema, **fields}}


_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CALL = {"id": "call_a", "type": "function", "function": {"name": "read", "arguments": '{"path":"a.py"}'}}
_RESULT = {"role": "tool", "tool_call_id": "call_a", "content": "print(1)"}


def _with_schema(name: str) -> Body:
    tool = _tool(name)
    tool["function"]["parameters"] = {"$schema": _DIALECT, **tool["function"]["parameters"]}
    return tool


SHAPES: dict[str, Body] = {
    "chat": {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]},
    "chat with history": {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Read a.py"},
            {"role": "assistant", "content": None, "reasoning_content": "I read.", "tool_calls": [_CALL]},
            _RESULT,
            {"role": "assistant", "content": "It prints."},
            {"role": "system", "content": "The user is away."},
            {"role": "user", "content": [{"type": "text", "text": "What does it print?"}]},
        ],
        "tools": [_tool("read", strict=None)],
        "tool_choice": "auto",
        "max_tokens": 16000,
        "stream": True,
    },
    "messages-shaped": {
        "messages": [
            {
                "role": "system",
                "content": [{"type": "text", "text": "You code."}, {"type": "text", "text": "Be short."}],
            },
            {"role": "user", "content": [{"type": "text", "text": "reminder"}, {"type": "text", "text": "Fix it"}]},
            {"role": "assistant", "content": "", "reasoning_content": "Look.", "tool_calls": [_CALL]},
            _RESULT,
            {"role": "user", "content": "Go on"},
        ],
        "tools": [_with_schema("read"), _with_schema("write")],
        "tool_choice": "auto",
        "max_tokens": 32000,
        "stream": True,
        "temperature": 1,
    },
    "responses-shaped": {
        "messages": [
            {"role": "system", "content": "You are a coding agent."},
            {"role": "developer", "content": "Sandbox is on."},
            {"role": "user", "content": "Fix it"},
            {"role": "assistant", "content": None, "tool_calls": [_CALL]},
            _RESULT,
            {"role": "developer", "content": "Approval is off."},
            {"role": "user", "content": "Go on"},
        ],
        "tools": [_tool("read", strict=True), _tool("write", strict=False)],
        "tool_choice": "auto",
        "max_completion_tokens": 64000,
        "stream": True,
    },
}
"""Bodies of clients, as the dialects make Chat of them."""


def draw_request(random_: random.Random, shape: str) -> Body:
    """A request of a client of some shape, with optional fields as some clients send them."""
    body: Body = {"model": "m", **copy.deepcopy(SHAPES[shape])}
    for field in random_.sample(sorted(OPTIONAL), random_.randint(0, 14)):
        if field == "stream_options" and not body.get("stream"):
            continue
        if field == "parallel_tool_calls" and not body.get("tools"):
            continue
        body[field] = copy.deepcopy(OPTIONAL[field])
    if random_.random() < 0.3:
        body["temperature"] = random_.choice([1, 1.2, 1.8])
    return body
