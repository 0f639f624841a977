"""Clients that speak their own dialects: what coding agents ask by Messages and Responses, and how they read answers.

The requests have the shapes in which Claude Code and Codex send them. What must reach the upstream of each is told in
the terms of `tests.profiles.strict_upstream.facts`.
"""

import copy
import json
import random
from typing import Any

from msgspec import Struct

from tests.profiles.sanitizing import Body
from tests.profiles.strict_upstream import draw_request, facts

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"


class Asked(Struct):
    """A request of a client."""

    path: str
    body: Body
    wanted: dict[str, Any]
    """What must reach the upstream."""


_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _schema(name: str) -> Body:
    return {
        "type": "object",
        "properties": {name: {"type": "string"}},
        "required": [name],
        "additionalProperties": False,
    }


CLAUDE_CODE: Body = {
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330.3b8; cc_entrypoint=cli; cch=00000;"},
        {"type": "text", "text": "You are a Claude agent.", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}},
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "<system-reminder>It is Sunday.</system-reminder>"},
                {"type": "text", "text": "Fix it", "cache_control": {"type": "ephemeral"}},
            ],
        },
        {"role": "system", "content": [{"type": "text", "text": "The user is away."}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "I look.", "signature": ""},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"path": "a.py"}},
                {"type": "tool_use", "id": "toolu_2", "name": "Bash", "input": {"command": "ls"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": "a.py", "is_error": False},
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "print(1)"}]},
                {"type": "text", "text": "Go on", "cache_control": {"type": "ephemeral"}},
            ],
        },
    ],
    "tools": [
        {"name": "Read", "description": "Reads a file.", "input_schema": {"$schema": _DIALECT, **_schema("path")}},
        {"name": "Bash", "description": "Runs.", "input_schema": {"$schema": _DIALECT, **_schema("command")}},
    ],
    "metadata": {"user_id": '{"session_id":"7"}'},
    "max_tokens": 32000,
    "thinking": {"type": "adaptive", "display": "omitted"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high"},
}

CODEX: Body = {
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "You code."}]},
        {
            "type": "message",
            "role": "developer",
            "content": [{"type": "input_text", "text": "Skills."}, {"type": "input_text", "text": "Permissions."}],
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<environment_context/>"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAAforeign"},
        {"type": "function_call", "call_id": "call_1", "name": "exec_command", "arguments": '{"cmd":"ls"}'},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "apply_patch", "input": "*** Begin Patch\n"},
        {"type": "function_call_output", "call_id": "call_1", "output": "a.py"},
        {
            "type": "custom_tool_call_output",
            "call_id": "call_2",
            "output": [{"type": "input_text", "text": "Done."}],
        },
    ],
    "tools": [
        {
            "type": "function",
            "name": "exec_command",
            "description": "Runs a command.",
            "strict": False,
            "parameters": _schema("cmd"),
        },
        {
            "type": "custom",
            "name": "apply_patch",
            "description": "Edits files.",
            "format": {"type": "grammar", "syntax": "lark", "definition": 'start: "*** Begin Patch" LF'},
        },
        {
            "type": "namespace",
            "name": "clock",
            "description": "Time.",
            "tools": [
                {
                    "type": "function",
                    "name": "sleep",
                    "description": "Sleeps.",
                    "strict": False,
                    "parameters": _schema("for"),
                }
            ],
        },
        {"type": "web_search", "external_web_access": False},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "01a2-thread",
    "text": {"verbosity": "low"},
    "client_metadata": {"thread_id": "01a2-thread"},
}

