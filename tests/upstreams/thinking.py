"""An upstream that thinks before it calls tools, and refuses histories in which those thoughts are missing."""

import json
from typing import Any

from tests.upstreams.scripted import (
    DONE,
    Reply,
    Request,
    ScriptedUpstream,
    Step,
    answer,
    completion_chunk,
    event,
    stream,
)

REFUSAL = "The `reasoning_content` in the thinking mode must be passed back to the API."
FIRST = "I do not know. "
SECOND = "I must look it up: 想一想。"
THOUGHT = FIRST + SECOND
LAST_THOUGHT = "There it is."


class ThinkingUpstream(ScriptedUpstream):
    """Speaks Chat. A user's message is answered with thoughts and the first tool's call, a result with its words.

    Args:
        verbatim: Whether the very words must come back, and not any.
        calls: How many calls are made at a time.
    """

    def __init__(self, *, verbatim: bool = False, calls: int = 1) -> None:
        super().__init__(self._reply)
        self.refused = 0
        self._verbatim = verbatim
        self._calls = calls

    @property
    def thoughts(self) -> list[Any]:
        """What stood as thoughts in the last request's turns that called tools."""
        messages = self.posted[-1].json["messages"]
        return [message.get("reasoning_content") for message in messages if message.get("tool_calls")]

    def _reply(self, request: Request) -> Reply:
        if request.method == "GET":
            return answer("", status=404)  # it has no list of models
        body = request.json
        for message in body["messages"]:
            thought = message.get("reasoning_content")
            if message.get("tool_calls") and (not thought or (self._verbatim and thought != THOUGHT)):
                self.refused += 1
                error = {"message": REFUSAL, "type": "invalid_request_error", "code": "invalid_request_error"}
                return answer(json.dumps({"error": error}), status=400)
        last = body["messages"][-1]
        if last["role"] == "tool":
            message: dict[str, Any] = {"reasoning_content": LAST_THOUGHT, "content": f"It says: {last['content']}"}
        elif body.get("tools"):
            message = {"reasoning_content": THOUGHT, "content": None, "tool_calls": self._make_calls(body)}
        else:
            message = {"reasoning_content": LAST_THOUGHT, "content": f"{len(body['messages'])} messages."}
        return self._stream(message) if body.get("stream") else self._whole(message)

    def _make_calls(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        name, turn = body["tools"][0]["function"]["name"], len(body["messages"])
        return [
            {"index": index, "id": f"call_{turn}_{index}", "type": "function", "function": {
                "name": name, "arguments": json.dumps({"place": index}),
            }}
            for index in range(self._calls)
        ]  # fmt: skip

    def _whole(self, message: dict[str, Any]) -> list[Step]:
        reason = "tool_calls" if message.get("tool_calls") else "stop"
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
        usage = {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}
        return answer(
            json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice],
                        "usage": usage})
        )  # fmt: skip

    def _stream(self, message: dict[str, Any]) -> list[Step]:
        thought, calls = message["reasoning_content"], message.get("tool_calls")
        pieces = [
            completion_chunk({"role": "assistant", "reasoning_content": thought[: len(FIRST)]}),
            completion_chunk({"reasoning_content": thought[len(FIRST) :]}),
            completion_chunk({"tool_calls": calls} if calls else {"content": message["content"]}),
            completion_chunk({}, "tool_calls" if calls else "stop"),
            event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
                   "usage": {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}}),
            DONE,
        ]  # fmt: skip
        return stream(pieces)
