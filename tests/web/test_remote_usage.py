"""Usage of streams from an upstream that tells it only to those who ask: always counted, shown to who wants it."""

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from rixin.clock import SystemClock
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.base import ListedModel
from rixin.engines.remote import Remote
from rixin.limits.process import ProcessLimiter
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.settings import Provider, Server, Settings
from rixin.settings.fast_path import FAST_PATH
from rixin.store.database import Database
from tests.support.web import Site, site
from tests.upstreams.scripted import (
    DONE,
    Reply,
    Request,
    ScriptedUpstream,
    answer,
    completion,
    completion_events,
    stream,
)

MODEL = "scripted"


def only_when_asked(request: Request) -> Reply:
    """A whole answer, or a stream whose last event, the usage, comes to those who asked for it."""
    if not request.json.get("stream"):
        return answer(completion())
    events = completion_events()
    wanted = request.json.get("stream_options", {}).get("include_usage")
    return stream([*(events if wanted else events[:-1]), DONE])


class Served(Struct, frozen=True):
    """An application, and the upstream behind it."""

    site: Site
    upstream: ScriptedUpstream

    async def ask(self, **fields: Any) -> tuple[list[Any], Any]:
        """The events that a client gets, and what the upstream was sent."""
        async with self.site.post(model=MODEL, **fields) as response:
            assert response.status == 200
            text = await response.text()
        events = [line.removeprefix("data: ") for line in text.split("\n\n") if line.startswith("data: ")]
        return [json.loads(event) for event in events if event != "[DONE]"], self.upstream.requests[-1].json

    async def counted(self) -> tuple[int, int, bool]:
        """Tokens in, tokens out, and whether they are guessed, of the latest request."""
        row = (await self.site.ledger.recent())[0]
        return row.prompt_tokens, row.completion_tokens, row.estimated


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served, None]:
    """The application over HTTP on both sides."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(ScriptedUpstream(only_when_asked))

        def wire(_database: Database, catalog: Catalog) -> Router:
            engine = Remote.connect(Provider(name="up", base_url=upstream.url), DIALECT, {})
            stack.push_async_callback(engine.aclose)
            catalog.set_provider_models("scripted", [])
            catalog.set_provider_models("up", [ListedModel(name=MODEL)])
            clock = SystemClock()
            return Router({"up": engine}, limiter=ProcessLimiter(clock), clock=clock)

        running = await stack.enter_async_context(site(tmp_path, Settings(server=Server(data_dir=tmp_path)), wire))
        yield Served(running, upstream)


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": False}}, {"stream_options": {}}])
async def test_usage_is_counted_where_the_client_does_not_want_it(served: Served, options: dict[str, Any]) -> None:
    """The upstream is asked for it, the ledger has its figures, and the client sees none."""
    events, sent = await served.ask(stream=True, **options)
    assert sent["stream_options"] == {"include_usage": True}
    assert not any("usage" in event for event in events)
    assert all(event["choices"] for event in events)
    assert await served.counted() == (5, 2, False)


async def test_usage_is_shown_where_the_client_wants_it(served: Served) -> None:
    """It asked itself, so that the upstream's own bytes reach it where they may, its usage the last of them."""
    events, sent = await served.ask(stream=True, stream_options={"include_usage": True})
    assert sent["stream_options"] == {"include_usage": True}
    told = [json.loads(event.removeprefix(b"data: ")) for event in completion_events()]
    assert events == told or not FAST_PATH
    assert events[-1]["usage"].items() >= told[-1]["usage"].items()
    assert await served.counted() == (5, 2, False)


async def test_other_stream_options_stay(served: Served) -> None:
    """What else the client said about its stream reaches the upstream."""
    _, sent = await served.ask(stream=True, stream_options={"include_obfuscation": False})
    assert sent["stream_options"] == {"include_obfuscation": False, "include_usage": True}


async def test_a_whole_answer_is_not_asked_for_stream_options(served: Served) -> None:
    """Upstreams refuse them beside a request that is no stream."""
    async with served.site.post(model=MODEL) as response:
        assert (await response.json())["usage"]["total_tokens"] == 7
    assert "stream_options" not in served.upstream.requests[-1].json
    assert await served.counted() == (5, 2, False)