WANTED: dict[str, dict[str, Any]] = {
    MESSAGES: {
        "user": ["Go on"],
        "systems": ["You are a Claude agent.", "Be short.", "The user is away."],
        "tools": ["Read", "Bash"],
        "calls": [["Read", '{"path":"a.py"}'], ["Bash", '{"command":"ls"}']],
        "results": ["print(1)", "a.py"],
        "stop": None,
    },
    RESPONSES: {
        "user": ["Go on"],
        "systems": ["You code.", "Skills.", "Permissions."],
        "tools": ["exec_command", "apply_patch", "clock__sleep"],
        "calls": [["exec_command", '{"cmd":"ls"}'], ["apply_patch", '{"input":"*** Begin Patch\\n"}']],
        "results": ["a.py", "Done."],
        "stop": None,
    },
}

OPTIONAL: dict[str, dict[str, Any]] = {
    MESSAGES: {
        "temperature": 0.4,
        "top_p": 0.8,
        "top_k": 40,
        "service_tier": "auto",
        "tool_choice": {"type": "auto"},
        "thinking": {"type": "enabled", "budget_tokens": 4096},
        "max_tokens": 128_000,
    },
    RESPONSES: {
        "temperature": 1.2,
        "top_p": 0.8,
        "max_output_tokens": 64_000,
        "metadata": {"run": "7"},
        "user": "ann",
        "safety_identifier": "ann",
        "service_tier": "auto",
        "truncation": "auto",
        "text": {"verbosity": "low", "format": {"type": "json_object"}},
    },
}
"""What some clients send besides, or otherwise."""


def draw_asked(random_: random.Random, client: str, model: str, *, stream: bool) -> Asked:
    """A request of a client, with optional fields as some clients send them.

    Args:
        random_: Of what is drawn.
        client: `messages`, `responses`, or a shape of `tests.profiles.strict_upstream.SHAPES`.
        model: Who is asked.
        stream: Whether the answer shall come as a stream.
    """
    path = {"messages": MESSAGES, "responses": RESPONSES}.get(client, CHAT)
    if path == CHAT:
        body = {**draw_request(random_, client), "model": model, "stream": stream}
        if not stream:
            del body["stream"]
            body.pop("stream_options", None)
        return Asked(path, body, facts(body))
    optional = OPTIONAL[path]
    names = random_.sample(sorted(optional), random_.randint(0, len(optional)))
    return agent_request(path, model, stream=stream, **{name: optional[name] for name in names})


def agent_request(path: str, model: str, *, stream: bool = True, **fields: Any) -> Asked:
    """The request of Claude Code (`MESSAGES`) or Codex (`RESPONSES`), with some fields more or otherwise."""
    shape = CLAUDE_CODE if path == MESSAGES else CODEX
    body: Body = copy.deepcopy({"model": model, **shape, **({"stream": True} if stream else {}), **fields})
    return Asked(path, body, {**WANTED[path], "stream": stream})


def read_whole(path: str, body: Body) -> str:
    """The text of a whole answer."""
    if path == CHAT:
        return body["choices"][0]["message"]["content"]
    if path == MESSAGES:
        return "".join(block["text"] for block in body["content"] if block["type"] == "text")
    messages = [item for item in body["output"] if item["type"] == "message"]
    return "".join(part["text"] for message in messages for part in message["content"])


def read_stream(path: str, stream: str) -> tuple[str, bool]:
    """The text of a stream, and whether it ended as it should."""
    data = [line.removeprefix("data:").strip() for line in stream.splitlines() if line.startswith("data:")]
    done = data[-1:] == ["[DONE]"]
    events: list[Body] = [json.loads(piece) for piece in data if piece != "[DONE]"]
    if path == CHAT:
        choices: list[Body] = [choice for chunk in events for choice in chunk.get("choices", [])]
        text = "".join(choice["delta"].get("content") or "" for choice in choices)
        return text, done and any(choice.get("finish_reason") for choice in choices)
    types = [event["type"] for event in events]
    if path == MESSAGES:
        deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
        text = "".join(delta["text"] for delta in deltas if delta["type"] == "text_delta")
        return text, types[-1:] == ["message_stop"]
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    return text, done and types[-1:] == ["response.completed"]
