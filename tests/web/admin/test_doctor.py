"""The doctor over the admin API."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from rixin.dialects.openai_chat import DIALECT
from rixin.engines.remote import Remote
from rixin.engines.trace import Keeping, Trace
from rixin.errors import Kind, RixinError
from rixin.limits.process import ProcessLimiter
from rixin.profiles.profile import NOTHING
from rixin.routing.gate import Gate
from rixin.settings import Provider
from rixin.store.usage_row import UsageRow
from tests.profiles.strict_upstream import Rules
from tests.upstreams.scripted import Request, ScriptedUpstream, Stall, answer, completion
from tests.upstreams.strict import StrictUpstream
from tests.web.admin.site import AdminSite

pytestmark = pytest.mark.asyncio(loop_scope="module")
STRICT = Rules(refused=frozenset({"seed", "store"}), several_systems=True, max_tokens_cap=8192)


@asynccontextmanager
async def served(site: AdminSite, upstream: ScriptedUpstream) -> AsyncGenerator[None]:
    """An upstream that the server has as a stored provider."""
    provider = Provider(name="strict", base_url=upstream.url, api_keys=("sk-upstream-123456",))
    await site.services.providers.add(provider)
    clock = site.services.clock
    engine = Remote.connect(provider, DIALECT, {}, lambda _model: NOTHING)
    site.gates["strict"] = Gate(engine, provider, limiter=ProcessLimiter(clock), clock=clock)
    try:
        yield
    finally:
        await engine.aclose()


async def examined(site: AdminSite, wish: dict[str, Any], name: str = "strict") -> list[tuple[str, Any]]:
    """The events of an examination."""
    url = f"http://127.0.0.1:{site.port}/admin/v1/providers/{name}/doctor"
    headers = {"authorization": f"Bearer {site.admin_key}"}
    async with site.client.post(url, json=wish, headers=headers) as response:
        assert response.status == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = (await response.text()).split("\n\n")
    events = [line.split("\n") for line in lines if line.startswith("event:")]
    return [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in events]


async def test_an_examination_is_streamed(fresh_site: AdminSite) -> None:
    """Findings come one by one, the report last; nothing is changed unless that was wished for."""
    async with StrictUpstream({"m": STRICT}) as upstream, served(fresh_site, upstream):
        *findings, (last, report) = await examined(fresh_site, {"model": "m"})
        assert {name for name, _ in findings} == {"finding"}
        assert last == "report"
        assert [finding for _, finding in findings] == report["findings"]
        assert report["profile"]["drop_params"] == ["seed", "store"]
        assert report["calls"] == len(upstream.requests) <= 60
        assert report["verified"]
        assert fresh_site.services.providers.find("strict").provider.overrides == ()


async def test_what_was_found_is_kept_where_that_is_wished(fresh_site: AdminSite) -> None:
    """It becomes what the provider's settings say of that model, beside what they said before."""
    async with StrictUpstream({"m": STRICT}) as upstream, served(fresh_site, upstream):
        await examined(fresh_site, {"write": True})
        entry = fresh_site.services.providers.find("strict")
        profile = entry.profile_for("m")
        assert profile.drop_params == {"seed", "store"}
        assert profile.clamp["max_tokens"].maximum == 8192
        assert entry.profile_for("n").drop_params == frozenset()
        (_, report) = (await examined(fresh_site, {"write": True}))[-1]
        assert report["differences"] == []
        assert fresh_site.services.providers.find("strict").profile_for("m") == profile


async def test_a_part_of_what_was_found_is_kept(fresh_site: AdminSite) -> None:
    """What is chosen of it joins what the settings say of that model, and nothing else does."""
    async with StrictUpstream({"m": STRICT}) as upstream, served(fresh_site, upstream):
        for profile in ({"drop_params": ["seed"]}, {"drop_params": ["store"], "system_policy": "merge_head"}):
            answer = await fresh_site.ask("POST", "/providers/strict/doctor/keep", {"model": "m", "profile": profile})
            assert answer.status == 200, answer.body
        window = {"model": "m", "context_length": 4096}
        answer = await fresh_site.ask("POST", "/providers/strict/doctor/keep", window)
        (override,) = answer.body["overrides"]
        assert override["context_length"] == 4096
        assert override["profile"] == {"drop_params": ["seed", "store"], "system_policy": "merge_head"}
        wrong = await fresh_site.ask("POST", "/providers/strict/doctor/keep", {"model": "m", "profile": {"speed": 1}})
        assert (wrong.status, wrong.body["error"]["param"]) == (400, "profile")
        assert (await fresh_site.ask("POST", "/providers/filed/doctor/keep", {"model": "m"})).status == 409


