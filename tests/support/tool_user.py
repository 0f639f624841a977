"""A scripted model that uses an agent's tools: it reads the file that the user names, and says what was in it."""

import json
import re
from typing import Any

from tests.profiles.strict_upstream import Rules, listed, text
from tests.upstreams.scripted import DONE, Reply, completion, completion_chunk, completion_events, event, stream
from tests.upstreams.scripted import answer as whole
from tests.upstreams.strict import StrictUpstream

FOUND = "The file says: "


class ToolUser(StrictUpstream):
    """The server; it may have a strict upstream's rules.

    Asked with tools, it calls the one that runs commands; given a result, it repeats the result. Whatever else an agent
    asks (a title, a summary), it answers with a word.
    """

    def __init__(self, *models: str, rules: Rules | None = None) -> None:
        super().__init__({model: rules or Rules() for model in models})

    def _answer(self, body: dict[str, Any]) -> Reply:
        messages: list[dict[str, Any]] = body["messages"]
        call = None if messages[-1]["role"] == "tool" else _call(body)
        said = FOUND + text(messages[-1]) if messages[-1]["role"] == "tool" else "Well."
        model = body["model"]
        if not body.get("stream"):
            return whole(completion(said, model=model) if call is None else _called(call, model))
        if call is None:
            return stream([*completion_events((said[:9], said[9:]), model=model), DONE])
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        return stream(
            [
                completion_chunk(
                    {"role": "assistant", "content": None, "tool_calls": [{"index": 0, **call}]}, model=model
                ),
                completion_chunk({}, "tool_calls", model=model),
                event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": usage}),
                DONE,
            ]
        )


def _call(body: dict[str, Any]) -> dict[str, Any] | None:
    """The call that shows the file of the user's last words; None without a file, or a tool that can."""
    asked = [text(message) for message in body["messages"] if message["role"] == "user"]
    files = re.findall(r"/\S+/nonce\.txt", asked[-1]) if asked else []
    if not files:
        return None
    command = f"cat {files[-1]}"
    for tool in listed(body, "tools"):
        function = tool["function"]
        properties = function.get("parameters", {}).get("properties", {})
        arguments = None
        if "cmd" in properties:
            arguments = {"cmd": command}
        elif "command" in properties:
            arguments = {"command": command, "description": "Shows a file"}
        elif function["name"].endswith("exec") and set(properties) == {"input"}:
            code = f"const ran = await tools.exec_command({{cmd: {json.dumps(command)}}}); text(ran.output ?? ran);"
            arguments = {"input": code}
        if arguments is not None:
            called = {"name": function["name"], "arguments": json.dumps(arguments)}
            return {"id": "call_1", "type": "function", "function": called}
    return None


def _called(call: dict[str, Any], model: str) -> bytes:
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model}
    return json.dumps({**answer, "choices": [choice], "usage": usage}).encode()
