"""Whose limits bind a request, and what it costs."""

import pytest

from rixin.accounts.account import Account
from rixin.cli.limits import limits_of
from rixin.core.cards import ModelCard
from rixin.core.messages import Message, TextPart
from rixin.core.prices import PriceList
from rixin.core.requests import Embed, Generate
from rixin.core.usage import Usage
from rixin.errors import RixinError
from rixin.limits.base import Cost, Limit
from rixin.limits.plans import Plans
from rixin.routing.catalog import Candidate, Resolution
from rixin.service.costs import FIRST_OUTPUT, UNKNOWN_OUTPUT, Costs
from rixin.settings import ModelPrice, Plan, PlanLimit, Settings
from rixin.settings.checks import check

CARD = ModelCard(name="alias", target="m")
RESOLUTION = Resolution(card=CARD, candidates=(Candidate(engine="up", model="m"), Candidate(engine="dear", model="m")))


def plan(amount: int) -> Plan:
    """Calls in five hours."""
    return Plan(limits=(PlanLimit(unit="requests", amount=amount, window=18000),))


def asks(**fields: object) -> Generate:
    """A request of one word."""
    base = {"model": "alias", "card": CARD, "messages": (Message(role="user", parts=(TextPart("Hi"),)),)}
    return Generate(**(base | fields))  # pyright: ignore[reportArgumentType] - fields by name


def costs(credits_: dict[str, int] | None = None, prices: dict[str, ModelPrice] | None = None) -> Costs:
    """What requests cost by settings."""
    return Costs(credits_, PriceList(prices or {}).of)


def test_key_user_team_and_server_bind_together() -> None:
    """Each has a counter of its own, which all keys of a user, or a team, share."""
    plans = Plans({"k": plan(10), "u": plan(20), "t": plan(30)}, {}, [PlanLimit(unit="requests", amount=9, window=60)])
    limits_for = limits_of(plans)
    account = Account(
        id="1", name="", scopes=frozenset(), plan="k", user="ann", user_plan="u", team="red", team_plan="t"
    )
    other = Account(id="2", name="", scopes=frozenset(), user="ann", user_plan="u", team="red", team_plan="t")
    shared = (
        Limit("user:ann", "requests", 20, 18000),
        Limit("team:red", "requests", 30, 18000),
        Limit("all", "requests", 9, 60),
    )
    assert limits_for(account, asks()) == (Limit("key:1", "requests", 10, 18000), *shared)
    assert limits_for(other, asks()) == shared


def test_the_servers_own_limits_count_each_model_apart() -> None:
    """Where they name models."""
    plans = Plans({}, {}, [PlanLimit(unit="credits", amount=9, window=60, model="m*")])
    account = Account(id="1", name="", scopes=frozenset())
    assert limits_of(plans)(account, asks()) == (Limit("all/model:m", "credits", 9, 60),)


def test_a_key_is_known_by_how_long_its_answers_are() -> None:
    """At first they are taken to have 1,024 tokens, and never more than the request allows."""
    known = costs()
    first = known.presumed(asks(), RESOLUTION, "key").tokens
    for _ in range(100):
        known.learn("key", 100)
    assert first - known.presumed(asks(), RESOLUTION, "key").tokens == FIRST_OUTPUT - 100
    assert first - known.presumed(asks(max_tokens=30), RESOLUTION, "key").tokens == FIRST_OUTPUT - 30
    assert known.presumed(asks(), RESOLUTION, "another").tokens == first


def test_credits_go_by_the_name_that_was_asked_for_then_by_the_true_one() -> None:
    """Names go before globs; a model that nobody names costs one."""
    assert costs({"*": 5, "m": 3}).presumed(asks(), RESOLUTION, "key").credits == 3
    assert costs({"a*": 5, "m": 3, "alias": 2}).presumed(asks(), RESOLUTION, "key").credits == 2
    assert costs({"z*": 5}).presumed(asks(), RESOLUTION, "key").credits == 1
    free = costs({"m": 0})
    assert free.spent(asks(), Usage(prompt=5), None) == Cost(tokens=5, credits=0)


def test_money_is_the_worst_case_with_whoever_may_answer_and_then_the_price_of_who_did() -> None:
    """All choices are as long as they may be, at the dearest price."""
    prices = {"up/m": ModelPrice(completion=1), "dear/m": ModelPrice(completion=4, request="0.5")}
    priced = costs(prices=prices)
    assert priced.presumed(asks(max_tokens=10, n=2), RESOLUTION, "key").money == 500_000 + 80
    assert priced.presumed(asks(), RESOLUTION, "key").money == 500_000 + 4 * UNKNOWN_OUTPUT
    usage = Usage(prompt=3, completion=7)
    assert priced.spent(asks(), usage, RESOLUTION.candidates[0]) == Cost(tokens=10, money=7)
    assert priced.spent(asks(), usage, RESOLUTION.candidates[1]).money == 500_000 + 28


def test_an_embedding_costs_its_texts() -> None:
    """It has no answer that could be longer."""
    embed = Embed(model="alias", card=CARD, inputs=("one two three",))
    known = costs(prices={"up/m": ModelPrice(prompt=1_000_000, completion=9)})
    cost = known.presumed(embed, RESOLUTION, "key")
    assert cost.money == 1_000_000 * cost.tokens


def test_credits_below_nothing_are_no_setting() -> None:
    """The error names the model."""
    with pytest.raises(RixinError, match=r"credits\.m is -1"):
        check(Settings(credits={"m": -1}))
