"""Embeddings from providers, over HTTP on both sides: one loop tries, one row tells."""

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from rixin.cli.provider_rules import DIALECTS
from rixin.clock import SystemClock
from rixin.engines.base import ListedModel
from rixin.engines.remote import Remote
from rixin.limits.base import Limit
from rixin.limits.process import ProcessLimiter
from rixin.routing.catalog import Catalog, Preference
from rixin.routing.router import Router
from rixin.service.embed import PORTION, TextEmbedder
from rixin.settings import Provider, Server, Settings
from rixin.store.database import Database
from tests.support.web import Site, site
from tests.upstreams.scripted import Cut, Reply, Request, ScriptedUpstream, answer

MODEL = "text-embedding-x"
DIALECT_OF = {"first": "openai_chat", "second": "openai_chat", "native": "sensenova_native", "claude": "anthropic"}


def vectors(request: Request) -> Reply:
    """Vectors that tell how long each text is, or a refusal of a key that is no good."""
    if "bad" in request.headers["authorization"]:
        return answer('{"error": {"message": "who are you?"}}', status=401)
    items = [{"index": index, "embedding": [float(len(text)), 0.5]} for index, text in enumerate(request.json["input"])]
    name = "embeddings" if "/llm/" in request.path else "data"
    return answer(json.dumps({name: items, "model": "x", "usage": {"prompt_tokens": 9, "total_tokens": 9}}))


class Served(Struct, frozen=True):
    """An application, and the upstreams behind it by their providers' names."""

    site: Site
    upstreams: dict[str, ScriptedUpstream]
    replies: dict[str, Any]
    catalog: Catalog
    router: Router

    async def ask(self, path: str = "/v1/embeddings", **fields: Any) -> tuple[int, Any, Any]:
        """Status, body and headers of an answer."""
        body = {"model": MODEL, "input": ["a", "bb"], **fields}
        headers = {"authorization": f"Bearer {self.site.key}"}
        async with self.site.client.post(self.site.url + path, json=body, headers=headers) as response:
            return response.status, await response.json(), response.headers


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served, None]:
    """Two providers of one model, and one each that speaks another API."""
    replies: dict[str, Any] = dict.fromkeys(DIALECT_OF, vectors)
    wired: list[Any] = []
    async with AsyncExitStack() as stack:
        upstreams: dict[str, ScriptedUpstream] = {}
        for name in DIALECT_OF:

            def reply(request: Request, name: str = name) -> Reply:
                return replies[name](request)

            upstreams[name] = await stack.enter_async_context(ScriptedUpstream(reply))

        def wire(_database: Database, catalog: Catalog) -> Router:
            providers = [
                Provider(
                    name=name,
                    base_url=upstream.url.removesuffix("/v1"),
                    dialect=DIALECT_OF[name],  # pyright: ignore[reportArgumentType] - one of the names that it knows
                    api_keys=("sk-bad", "sk-good") if name == "second" else ("sk-good",),
                    retries=0,
                )
                for name, upstream in upstreams.items()
            ]
            engines = {p.name: Remote.connect(p, DIALECTS[p.dialect], {}) for p in providers}
            for engine in engines.values():
                stack.push_async_callback(engine.aclose)
            catalog.configure({}, list(engines), preferences={"second": Preference(priority=1)})
            for name in engines:
                listed = MODEL if name in ("first", "second") else f"{name}-embedding"
                catalog.set_provider_models(name, [ListedModel(name=listed)])
            clock = SystemClock()
            router = Router(engines, providers=providers, limiter=ProcessLimiter(clock), clock=clock)
            wired.extend([catalog, router])
            return router

        running = await stack.enter_async_context(site(tmp_path, Settings(server=Server(data_dir=tmp_path)), wire))
        yield Served(running, upstreams, replies, *wired)


async def row(served: Served) -> Any:
    """What was taken down of the latest request."""
    return (await served.site.ledger.recent())[0]


