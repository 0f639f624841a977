"""The checks of the Open Responses specification, against whole servers."""

import json
from typing import Any

import aiohttp
import pytest

from tests.e2e.conftest import InFrontOf
from tests.support.open_responses import CHECKS, check_events, check_response
from tests.support.server import Server
from tests.upstreams.scripted import DONE, Reply, Request, ScriptedUpstream, answer, completion_chunk, event, stream

DEADLINE = aiohttp.ClientTimeout(total=120)


async def check(name: str, server: Server, **fields: Any) -> None:
    """Makes sure that a server answers a check by the specification."""
    body = {**fields, **CHECKS[name]}
    async with (
        aiohttp.ClientSession(timeout=DEADLINE) as client,
        client.post(f"{server.url}/v1/responses", json=body, headers=server.headers) as response,
    ):
        told = await response.text()
    assert response.status == 200, told
    if not body.get("stream"):
        check_response(name, told)
        return
    events = [line.removeprefix("data: ") for line in told.splitlines() if line.startswith("data: ")]
    assert events.pop() == "[DONE]"
    check_events(name, [json.loads(data) for data in events])


@pytest.mark.parametrize("name", [name for name in CHECKS if name != "image-input"])
async def test_the_embedded_model_passes(name: str, server: Server) -> None:
    """Whatever it says, whole or streamed; it calls the tool that is offered."""
    await check(name, server, model="local", temperature=0, max_output_tokens=200)


def says_or_calls(request: Request) -> Reply:
    """Has a model that sees; it calls the first tool that it is offered."""
    if request.method == "GET":
        return answer(json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}))
    called = {"name": "get_weather", "arguments": '{"location":"Paris"}'}
    calls = [{"index": 0, "id": "call_1", "type": "function", "function": called}]
    calling = bool(request.json.get("tools"))
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    return stream(
        [
            completion_chunk({"role": "assistant", "content": None if calling else "Hello"}),
            completion_chunk({"tool_calls": calls} if calling else {"content": " there"}),
            completion_chunk({}, "tool_calls" if calling else "stop"),
            event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": usage}),
            DONE,
        ]
    )


@pytest.mark.parametrize("name", CHECKS)
async def test_a_scripted_model_passes(name: str, in_front_of: InFrontOf) -> None:
    """Behind a provider of Chat Completions, images included."""
    async with ScriptedUpstream(says_or_calls) as upstream:
        await check(name, in_front_of(upstream), model="m")
        asked = json.dumps(upstream.posted[-1].json)
    assert ("image_url" in asked) is (name == "image-input")
