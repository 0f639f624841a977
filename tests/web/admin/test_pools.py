"""How providers' keys are, over the admin API."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from rixin.dialects.openai_chat import DIALECT
from rixin.engines.remote import Remote
from rixin.errors import Kind, RixinError
from rixin.limits.base import Cost
from rixin.limits.process import ProcessLimiter
from rixin.profiles.profile import NOTHING
from rixin.routing.gate import Ask, Gate
from rixin.settings import Provider
from tests.web.admin.site import AdminSite

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEYS = ("sk-the-first-key-1111", "sk-the-second-key-2222")


@asynccontextmanager
async def gate_of(site: AdminSite, *keys: str) -> AsyncGenerator[Gate]:
    """The way to a stored provider that is called `up`."""
    provider = Provider(name="up", base_url="https://up.example.com/v1", api_keys=keys)
    await site.services.providers.add(provider)
    clock = site.services.clock
    engine = Remote.connect(provider, DIALECT, {}, lambda _model: NOTHING)
    site.gates["up"] = Gate(engine, provider, limiter=ProcessLimiter(clock), clock=clock)
    try:
        yield site.gates["up"]
    finally:
        await engine.aclose()


async def test_keys_are_told_with_their_rests(fresh_site: AdminSite) -> None:
    """One that was refused rests until an instant, for a reason and perhaps for one model; none is shown whole."""
    ask = Ask(model="m", cost=Cost(), asker="key_1")
    async with gate_of(fresh_site, *KEYS) as gate:
        for kind in (Kind.RATE_LIMITED, Kind.UPSTREAM_CREDENTIAL):
            await gate.fail(await gate.enter(ask), RixinError(kind, "No."), None)
        answer = await fresh_site.ask("GET", "/pools")
    (pool,) = answer.body["data"]
    assert (pool["provider"], pool["waiting"], pool["rests"]) == ("up", 0, [])
    first, second = pool["keys"]
    assert (first["key"], first["calls"], second["key"], second["calls"]) == ("...1111", 1, "...2222", 1)
    assert [(rest["model"], rest["reason"]) for rest in first["rests"]] == [("m", "rate_limited")]
    assert [(rest["model"], rest["reason"]) for rest in second["rests"]] == [(None, "upstream_credential")]
    began = fresh_site.services.started_at
    assert all(rest["until"] > began for key in (first, second) for rest in key["rests"])
    assert not any(key in str(answer.body) for key in KEYS)
    assert (await fresh_site.ask("GET", "/pools?provider=filed")).body == {"data": []}


async def test_a_model_that_fails_too_often_is_told(fresh_site: AdminSite) -> None:
    """It rests whatever the key."""
    async with gate_of(fresh_site) as gate:
        gate.breaker("m").rest_until(gate.now() + 600, 3)
        (pool,) = (await fresh_site.ask("GET", "/pools?provider=up")).body["data"]
    assert [(rest["model"], rest["reason"], rest["times"]) for rest in pool["rests"]] == [("m", "overloaded", 3)]
    assert pool["keys"] == [{"key": None, "calls": 0, "rests": []}]
