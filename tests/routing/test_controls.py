"""What is proved of an upstream, kept, tested again and forgotten, through the whole application."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from rixin.errors import Kind, RixinError
from rixin.profiles.profile import NOTHING
from rixin.store.learned import LearnedTable
from tests.limits.manual_clock import MICROSECONDS, ManualClock
from tests.profiles.strict_upstream import Rules
from tests.routing.asking import HI, asked, opaque
from tests.support.hang import HANG
from tests.support.healing import PROVIDER, HealingSite, healing_site
from tests.upstreams.scripted import Reply, Request, Stall, answer
from tests.upstreams.strict import StrictUpstream


async def test_e6_a_rule_is_stored_once_a_control_has_proved_it(tmp_path: Path) -> None:
    """Before that, other clients' requests go out as they are; after it, without the part."""
    upstream = opaque("seed")
    async with healing_site(tmp_path, upstream, controls=False) as healing:
        await healing.ask(asked(seed=7))
        other = asked(seed=8, top_k=3)
        await healing.ask(other)
        assert upstream.bodies("m")[2] == other
        assert healing.learned.rules(PROVIDER) == []
        assert upstream.calls["m"] == 2 + 2
        healing.start_controls()
        await healing.rest()
        assert [rule.part for rule in healing.learned.rules(PROVIDER)] == ["seed"]
        having, lacking, *_ = (body for body in upstream.bodies("m") if body["messages"] != [HI])
        assert having == {**lacking, "seed": having["seed"]}
        told = await healing.ask(other)
        assert (told.attempts, told.changes) == (1, "drop_param(seed)")


async def test_what_was_proved_waits_for_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that cannot be stored at once is stored later, without another control."""
    clock = ManualClock()
    async with healing_site(tmp_path, opaque("seed"), clock=clock) as healing:
        with monkeypatch.context() as patch:

            async def put(_table: LearnedTable, _rule: object) -> None:
                raise RixinError(Kind.OVERLOADED, "away")

            patch.setattr(LearnedTable, "put", put)
            await healing.ask(asked(seed=7))
            await healing.rest()
        calls = healing.upstream.calls["m"]
        assert healing.learned.rules(PROVIDER) == []
        clock.advance(90 * MICROSECONDS)
        await healing.ask(asked())
        await healing.rest()
        assert [rule.part for rule in healing.learned.rules(PROVIDER)] == ["seed"]
        assert healing.upstream.calls["m"] == calls + 1


async def test_what_was_learned_is_forgotten_on_demand(healing: HealingSite) -> None:
    """A rule that was removed holds no more, and is learned anew where it is still true."""
    await healing.ask(asked(seed=7))
    await healing.rest()
    assert healing.profile(PROVIDER, "m") != NOTHING
    assert await healing.learned.forget(PROVIDER, "m", "seed") == 1
    assert (await healing.ask(asked(seed=7))).attempts == 2
    await healing.rest()
    assert (await healing.ask(asked(seed=7))).attempts == 1


async def test_controls_are_few(tmp_path: Path) -> None:
    """There are ten an hour for a model, and the others follow in the hours after."""
    clock = ManualClock()
    fields: dict[str, Any] = {
        "top_p": 0.8,
        "top_k": 3,
        "min_p": 0.1,
        "seed": 1,
        "verbosity": "low",
        "logit_bias": {"5": 1},
    }
    fields |= {"presence_penalty": 0.3, "frequency_penalty": 0.3, "repetition_penalty": 1.2, "thinking_budget": 99}
    fields |= {"prediction": {"type": "content", "content": "x"}, "do_sample": False, "reasoning_effort": "low"}
    upstream = opaque(*fields)
    async with healing_site(tmp_path, upstream, clock=clock) as healing:
        for hour, proved in enumerate((10, len(fields), len(fields))):
            told = await healing.ask(asked(**fields))
            assert told.status == 200
            await healing.rest()
            await healing.ask(asked())
            await healing.rest()
            assert len(healing.learned.rules(PROVIDER)) == proved, hour
            clock.advance(3700 * MICROSECONDS)


async def test_controls_count_in_the_keys_window(tmp_path: Path) -> None:
    """They take no more of a key than is left of it, and leave the rest for later."""
    clock = ManualClock()
    limit = {"unit": "requests", "amount": 3, "window": 60.0}
    upstream = opaque("seed")
    async with healing_site(tmp_path, upstream, clock=clock, key_limits=[limit]) as healing:
        assert (await healing.ask(asked(seed=7))).attempts == 2
        await healing.rest()
        assert (upstream.calls["m"], healing.learned.rules(PROVIDER)) == (3, [])
        clock.advance(120 * MICROSECONDS)
        await healing.ask(asked())
        await healing.rest()
        assert [rule.part for rule in healing.learned.rules(PROVIDER)] == ["seed"]
        assert upstream.calls["m"] == 6


async def test_nothing_is_tested_while_a_key_cools(tmp_path: Path) -> None:
    """A control waits until the upstream has no complaint about the rate."""
    clock = ManualClock()
    limited: list[Reply] = []

    class Busy(StrictUpstream):
        def _reply(self, request: Request) -> Reply:
            return limited.pop() if limited else super()._reply(request)

    upstream = Busy({"m": Rules(refused=frozenset({"seed"}))})
    impatient: dict[str, Any] = {"retries": 0, "queue_deadline": 0.0}
    async with healing_site(tmp_path, upstream, clock=clock, controls=False, **impatient) as healing:
        await healing.ask(asked(seed=7))
        limited.append(answer('{"error":{"message":"rate limit"}}', status=429, retry_after="30"))
        assert (await healing.ask(asked())).status == 429
        assert healing.controls.cools(PROVIDER, "m")
        healing.start_controls()
        await healing.rest()
        assert healing.learned.rules(PROVIDER) == []
        clock.advance(90 * MICROSECONDS)
        assert not healing.controls.cools(PROVIDER, "m")
        await healing.ask(asked())
        await healing.rest()
        assert [rule.part for rule in healing.learned.rules(PROVIDER)] == ["seed"]


async def test_rules_are_tested_again_after_a_week(tmp_path: Path) -> None:
    """One that still holds is kept for another week, and one that holds no more goes."""
    clock = ManualClock()
    upstream = opaque("seed", "top_k")
    async with healing_site(tmp_path, upstream, clock=clock) as healing:
        await healing.ask(asked(seed=7, top_k=3))
        await healing.rest()
        assert {rule.part for rule in healing.learned.rules(PROVIDER)} == {"seed", "top_k"}
        upstream.rules["m"] = Rules(refused=frozenset({"seed"}))
        before = upstream.calls["m"]
        await healing.ask(asked())
        await healing.rest()
        assert upstream.calls["m"] == before + 1
        clock.advance(8 * 86400 * MICROSECONDS)
        await healing.ask(asked())
        await healing.rest()
        [rule] = healing.learned.rules(PROVIDER)
        assert (rule.part, rule.expires_at) == ("seed", clock.now() + 7 * 86400)


async def test_shutting_down_waits_for_no_control(tmp_path: Path) -> None:
    """A control whose upstream is silent is given up with the server."""

    tested = asyncio.Event()

    class Silent(StrictUpstream):
        def _reply(self, request: Request) -> Reply:
            if request.json["messages"] == [HI]:
                return super()._reply(request)
            tested.set()
            return [Stall()]

    upstream = Silent({"m": Rules(refused=frozenset({"seed"}))})
    async with asyncio.timeout(HANG), healing_site(tmp_path, upstream) as healing:
        await healing.ask(asked(seed=7))
        await tested.wait()
    assert healing.learned.rules(PROVIDER) == []
