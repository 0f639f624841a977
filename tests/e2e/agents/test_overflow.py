"""A prompt that does not fit: each agent says so in its own words, and does not ask again."""

import json

from tests.e2e.agents.conftest import Ask
from tests.e2e.conftest import InFrontOf
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer

REFUSAL = {
    "message": "This model's maximum context length is 8192 tokens. However, you requested 31000 tokens.",
    "type": "invalid_request_error",
    "code": "context_length_exceeded",
}


def refuse(request: Request) -> Reply:
    """Has a model, for which every prompt is too long."""
    if request.method == "GET":
        return answer(json.dumps({"object": "list", "data": [{"id": "small", "object": "model"}]}))
    return answer(json.dumps({"error": REFUSAL}), status=400)


async def overflow(ask: Ask, in_front_of: InFrontOf) -> str:
    """What an agent prints of it; it fails, having asked once."""
    async with ScriptedUpstream(refuse) as upstream:
        ran = await ask(in_front_of(upstream), "small", "Hello")
    assert ran.code != 0
    assert len(upstream.posted) == 1
    return ran.out + ran.err


async def test_codex_tells_an_overflow(codex: Ask, in_front_of: InFrontOf) -> None:
    """In the words that it has for it."""
    assert "ran out of room in the model's context window" in await overflow(codex, in_front_of)


async def test_claude_code_tells_an_overflow(claude: Ask, in_front_of: InFrontOf) -> None:
    """With the numbers, which it reads in the message."""
    assert "Prompt is too long" in await overflow(claude, in_front_of)


async def test_g1_gemini_cli_tells_an_overflow(gemini: Ask, in_front_of: InFrontOf) -> None:
    """In the words that Google has for it."""
    told = await overflow(gemini, in_front_of)
    assert "input token count (31000) exceeds the maximum number of tokens allowed (8192)" in told
