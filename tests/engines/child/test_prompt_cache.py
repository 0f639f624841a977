"""What is known of a prompt is not read again: an agent's instructions and tools above all."""

import asyncio
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from bench.agent import agent_body
from rixin.engines.child.config import ChildConfig
from rixin.engines.child.llama import prompt_cache
from rixin.engines.gguf import read_header
from rixin.engines.memory import token_size
from tests.engines.child.running import QWEN, SMOLLM2, Client, ask, start

QUESTION, NEXT, LATER = "List the files here.", "Now run the tests.", "Then fix what fails."
GLUE = 40
"""Tokens between the instructions and what is said first, at most, and of a short sentence."""


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Generator[Client]:
    """Speaks to a child with four slots that nobody else uses."""
    socket = tmp_path_factory.mktemp("agents") / "engine.sock"
    with start(ChildConfig(name="local", path=SMOLLM2, socket=socket, slots=4, context_length=4096)) as child:
        yield child.client()


async def usage(client: Client, *turns: str, **fields: Any) -> tuple[int, int, str]:
    """The prompt tokens of an agent's turn, those of them that were known, and the answer."""
    answer = await client.answer({**agent_body(*turns, size=0.1), **fields})
    told = answer["usage"]
    text = answer["choices"][0]["message"]["content"] or "Done."
    return told["prompt_tokens"], told["prompt_tokens_details"]["cached_tokens"], text


async def others(client: Client) -> None:
    """Eight short requests at once, twice as many as there are slots."""
    await asyncio.gather(*(client.answer(ask(f"What is {number} times seven?", max_tokens=4)) for number in range(8)))


async def test_turns_and_conversations_share_what_they_begin_with(agents: Client) -> None:
    """A second turn, another conversation, and either after other traffic read only what is new."""
    first, cached, answer = await usage(agents, QUESTION)
    assert first > 500
    assert cached < GLUE
    _, cached, second = await usage(agents, QUESTION, answer, NEXT)
    assert cached >= first - GLUE
    _, cached, _ = await usage(agents, LATER)
    assert cached >= first - GLUE
    await others(agents)
    _, cached, _ = await usage(agents, QUESTION, answer, NEXT, second, LATER)
    assert cached >= first - GLUE
    await others(agents)
    _, cached, _ = await usage(agents, NEXT)
    assert cached >= first - GLUE


@pytest.mark.parametrize("model", ["agents", "qwen"])
async def test_a_thought_leaves_the_tools_known(model: str, request: pytest.FixtureRequest) -> None:
    """An answer that is thought over has the same beginning as the thought, also with tools in the chat template."""
    client: Client = request.getfixturevalue(model)
    thinking: dict[str, Any] = {"reasoning_effort": "low", "max_tokens": 80}
    first, _, answer = await usage(client, f"{QUESTION} Think.", **thinking)
    _, cached, _ = await usage(client, f"{QUESTION} Think.", answer, NEXT, **thinking)
    assert cached >= first - GLUE
    await others(client)
    _, cached, _ = await usage(client, f"{LATER} Think.", **thinking)
    assert cached >= first - GLUE


async def test_a_thought_is_not_what_was_known(agents: Client) -> None:
    """Usage tells what was known when the request came, and not what its own first pass has read."""
    body = ask("xyzzy plugh " * 50, reasoning_effort="low", max_tokens=80)
    told = (await agents.answer(body))["usage"]
    assert told["completion_tokens_details"]["reasoning_tokens"] > 0
    assert told["prompt_tokens_details"]["cached_tokens"] < GLUE


@pytest.mark.parametrize(("path", "pool"), [(SMOLLM2, 8192), (QWEN, 32768), (QWEN, 131072)])
def test_the_longest_conversation_has_room(path: Path, pool: int) -> None:
    """The cache holds a whole pool's keys and values, and never less than 256 MiB."""
    header = read_header(path)
    assert prompt_cache(header, pool) * 2**20 >= max(pool * token_size(header), 256 * 2**20)
