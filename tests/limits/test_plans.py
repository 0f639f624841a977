"""Plans, and the limits that they mean."""

from pathlib import Path

import pytest

import rixin.profiles
from rixin.errors import Kind, RixinError
from rixin.limits.base import Limit
from rixin.limits.plans import Plans, limits_of
from rixin.profiles.plans import load_plans
from rixin.settings import Plan, PlanLimit

PUBLISHED = load_plans((Path(rixin.profiles.__file__).parent / "plans.toml").read_bytes())


@pytest.mark.parametrize("model", ["SenseNova-V6-Pro", "SenseNova-V6-Turbo", "SenseNova-V6-Reasoner"])
def test_each_v6_model_has_sixty_requests_and_its_tokens_a_minute(model: str) -> None:
    """The native API's limits count each model apart."""
    key = f"key:7/model:{model}"
    limits = Plans({}, PUBLISHED).limits_for((("key:7", "sensenova-v6"),), model)
    assert limits == (Limit(key, "requests", 60, 60), Limit(key, "tokens", 128000, 60))


@pytest.mark.parametrize(
    ("model", "calls"), [("sensenova-6.7-flash-lite", 1500), ("deepseek-v4-flash", 150), ("sensenova-u1-fast", 1500)]
)
def test_the_token_plan_has_calls_for_each_model_in_five_hours(model: str, calls: int) -> None:
    """The token platform's plan, model by model."""
    limits = Plans({}, PUBLISHED).limits_for((("key:7", "sensenova-token-plan"),), model)
    assert limits == (Limit(f"key:7/model:{model}", "requests", calls, 18000),)


def test_a_limit_without_a_model_counts_all_models_together() -> None:
    """Two models share one counter, and another account has its own."""
    plans = Plans({"small": Plan(limits=(PlanLimit(unit="concurrency", amount=2),))}, {})
    assert (
        plans.limits_for((("key:7", "small"),), "a")
        == plans.limits_for((("key:7", "small"),), "b")
        == (Limit("key:7", "concurrency", 2),)
    )
    assert plans.limits_for((("key:8", "small"),), "a") == (Limit("key:8", "concurrency", 2),)


def test_an_alias_is_no_way_around_a_limit() -> None:
    """A limit that names the true model counts it, whatever name was asked for."""
    plans = Plans({}, PUBLISHED)
    direct = plans.limits_for((("key:7", "sensenova-token-plan"),), "deepseek-v4-flash")
    assert plans.limits_for((("key:7", "sensenova-token-plan"),), "deepseek-v4-flash", asked="cheap") == direct


def test_a_limit_on_an_alias_binds_who_asks_by_it() -> None:
    """A limit that names only the asked name counts that."""
    limits = Plans({}, PUBLISHED).limits_for((("key:7", "sensenova-token-plan"),), "local", asked="deepseek-v4-flash")
    assert limits == (Limit("key:7/model:deepseek-v4-flash", "requests", 150, 18000),)


def test_invented_names_share_one_counter() -> None:
    """Names that clients make up to fit a glob are counted together, so that none of them is a fresh start."""
    plans = Plans({"p": Plan(limits=(PlanLimit(unit="requests", amount=5, window=60, model="claude-*"),))}, {})
    limits = {plans.limits_for((("key:7", "p"),), "local", asked=f"claude-{number}") for number in range(5)}
    assert limits == {(Limit("key:7/model:claude-*", "requests", 5, 60),)}


def test_models_that_a_plan_does_not_name_are_not_limited_by_it() -> None:
    """Which models a key may use is a matter of its scope, not of its plan."""
    plans = Plans({}, PUBLISHED)
    assert plans.limits_for((("key:7", "sensenova-v6"),), "local") == ()
    assert plans.limits_for((("key:7", None),), "SenseNova-V6-Pro") == ()


def test_a_configured_plan_wins_over_a_published_one() -> None:
    """The operator may say what a plan means here."""
    plans = Plans({"sensenova-v6": Plan(limits=())}, PUBLISHED)
    assert plans.limits_for((("key:7", "sensenova-v6"),), "SenseNova-V6-Pro") == ()
    assert plans.is_configured("sensenova-v6")
    assert not plans.is_configured("sensenova-token-plan")


def test_a_plan_that_was_taken_away_stops_its_keys() -> None:
    """A key whose plan is unknown is not served without limits, and its holder learns no other plan's name."""
    with pytest.raises(RixinError, match="'gone'") as caught:
        Plans({}, PUBLISHED).limits_for((("key:7", "gone"),), "local")
    assert caught.value.kind is Kind.CONFIGURATION
    assert "sensenova" not in caught.value.message


@pytest.mark.parametrize(
    "limit",
    [
        PlanLimit(unit="requests", amount=5),
        PlanLimit(unit="concurrency", amount=5, window=60),
        PlanLimit(unit="tokens", amount=-1, window=60),
        PlanLimit(unit="tokens", amount=10**18, window=60),
        PlanLimit(unit="tokens", amount=5, window=0),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_by_name(limit: PlanLimit) -> None:
    """The error says in which plan the wrong limit is."""
    with pytest.raises(RixinError, match="plan 'mine'") as caught:
        Plans({"mine": Plan(limits=(limit,))}, {})
    assert caught.value.kind is Kind.CONFIGURATION


def test_all_limits_of_somebody_are_found() -> None:
    """One for all models once, one for some once for each, and one for none that there is under its own name."""
    rules = (
        PlanLimit(unit="requests", amount=1, window=60.0),
        PlanLimit(unit="requests", amount=2, window=60.0, model="a*"),
        PlanLimit(unit="tokens", amount=3, window=60.0, model="gone-*"),
    )
    found = limits_of("key:k", rules, ["a1", "a2", "b"])
    assert [(limit.key, limit.amount) for limit in found] == [
        ("key:k", 1),
        ("key:k/model:a1", 2),
        ("key:k/model:a2", 2),
        ("key:k/model:gone-*", 3),
    ]
