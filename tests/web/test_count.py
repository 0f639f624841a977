"""Prompts counted over HTTP."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rixin.clock import SystemClock
from rixin.core.messages import ImagePart, ToolResult
from rixin.core.requests import Generate
from rixin.errors import Kind, RixinError
from rixin.limits.process import ProcessLimiter
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.settings import Media, Server, Settings
from rixin.store.database import Database
from tests.support.engines import ScriptedEngine
from tests.support.web import Site, site
from tests.upstreams.scripted import ScriptedUpstream, answer

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

    async def count(self, request: Generate) -> int:
        """The number, the error, or nothing for ever."""
        self.requests.append(request)
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


@asynccontextmanager
async def counting_site(folder: Path, engine: CountingEngine) -> AsyncGenerator[Site, None]:
    """An application whose engine counts; it may fetch from this machine."""

    def wire(_database: Database, _catalog: Catalog) -> Router:
        clock = SystemClock()
        return Router({"scripted": engine}, limiter=ProcessLimiter(clock), clock=clock)

    settings = Settings(server=Server(data_dir=folder), media=Media(private_hosts=("127.0.0.1",)))
    async with site(folder, settings, wire) as running:
        yield running


async def count_with(folder: Path, tokens: int | RixinError | None) -> tuple[int, Any]:
    """The answer where the engine counts."""
    async with counting_site(folder, CountingEngine(tokens)) as running:
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


async def test_a16_images_are_estimated_and_nothing_is_fetched(tmp_path: Path) -> None:
    """The engine counts the words; each image adds the same, whatever its source and whether it could be had at all."""
    engine = CountingEngine(100)
    async with (
        ScriptedUpstream(answer(b"", status=404)) as pictures,
        counting_site(tmp_path, engine) as running,
    ):
        url = {"type": "image", "source": {"type": "url", "url": f"{pictures.url}/cat.png"}}
        data = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "bm90IGFuIGltYWdl"}}
        call: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
        shown = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "It:"}, data]}
        told: list[int] = []
        for images in ([], [url], [data], [url, data]):
            content = [{"type": "text", "text": "What is this?"}, *images]
            body = {"messages": [{"role": "user", "content": content}]}
            status, counted = await count(running, "/v1/messages/count_tokens", **body)
            assert status == 200, counted
            told.append(counted["input_tokens"])
        called: list[Any] = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [call]}]
        result: dict[str, Any] = {"messages": [*called, {"role": "user", "content": [shown]}]}
        told.append((await count(running, "/v1/messages/count_tokens", **result))[1]["input_tokens"])
        said = {"role": "user", "content": [{"type": "input_image", "image_url": f"{pictures.url}/cat.png"}]}
        told.append(
            (await count(running, "/v1/responses/input_tokens", input=[said], instructions=None))[1]["input_tokens"]
        )
        assert pictures.requests == []
    none, one, *others = told
    assert none == 100
    assert one > none + 200
    assert others == [one, one + (one - none), one, one]
    parts = [part for request in engine.requests for message in request.messages for part in message.parts]
    parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
    assert not any(isinstance(part, ImagePart) for part in parts)


@pytest.mark.parametrize("path", ASKS)
async def test_a_wrong_request_to_count_is_refused_by_name(served: Site, path: str) -> None:
    """An unknown model and a wrong field, in the words of the dialect."""
    status, body = await count(served, path, model="n")
    assert (status, "model is not found" in body["error"]["message"]) == (404, True)
    status, body = await count(served, path, tools="all")
    assert (status, "tools" in body["error"]["message"]) == (400, True)


class CharacterEngine(CountingEngine):
    """An engine whose tokens are characters."""

    async def count(self, request: Generate) -> int:
        """How long the prompt is, which must be a bare one."""
        await super().count(request)
        assert request.prompt is not None
        return len(request.prompt)


@pytest.mark.parametrize("lines", [["今天天气很好。"], ["if x:", "    y = 1"], ["1.25, ", "word ", "。", "{}"]])
async def test_a16_of_a_long_prompt_slices_are_counted(tmp_path: Path, lines: list[str]) -> None:
    """From all over it, so that the estimate of the whole can be corrected; also the first count is quick so."""
    text = "".join(line * 3000 for line in lines)
    engine = CharacterEngine(0)
    async with counting_site(tmp_path, engine) as running:
        said: list[dict[str, Any]] = [{"role": "user", "content": text}]
        _, body = await count(running, "/v1/messages/count_tokens", messages=said, tools=[])
    assert body["input_tokens"] == pytest.approx(len(text), rel=0.05)
    [asked] = engine.requests
    assert len(asked.prompt or "") < len(text) / 2
