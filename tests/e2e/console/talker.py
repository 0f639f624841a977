"""An upstream that talks by what it is asked: thoughts, words, calls of tools, and silence."""

import asyncio
import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Self

from anyio.from_thread import start_blocking_portal

from tests.e2e.console.visit import HOSTILE
from tests.upstreams.scripted import (
    DONE,
    Reply,
    Request,
    ScriptedUpstream,
    Stall,
    Wait,
    answer,
    completion,
    completion_chunk,
    event,
    stream,
)

MODELS = ("sensenova-6.7-flash-lite", "SenseNova-V6-Pro")
"""One with presets; one that takes videos too."""
THOUGHT = "The user wants to know."
ENDLESS = "Tell me everything."
"""What is never answered to the end."""
BEGUN = "To begin with"
FORBIDDEN = "Tell me a secret."
REFUSAL = f"Secrets are not told here. {HOSTILE}"
HELD = "Tea in three steps: heat the water, steep the leaves, pour slowly."
"""What is drawn of words that come in two parts."""
WRITTEN = json.dumps(
    {"title": "Tea", "blocks": [{"kind": "steps", "steps": [{"title": word} for word in ("Heat", "Steep", "Pour")]}]}
)
USAGE = {"prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46}


class Talker(ScriptedUpstream):
    """The upstream. What it writes for a drawing of `HELD` waits for `go_on`."""

    def __init__(self) -> None:
        super().__init__(lambda request: _reply(request, self._may_go_on))
        self._may_go_on = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return await super().__aenter__()

    def go_on(self) -> None:
        """Writes on."""
        self._loop.call_soon_threadsafe(self._may_go_on.set)


@contextmanager
def talker() -> Generator[Talker]:
    """The upstream, in a thread of its own: a browser's tests wait for nothing else."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Talker()) as upstream:
        yield upstream


def config_of(upstream: ScriptedUpstream) -> str:
    """The settings of a server whose models are the upstream's."""
    return (
        f'[[providers]]\nname = "talker"\nbase_url = "{upstream.url}"\napi_keys = ["sk-up"]\n'
        f"models = {json.dumps(MODELS)}\n"
    )


def _reply(request: Request, may_go_on: asyncio.Event) -> Reply:
    if request.method != "POST":
        return answer('{"object": "list", "data": []}')
    body = request.json
    last = body["messages"][-1]
    if last["content"] == FORBIDDEN:
        return answer(json.dumps({"error": {"message": REFUSAL, "type": "invalid_request_error"}}), status=400)
    if last["content"] == HELD:
        words = [completion_chunk({"content": piece}) for piece in (WRITTEN[:40], WRITTEN[40:])]
        return stream([words[0], Wait(may_go_on), words[1], completion_chunk({}, "stop"), DONE])
    if not body.get("stream"):
        return answer(completion(f"You said so, {body['model']}."))
    pieces = [completion_chunk({"role": "assistant", "content": ""})]
    if last["role"] == "tool":
        pieces.append(completion_chunk({"content": f"It says: {last['content']}"}))
    elif last["content"] == ENDLESS:
        return stream([*pieces, completion_chunk({"content": BEGUN})], end=Stall())
    else:
        pieces.append(completion_chunk({"reasoning_content": THOUGHT}))
        if body.get("tools"):
            name = body["tools"][0]["function"]["name"]
            call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
            more = [{"index": 0, "function": {"arguments": text}} for text in ('{"city": ', '"Paris"}')]
            pieces += [completion_chunk({"tool_calls": [each]}) for each in (call, *more)]
        else:
            pieces += [completion_chunk({"content": text}) for text in ("I am **", f"{body['model']}**.")]
    finish = "tool_calls" if body.get("tools") and last["role"] != "tool" else "stop"
    counted: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return stream([*pieces, completion_chunk({}, finish), event({**counted, "choices": [], "usage": USAGE}), DONE])