async def test_what_cannot_be_examined_is_said(fresh_site: AdminSite) -> None:
    """Unknown providers are a 404, wrong wishes a 400; what shows later is an event."""
    assert (await fresh_site.ask("POST", "/providers/none/doctor", {})).status == 404
    assert (await fresh_site.ask("POST", "/providers/filed/doctor", {"calls": 1})).status == 400
    assert (await fresh_site.ask("POST", "/providers/filed/doctor", {"speed": 1})).status == 400
    assert (await fresh_site.ask("POST", "/providers/filed/doctor", {"write": True})).status == 409
    [(name, error)] = await examined(fresh_site, {"model": "m"}, "filed")
    assert name == "error"
    assert error["error"]["type"] == "configuration"


async def test_an_examination_ends_when_nobody_looks_on(fresh_site: AdminSite) -> None:
    """The client leaves, the call under way is cancelled, and the provider may be examined again."""

    def reply(request: Request) -> Any:
        return answer(json.dumps({"data": [{"id": "m"}]})) if request.method == "GET" else [Stall()]

    async with ScriptedUpstream(reply) as upstream, served(fresh_site, upstream):
        url = f"http://127.0.0.1:{fresh_site.port}/admin/v1/providers/strict/doctor"
        headers = {"authorization": f"Bearer {fresh_site.admin_key}"}
        async with fresh_site.client.post(url, json={}, headers=headers) as response:
            await response.content.readany()
        began = time.monotonic()
        await upstream.left.wait()
        assert time.monotonic() - began < 10
    fresh_site.gates.clear()
    [(name, error)] = await examined(fresh_site, {"model": "m"})
    assert (name, error["error"]["type"]) == ("error", "configuration")


async def test_a_provider_is_examined_once_at_a_time(fresh_site: AdminSite) -> None:
    """A second one is told so, and the first goes on."""

    def reply(request: Request) -> Any:
        return answer(json.dumps({"data": [{"id": "m"}]})) if request.method == "GET" else answer(completion(model="m"))

    async with ScriptedUpstream(reply) as upstream, served(fresh_site, upstream):
        examiner = fresh_site.services.examiner
        begun = asyncio.Event()
        first = asyncio.create_task(examiner.examine("strict", model="m", tell=lambda _finding: begun.set()))
        await begun.wait()
        with pytest.raises(RixinError, match="already"):
            await examiner.examine("strict", model="m")
        assert (await first).stopped is None


async def test_a_failed_request_is_explained(fresh_site: AdminSite) -> None:
    """From the log, and by asking again where that is wished."""
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "seed": 1, "user": "ann"}
    clock = fresh_site.services.clock
    async with StrictUpstream({"m": STRICT}) as upstream, served(fresh_site, upstream):
        row = UsageRow(
            time=1.0,
            id="r1",
            key_id="k",
            key_name="Ada",
            dialect="openai_chat",
            operation="generate",
            model_asked="m",
            model="m",
            provider="strict",
            status=400,
            error="invalid_request",
            total_ms=5.0,
        )
        trace = Trace(clock, clock.monotonic(), Keeping(bodies=True))
        attempt = trace.on_attempt("strict", "openai_chat", "m", json.dumps(body).encode())
        attempt.on_answer(400, {})
        attempt.on_end(RixinError(Kind.INVALID_REQUEST, "no"))
        fresh_site.services.requests.record(row, trace, json.dumps(body).encode())
        plain = await fresh_site.ask("POST", "/requests/r1/explain")
        assert (plain.status, plain.body["how"], plain.body["calls"]) == (200, "nothing", 0)
        asked = await fresh_site.ask("POST", "/requests/r1/explain", {"replay": True, "calls": 12})
        assert (asked.status, asked.body["how"], asked.body["culprits"]) == (200, "nothing", [])  # bodies are not kept
        assert "keep_bodies" in asked.body["note"]
        assert (await fresh_site.ask("POST", "/requests/none/explain")).status == 404
