"""Conversations over whole servers with two workers, through the official SDKs, and the page about them, executed."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from rixin.settings import load
from tests.support.databases import content, served_place
from tests.support.pages import DOCS, blocks, run
from tests.support.server import Server, start
from tests.upstreams.thinking import THOUGHT, ThinkingUpstream

CONFIG = """
[server]
workers = 2

[[providers]]
name = "up"
preset = "deepseek"
base_url = "{url}"
api_keys = ["k"]
models = ["deepseek-chat"]
"""
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"place": {"type": "integer"}}}
HELLO: Any = {"role": "user", "content": "What does it say?"}
TOOL: Any = {"name": "look", "input_schema": SCHEMA}
FUNCTION: Any = {"type": "function", "name": "look", "parameters": SCHEMA, "strict": False}
NONCE = "nonce-4711"
"""What a tool says: nothing that a file of numbers holds by chance."""
TURNS = 8
"""Connections that are made one after the other: enough for both workers to have some."""

pytestmark = pytest.mark.timeout(300)


async def gpt(server: Server, call: Callable[[Any], Any]) -> Any:
    """What a call of OpenAI's SDK gives, over a connection of its own."""
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as client:
        return await call(client.responses)


async def test_a_conversation_goes_on_at_every_worker_and_after_a_restart(tmp_path: Path) -> None:
    """Responses and their thoughts are found whichever process answers, and the upstream refuses nothing."""
    async with ThinkingUpstream(verbatim=True) as upstream:
        config, asked = CONFIG.format(url=upstream.url), dict[str, Any](model="deepseek-chat", tools=[FUNCTION])
        server, stop = await asyncio.to_thread(start, tmp_path / "data", config=config)
        try:
            first = await gpt(server, lambda responses: responses.create(**asked, input="What does it say?"))
            call = first.output[-1]
            output = {"type": "function_call_output", "call_id": call.call_id, "output": NONCE}
            for _ in range(TURNS):
                final = await gpt(
                    server,
                    lambda responses: responses.create(**asked, input=[output], previous_response_id=first.id),
                )
                assert final.output_text == f"It says: {NONCE}"
                assert upstream.thoughts == [THOUGHT]
                again = await gpt(server, lambda responses: responses.retrieve(final.id))  # noqa: B023 - called at once
                assert again.output_text == final.output_text
        finally:
            assert await asyncio.to_thread(stop) == 0
        key = server.key
        server, stop = await asyncio.to_thread(start, tmp_path / "data", config=config)
        server.key = key
        try:
            final = await gpt(
                server, lambda responses: responses.create(**asked, input=[output], previous_response_id=first.id)
            )
            items = await gpt(server, lambda responses: responses.input_items.list(final.id, order="asc"))
            await gpt(server, lambda responses: responses.delete(final.id))
            with pytest.raises(openai.NotFoundError):
                await gpt(server, lambda responses: responses.retrieve(final.id))
        finally:
            assert await asyncio.to_thread(stop) == 0
    assert [item.type for item in items.data] == ["message", "reasoning", "function_call", "function_call_output"]
    assert upstream.refused == 0
    assert NONCE.encode() not in content(served_place(tmp_path / "data"))


async def claude(server: Server, history: list[Any]) -> Any:
    """The answer that Anthropic's SDK gives, streamed, over a connection of its own."""
    async with (
        anthropic.AsyncAnthropic(base_url=server.url, api_key=server.key, max_retries=0) as client,
        client.messages.stream(model="deepseek-chat", max_tokens=1000, tools=[TOOL], messages=history) as stream,
    ):
        return await stream.get_final_message()


async def test_thinking_blocks_open_at_every_worker(tmp_path: Path) -> None:
    """An envelope needs no memory: whichever worker made it, all of them read it."""
    async with ThinkingUpstream(verbatim=True) as upstream:
        server, stop = await asyncio.to_thread(start, tmp_path / "data", config=CONFIG.format(url=upstream.url))
        try:
            for turn in range(TURNS):
                message = await claude(server, [HELLO])
                result = {"type": "tool_result", "tool_use_id": message.content[-1].id, "content": f"nonce {turn}"}
                thought: Any = {"role": "assistant", "content": message.content}
                final = await claude(server, [HELLO, thought, {"role": "user", "content": [result]}])
                assert final.content[-1].text == f"It says: nonce {turn}"
                assert upstream.thoughts == [THOUGHT]
        finally:
            assert await asyncio.to_thread(stop) == 0
    assert upstream.refused == 0


async def test_r15_an_upstream_that_nobody_knew_to_ask_for_thoughts_is_answered(tmp_path: Path) -> None:
    """A history without thoughts goes on there too: its refusal is understood, and the next request is not refused."""
    call = {"type": "tool_use", "id": "toolu_01", "name": "look", "input": {"place": 7}}
    result = {"type": "tool_result", "tool_use_id": "toolu_01", "content": "nonce"}
    history = [HELLO, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    async with ThinkingUpstream() as upstream:
        config = CONFIG.format(url=upstream.url).replace('preset = "deepseek"\n', "").replace("workers = 2", "")
        server, stop = await asyncio.to_thread(start, tmp_path / "data", config=config)
        try:
            for _ in range(2):
                final = await claude(server, history)
                assert final.content[-1].text == "It says: nonce"
        finally:
            assert await asyncio.to_thread(stop) == 0
    assert 1 <= upstream.refused <= 3


def test_the_page_is_true(server: Server) -> None:
    """A response, the next one, what it answers, and the deletion, against the embedded model."""
    printed = run("\n".join(blocks(DOCS / "conversations.md", "sh")), server.url, server.shell).stdout
    decoder, found, rest = json.JSONDecoder(), list[Any](), printed
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:]
    response, items, deleted = found
    assert (response["status"] in ("completed", "incomplete"), deleted["deleted"]) == (True, True)
    words = [part["text"] for item in items["data"] for part in item["content"]]
    assert (words[0], words[-1]) == ("My name is Ada.", "What is my name?")
    assert deleted["id"] == response["previous_response_id"]


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    """It turns storing off."""
    [text] = blocks(DOCS / "conversations.md", "toml")
    path = tmp_path / "rixin.toml"
    path.write_text(text, encoding="utf-8")
    assert load(path, environ={}).server.store_responses is False
