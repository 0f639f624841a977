"""Prices and costs."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.core.cards import ModelCard, Pricing
from rixin.core.prices import FREE, Price, PriceList, decimal_text, micro_units
from rixin.core.usage import Usage
from rixin.errors import Kind, RixinError
from rixin.settings import ModelPrice

TOKENS = st.integers(min_value=0, max_value=10**7)
MICRO_UNITS = st.integers(min_value=0, max_value=10**9)
PRICES = st.builds(Price, prompt=MICRO_UNITS, completion=MICRO_UNITS, cached=MICRO_UNITS, request=MICRO_UNITS)


def test_each_kind_of_token_has_its_price() -> None:
    """Cached tokens are part of the prompt, reasoning of the completion; passages cost what a prompt does."""
    price = Price.of(Pricing(prompt="2.5", completion="10", cached="0.25", request="0.01"))
    usage = Usage(prompt=1000, cached=400, completion=200, reasoning=150, knowledge=100)
    assert price.cost(usage) == 700 * 2.5 + 400 * 0.25 + 200 * 10 + 10_000


def test_cached_tokens_cost_what_others_do_where_nothing_else_is_said() -> None:
    """A price that names no cached tokens does not give them away."""
    price = Price.of(Pricing(prompt="3"))
    assert price.cost(Usage(prompt=10, cached=10)) == 30


@given(price=PRICES, prompt=TOKENS, cached=TOKENS, completion=TOKENS, knowledge=TOKENS)
def test_a_cost_is_the_exact_one_rounded_up(
    price: Price, prompt: int, cached: int, completion: int, knowledge: int
) -> None:
    """Less than a micro-unit is added to a request, nothing is taken, and its worst case is never below."""
    cached = min(cached, prompt)
    cost = price.cost(Usage(prompt=prompt, cached=cached, completion=completion, knowledge=knowledge))
    exact = price.request + Fraction(
        (prompt - cached + knowledge) * price.prompt + cached * price.cached + completion * price.completion, 10**6
    )
    assert 0 <= cost - exact < 1
    assert cost <= price.worst_case(prompt + knowledge, completion)


def test_the_smallest_request_counts() -> None:
    """However many requests cost a part of a micro-unit each, they are not for nothing."""
    assert Price.of(Pricing(prompt="0.000001")).cost(Usage(prompt=1)) == 1


def test_more_cached_than_prompt_costs_no_less_than_nothing() -> None:
    """An upstream that reports nonsense is billed by what makes sense of it."""
    assert Price(prompt=10**6, cached=10**6).cost(Usage(prompt=3, cached=5)) == 3


@given(micro=st.integers(min_value=0, max_value=10**15))
def test_amounts_come_back_from_their_text(micro: int) -> None:
    """A price that is shown is the price that counts."""
    assert micro_units(decimal_text(micro)) == micro
    assert decimal_text(-micro) == ("-" if micro else "") + decimal_text(micro)


def test_amounts_may_be_numbers() -> None:
    """A number in a file means what it says, not the binary fraction beside it."""
    assert micro_units(0.1) == 100_000
    assert micro_units(1e-06) == 1
    assert micro_units(15) == 15_000_000


@pytest.mark.parametrize("amount", ["", "a", "NaN", "Infinity", "-1", "1e400000000", "1000000001", "0.0000001", -0.5])
def test_what_is_no_price_is_refused(amount: str | float) -> None:
    """Nothing negative, endless or too fine, with the model and the amount in the error."""
    with pytest.raises(RixinError, match="gpt") as caught:
        PriceList({"gpt-*": ModelPrice(prompt=amount)})
    assert caught.value.kind is Kind.CONFIGURATION
    assert str(amount)[:5] in caught.value.message


def test_a_name_goes_before_globs_and_a_provider_before_all() -> None:
    """The price of a model at one provider, of a model anywhere, of whatever fits a glob, of its card, else none."""
    prices = PriceList(
        {
            "up/*": ModelPrice(prompt=1),
            "gpt-*": ModelPrice(prompt=2),
            "gpt-5": ModelPrice(prompt=3),
            "other/gpt-5": ModelPrice(prompt=4),
        },
        {
            "known": ModelCard(name="known", target="known", pricing=Pricing(prompt="5")),
            "foreign": ModelCard(name="foreign", target="foreign", pricing=Pricing(prompt="6", currency="CNY")),
        },
    )
    found = [
        prices.of(provider, model).prompt // 10**6
        for provider, model in (
            ("other", "gpt-5"), ("third", "gpt-5"), ("third", "gpt-4"), ("up", "gpt-4"), ("up", "known"),
            ("third", "known"),
        )
    ]  # fmt: skip
    assert found == [4, 3, 2, 1, 1, 5]
    assert prices.of("third", "foreign") == prices.of("third", "unknown") == FREE


def test_a_price_is_shown_as_cards_show_it() -> None:
    """What models' lists say is what is charged."""
    price = Price(prompt=150_000, completion=600_000, cached=75_000, request=1)
    assert price.pricing("CNY") == Pricing(
        prompt="0.15", completion="0.6", cached="0.075", request="0.000001", currency="CNY"
    )
    assert Price.of(price.pricing("CNY")) == price
