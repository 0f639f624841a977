"""One streamed answer, and what of it is measured."""

import contextlib
import time
from collections.abc import AsyncGenerator, Mapping

import aiohttp
import msgspec

from bench.targets import Target


class _Delta(msgspec.Struct, frozen=True):
    content: str | None = None
    tool_calls: list[object] = []


class _Choice(msgspec.Struct, frozen=True):
    delta: _Delta


class _PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: int = 0


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: _PromptDetails = _PromptDetails()


class _Event(msgspec.Struct, frozen=True):
    """What is read of a stream's events."""

    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: dict[str, object] | None = None


class Streamed(msgspec.Struct, frozen=True, kw_only=True):
    """An answer."""

    first_token_seconds: float
    text: str
    prompt_tokens: int
    cached_tokens: int
    """Of the prompt, those that the engine had read already."""
    completion_tokens: int


@contextlib.asynccontextmanager
async def client_of(target: Target) -> AsyncGenerator[aiohttp.ClientSession]:
    """A client with the target's key."""
    timeout = aiohttp.ClientTimeout(total=1800)
    async with aiohttp.ClientSession(headers=dict(target.headers), timeout=timeout) as client:
        yield client


async def stream(client: aiohttp.ClientSession, port: int, body: Mapping[str, object]) -> Streamed:
    """Asks for a stream, whatever else the body asks for, and reads it to its end."""
    body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    began, first, usage, texts = time.monotonic(), 0.0, _Usage(0, 0), list[str]()
    async with client.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body) as answer:
        if answer.status != 200:
            raise RuntimeError(f"a stream was answered with status {answer.status}: {await answer.text()}")
        async for line in answer.content:
            if not line.startswith(b"data: {"):
                continue
            event = msgspec.json.decode(line[6:], type=_Event)
            if event.error is not None:
                raise RuntimeError(f"a stream broke: {event.error}")
            for choice in event.choices:
                if not first and (choice.delta.content or choice.delta.tool_calls):
                    first = time.monotonic() - began
                texts.append(choice.delta.content or "")
            usage = event.usage or usage
    return Streamed(
        first_token_seconds=first,
        text="".join(texts),
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.prompt_tokens_details.cached_tokens,
        completion_tokens=usage.completion_tokens,
    )
