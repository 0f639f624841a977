"""Every dialect that knows tools in front of an upstream of every such dialect, over HTTP on both sides."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rixin.cli.provider_rules import DIALECTS
from rixin.clock import SystemClock
from rixin.core.events import Event, Finish, Reasoning, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.responses import Response, collect
from rixin.core.usage import Usage
from rixin.dialects.base import Dialect
from rixin.engines.base import ListedModel
from rixin.engines.remote import Remote
from rixin.limits.process import ProcessLimiter
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.settings import Provider, Server, Settings
from rixin.store.database import Database
from tests.dialects.support import STAMP, ask_chat
from tests.support.web import Site, site
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer, stream

EVENTS: list[Event] = [
    Start(id="up-1", created=1, model="up-model"),
    Reasoning(text="Two cities."),
    Text(text="Let me "),
    Text(text="look: 北京"),
    ToolStart(index=0, id="call_a", name="f"),
    ToolArguments(index=0, text='{"x":'),
    ToolArguments(index=0, text="1}"),
    ToolEnd(index=0),
    ToolStart(index=1, id="call_b", name="f"),
    ToolArguments(index=1, text='{"x":2}'),
    ToolEnd(index=1),
    Finish(reason="tool_calls"),
    Usage(prompt=100, completion=20, cached=60, reasoning=5),
]
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}
MESSAGES = [{"role": "user", "content": "Hi"}]
FRONTS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai_chat": (
        "/v1/chat/completions",
        {
            "messages": MESSAGES,
            "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
            "stream_options": {"include_usage": True},
        },
    ),
    "openai_responses": (
        "/v1/responses",
        {"input": "Hi", "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}]},
    ),
    "anthropic": (
        "/v1/messages",
        {"max_tokens": 100, "messages": MESSAGES, "tools": [{"name": "f", "input_schema": SCHEMA}]},
    ),
}
"""Where each dialect lives, and a request in it."""


def upstream_of(dialect: Dialect) -> ScriptedUpstream:
    """An upstream that answers in a dialect, whole or in a stream of one piece an event, as it is asked."""

    def reply(request: Request) -> Reply:
        asked = ask_chat(tools=FRONTS["openai_chat"][1]["tools"], stream_options={"include_usage": True}, stream=True)
        if not request.json.get("stream"):
            return answer(dialect.render_response(collect(EVENTS), asked, STAMP))
        writer = dialect.writer(asked, STAMP)
        return stream([*(piece for event in EVENTS if (piece := writer.feed([event]))), writer.close()])

    return ScriptedUpstream(reply)


def read(dialect: Dialect, body: bytes) -> Response:
    """What a client of a dialect makes of an answer."""
    assert dialect.upstream is not None
    reader = dialect.upstream.reader()
    return collect([*reader.feed(body), *reader.eof()])


def facts(response: Response) -> Any:
    """What an answer says, whatever the dialect."""
    [choice] = response.choices
    usage = response.usage
    return {
        "reasoning": choice.reasoning,
        "text": choice.text,
        "calls": [(call.id, call.name, json.loads(call.arguments)) for call in choice.tool_calls],
        "finish": choice.finish_reason,
        "usage": usage and (usage.prompt, usage.completion, usage.cached),
        "model": response.model,
    }


async def serve(stack: AsyncExitStack, folder: Path, back: str) -> tuple[Site, ScriptedUpstream]:
    """An application in front of an upstream of a dialect."""
    upstream = await stack.enter_async_context(upstream_of(DIALECTS[back]))

    def wire(_database: Database, catalog: Catalog) -> Router:
        values = {"name": "up", "base_url": upstream.url, "api_keys": ["sk-upstream"], "dialect": back}
        provider = msgspec.convert(values, Provider)
        engine = Remote.connect(provider, DIALECTS[back], {})
        stack.push_async_callback(engine.aclose)
        catalog.set_provider_models("scripted", [ListedModel(name="up-model")])
        clock = SystemClock()
        return Router({"scripted": engine}, limiter=ProcessLimiter(clock), clock=clock)

    settings = Settings(server=Server(data_dir=folder))
    return await stack.enter_async_context(site(folder, settings, wire)), upstream


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("back", FRONTS)
@pytest.mark.parametrize("front", FRONTS)
async def test_any_dialect_answers_from_any(tmp_path: Path, front: str, back: str, streamed: bool) -> None:
    """Thoughts, words, parallel calls, the finish and the usage come through, once each, and the stream is whole."""
    path, body = FRONTS[front]
    async with AsyncExitStack() as stack:
        served, upstream = await serve(stack, tmp_path, back)
        headers = {"x-api-key": served.key}
        asked = {"model": "up-model", "stream": streamed, **body}
        async with served.client.post(served.url + path, json=asked, headers=headers) as response:
            told = await response.read()
    assert response.status == 200, told
    assert facts(read(DIALECTS[front], told)) == facts(collect(EVENTS))
    [sent] = upstream.requests
    assert sent.path.endswith(FRONTS[back][0])
    assert sent.json["model"] == "up-model"
