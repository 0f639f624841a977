"""A prompt that takes long to read, by the real engine: what a client and the log are told meanwhile."""

import asyncio
import json
from collections.abc import Generator

import aiohttp
import pytest

from tests.support.server import ROOT, Server, start

HANG = 120.0
CONFIG = f"""
[server]
keep_alive = 0.05

[[models]]
name = "local"
path = "{ROOT / ".cache" / "models" / "smollm2-135m.gguf"}"
context_length = 8192
"""
WORDS = "The quick brown fox jumps over the lazy dog. "


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server with a small model, whose clients want a sign of life twenty times a second."""
    started, stop = start(tmp_path_factory.mktemp("prompts") / "data", "--json", config=CONFIG)
    yield started
    stop()


def asking(dialect: str, about: str) -> tuple[str, dict[str, object]]:
    """A path and a body with a prompt of about a thousand tokens that no other begins with."""
    text = f"{about} " + WORDS * 100
    messages = [{"role": "user", "content": text}]
    bodies: dict[str, tuple[str, dict[str, object]]] = {
        "chat": ("/v1/chat/completions", {"messages": messages, "max_tokens": 4}),
        "messages": ("/v1/messages", {"messages": messages, "max_tokens": 4}),
        "responses": ("/v1/responses", {"input": text, "max_output_tokens": 16}),
    }
    path, body = bodies[dialect]
    return path, {"model": "local", "stream": True, **body}


@pytest.mark.parametrize(
    ("dialect", "sign", "first"),
    [
        ("chat", ": keep-alive", '"content"'),
        ("messages", "event: ping", "content_block_start"),
        ("responses", "event: response.in_progress", "response.output_item.added"),
    ],
)
async def test_clients_see_life_while_a_prompt_is_read(server: Server, dialect: str, sign: str, first: str) -> None:
    """Each in the way that its dialect has for it, again and again, before the first word."""
    path, body = asking(dialect, dialect)
    async with (
        asyncio.timeout(HANG),
        aiohttp.ClientSession(headers=server.headers) as session,
        session.post(f"{server.url}{path}", json=body) as response,
    ):
        shown = (await response.read()).decode()
    assert response.status == 200, shown
    before, found, _ = shown.partition(first)
    assert found
    assert before.count(sign) >= 3


async def reading(server: Server, session: aiohttp.ClientSession) -> bool:
    """Whether a part of a prompt has been read, and not yet all of it."""
    async with session.get(f"{server.url}/admin/v1/engines") as response:
        model = next(model for model in (await response.json())["data"] if model["model"] == "local")
    return any(0 < part < 1 for part in model["load"]["reading"])


async def test_the_log_tells_how_far_a_prompt_was_read(server: Server) -> None:
    """As the list of engines does meanwhile; of a client that leaves too, with the time that it waited for a slot."""
    path, body = asking("chat", "leaving")
    async with asyncio.timeout(HANG), aiohttp.ClientSession(headers=server.headers) as session:
        async with session.post(f"{server.url}{path}", json=body) as response:
            identity = response.headers["x-request-id"]
            # Other processes have no event to wait for.
            while not await reading(server, session):  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.01)
            response.close()
        while not (records := [line for line in server.output if f'"{identity}"' in line and '"request"' in line]):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)
    record = json.loads(records[0])
    assert 0 <= record["prompt_read"] < 1
    assert record["queue_ms"] == 0
