"""The official packages for JavaScript, unmodified: their stream helpers follow thoughts, words and parallel calls."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.agents.conftest import Run
from tests.e2e.conftest import InFrontOf
from tests.upstreams.scripted import DONE, Reply, Request, ScriptedUpstream, answer, completion_chunk, event, stream

HERE = Path(__file__).parent
CITIES = ("Paris", "Rome")


def two_calls(request: Request) -> Reply:
    """Has a model that thinks, speaks, and calls a tool twice at once."""
    if request.method == "GET":
        return answer(json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}))
    calls = [
        {
            "index": index,
            "id": f"call_{city}",
            "type": "function",
            "function": {"name": "weather", "arguments": json.dumps({"city": city})},
        }
        for index, city in enumerate(CITIES)
    ]
    usage = {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29}
    return stream(
        [
            completion_chunk({"role": "assistant", "reasoning_content": "Two "}),
            completion_chunk({"reasoning_content": "cities."}),
            completion_chunk({"content": "I look it up."}),
            *(completion_chunk({"tool_calls": [call]}) for call in calls),
            completion_chunk({}, "tool_calls"),
            event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": usage}),
            DONE,
        ]
    )


@pytest.fixture
async def told(
    request: pytest.FixtureRequest, program: Callable[[str], str], in_front_of: InFrontOf, run_agent: Run
) -> Any:
    """What a script printed of the answer."""
    script, path = request.param
    async with ScriptedUpstream(two_calls) as upstream:
        server = in_front_of(upstream)
        ran = await run_agent([program("node"), str(HERE / script), server.url + path, server.key, "m"], {})
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


@pytest.mark.parametrize("told", [("openai_stream.mjs", "/v1")], indirect=True)
async def test_the_openai_package_follows_a_response(told: Any) -> None:
    """And ends with the whole of it, though `[DONE]` follows."""
    assert told["status"] == "completed"
    assert [item["type"] for item in told["output"]] == ["reasoning", "message", "function_call", "function_call"]
    assert [json.loads(item["arguments"])["city"] for item in told["output"][2:]] == list(CITIES)
    assert told["output"][1]["content"][0]["text"] == "I look it up."
    assert "Two cities." in json.dumps(told["output"][0])
    assert (told["usage"]["input_tokens"], told["usage"]["output_tokens"]) == (20, 9)
    assert told["types"][-1] == "response.completed"


@pytest.mark.parametrize("told", [("anthropic_stream.mjs", "")], indirect=True)
async def test_the_anthropic_package_follows_a_message(told: Any) -> None:
    """Thoughts have a signature, each call its input."""
    assert told["stop_reason"] == "tool_use"
    thinking, words, *calls = told["content"]
    assert (thinking["thinking"], words["text"]) == ("Two cities.", "I look it up.")
    assert thinking["signature"]
    assert [call["input"]["city"] for call in calls] == list(CITIES)
    assert told["usage"]["output_tokens"] == 9
    assert told["types"][-1] == "message_stop"


async def test_responses_end_with_done(in_front_of: InFrontOf) -> None:
    """The word that Chat ends with stands after the last event; whoever reads responses here shows it harmless."""
    async with ScriptedUpstream(two_calls) as upstream, aiohttp.ClientSession() as client:
        server = in_front_of(upstream)
        body = {"model": "m", "input": "Weather?", "stream": True}
        async with client.post(f"{server.url}/v1/responses", json=body, headers=server.headers) as response:
            told = await response.text()
    assert told.endswith("data: [DONE]\n\n")
    assert "event: response.completed" in told