async def test_a_request_reaches_its_provider_as_it_came(served: Served) -> None:
    """Token ids, unknown fields and all; a row tells what it cost."""
    sent: dict[str, Any] = {"input": [[1, 2], [3]], "dimensions": 2, "task": "retrieval", "model": f"first/{MODEL}"}
    status, body, headers = await served.ask(**sent)
    assert status == 200, body
    assert [item["embedding"] for item in body["data"]] == [[2.0, 0.5], [1.0, 0.5]]
    assert served.upstreams["first"].requests[-1].json == {**sent, "model": MODEL}
    assert headers["x-rixin-model"] == f"first/{MODEL}"
    assert "x-rixin-changes" not in headers
    kept = await row(served)
    assert (kept.operation, kept.provider, kept.prompt_tokens, kept.status) == ("embed", "first", 9, 200)


async def test_another_provider_answers_where_the_first_cannot(served: Served) -> None:
    """And another key where one is refused: one answer, and each call is known."""
    served.replies["first"] = lambda _: [Cut()]  # pyright: ignore[reportUnknownLambdaType] - any request
    status, _, headers = await served.ask(model=MODEL)
    assert status == 200
    assert headers["x-rixin-model"] == f"second/{MODEL}"
    used = [request.headers["authorization"] for request in served.upstreams["second"].requests]
    assert used[-1] == "Bearer sk-good"
    record = await served.site.requests.find(headers["x-request-id"])
    assert record is not None
    assert record.attempts[0].engine == "first"
    assert len(record.attempts) == int(headers["x-rixin-attempts"]) >= 2


async def test_a_refusal_is_told_as_it_is(served: Served) -> None:
    """What the provider finds wrong with the request is the client's to know, and nobody else is asked."""
    served.replies["first"] = lambda _: answer(  # pyright: ignore[reportUnknownLambdaType] - any request
        '{"error": {"message": "dimensions must be at most 1", "type": "invalid_request_error"}}', status=400
    )
    status, body, _ = await served.ask(dimensions=2, model=f"first/{MODEL}")
    assert (status, body["error"]["message"]) == (400, "dimensions must be at most 1")
    assert (await row(served)).error == "invalid_request"


async def test_clients_of_one_api_are_answered_by_another(served: Served) -> None:
    """Native for OpenAI, and the other way round; what is not said there is told."""
    status, body, headers = await served.ask(model="native-embedding", task="retrieval")
    assert (status, [item["embedding"][0] for item in body["data"]]) == (200, [1.0, 2.0])
    assert served.upstreams["native"].requests[-1].json == {"model": "native-embedding", "input": ["a", "bb"]}
    assert headers["x-rixin-changes"] == "ignored(task)"
    status, body, _ = await served.ask("/v1/llm/embeddings", model=f"first/{MODEL}")
    assert (status, [item["embedding"][0] for item in body["embeddings"]]) == (200, [1.0, 2.0])
    assert served.upstreams["first"].requests[-1].json == {"model": MODEL, "input": ["a", "bb"]}


async def test_an_api_without_embeddings_says_so(served: Served) -> None:
    """Before anything is sent."""
    status, body, _ = await served.ask(model="claude-embedding")
    assert (status, "no embeddings" in body["error"]["message"]) == (501, True)
    assert not served.upstreams["claude"].requests


async def test_tokens_count_against_limits(served: Served) -> None:
    """What was reserved is settled by what the provider counted."""
    served.site.limits.append(Limit("key:x", "tokens", 12, 3600.0))
    assert (await served.ask(model=f"first/{MODEL}"))[0] == 200
    status, _, headers = await served.ask(model=f"first/{MODEL}", input=["word " * 8])
    assert status == 429
    assert "retry-after" in headers
    assert len(served.upstreams["first"].requests) == 1
    assert (await row(served)).error == "quota_exhausted"


async def test_our_own_rooms_get_bytes(served: Served) -> None:
    """For more texts than are asked for at a time, in their order, and without a row."""
    embed = TextEmbedder(served.catalog, served.router, f"first/{MODEL}")
    texts = ["x" * size for size in range(1, PORTION + 3)]
    made = await embed(texts, "passage")
    assert [len(vector) for vector in made] == [8] * len(texts)
    assert made[-1][:4] == b"\0\0\x84\x42"  # 66.0
    assert len(served.upstreams["first"].requests) == 2
    assert not await served.site.ledger.recent()
    assert await embed([], "query") == []
