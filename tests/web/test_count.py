"""Prompts counted over HTTP."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from rixin.clock import SystemClock
from rixin.core.requests import Generate
from rixin.errors import Kind, RixinError
from rixin.limits.process import ProcessLimiter
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.settings import Server, Settings
from rixin.store.database import Database
from tests.support.engines import ScriptedEngine
from tests.support.web import Site, site

WORDS = "The quick brown fox jumps over the lazy dog. " * 20
TOOL: dict[str, Any] = {"name": "f", "description": "Does f.", "input_schema": {"type": "object", "properties": {}}}
ASKS: dict[str, dict[str, Any]] = {
    "/v1/messages/count_tokens": {"messages": [{"role": "user", "content": WORDS}], "tools": [TOOL]},
    "/anthropic/v1/messages/count_tokens": {"messages": [{"role": "user", "content": WORDS}], "system": "Be brief."},
    "/v1/responses/input_tokens": {"input": WORDS, "instructions": "Be brief."},
}


class CountingEngine(ScriptedEngine):
    """An engine that says how many tokens a prompt is, fails to, or never does."""

    def __init__(self, tokens: int | RixinError | None) -> None:
        super().__init__("scripted")
        self._tokens = tokens

    async def count(self, _request: Generate) -> int:
        """The number, the error, or nothing for ever."""
        if isinstance(self._tokens, RixinError):
            raise self._tokens
        if self._tokens is None:
            await asyncio.Event().wait()
            raise AssertionError
        return self._tokens


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application whose engine does not count."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as running:
        yield running


async def count(served: Site, path: str, **fields: Any) -> tuple[int, Any]:
    """Status and body of an answer to a request to count."""
    headers = {"x-api-key": served.key}
    body = {"model": "m", **ASKS[path], **fields}
    async with served.client.post(served.url + path, json=body, headers=headers) as response:
        return response.status, await response.json()


async def count_with(folder: Path, tokens: int | RixinError | None) -> tuple[int, Any]:
    """The answer where the engine counts."""

    def wire(_database: Database, _catalog: Catalog) -> Router:
        clock = SystemClock()
        return Router({"scripted": CountingEngine(tokens)}, limiter=ProcessLimiter(clock), clock=clock)

    async with site(folder, Settings(server=Server(data_dir=folder)), wire) as running:
        return await count(running, "/v1/messages/count_tokens")


@pytest.mark.parametrize("path", ASKS)
async def test_a16_prompts_are_counted_and_not_answered(served: Site, path: str) -> None:
    """By an estimate where no engine counts; nothing is generated, and nothing is billed."""
    status, body = await count(served, path)
    assert status == 200
    assert 180 <= body["input_tokens"] <= 340
    assert body.get("object") == ("response.input_tokens" if "responses" in path else None)
    assert served.engine.requests == []
    assert await served.ledger.recent() == []


async def test_a16_the_engines_own_count_is_told(tmp_path: Path) -> None:
    """Whoever would answer knows best."""
    assert await count_with(tmp_path, 4711) == (200, {"input_tokens": 4711})


@pytest.mark.parametrize(
    "obstacle", [None, RixinError(Kind.STARTING, "Loading."), RixinError(Kind.OVERLOADED, "Busy.")]
)
async def test_a16_an_engine_that_cannot_count_now_is_not_waited_for(
    tmp_path: Path, obstacle: RixinError | None
) -> None:
    """The estimate is told instead."""
    async with asyncio.timeout(10):
        status, body = await count_with(tmp_path, obstacle)
    assert status == 200
    assert 180 <= body["input_tokens"] <= 340


async def test_a_prompt_that_means_nothing_to_its_engine_is_refused(tmp_path: Path) -> None:
    """As the request itself would be."""
    status, body = await count_with(tmp_path, RixinError(Kind.INVALID_REQUEST, "No image, please."))
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("path", ASKS)
async def test_a_wrong_request_to_count_is_refused_by_name(served: Site, path: str) -> None:
    """An unknown model and a wrong field, in the words of the dialect."""
    status, body = await count(served, path, model="n")
    assert (status, "model is not found" in body["error"]["message"]) == (404, True)
    status, body = await count(served, path, tools="all")
    assert (status, "tools" in body["error"]["message"]) == (400, True)
