"""Prices and costs in integers, so that sums of them are exact.

Money is counted in micro-units: millionths of the currency's unit. A price is micro-units per million tokens, and so a
token costs a whole number of millionths of a micro-unit; these are added up for a request and rounded once, up. No
request is too small to count, none costs a whole micro-unit more than it should, and none costs more than its
`worst_case`.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Self

from msgspec import Struct

from rixin.core.cards import ModelCard, Pricing
from rixin.core.usage import Usage
from rixin.errors import Kind, RixinError
from rixin.settings import ModelPrice

MICRO = 1_000_000
"""Micro-units of a unit of currency, and tokens that a price is for."""
HIGHEST = 10**9
"""No price is above this, in units of currency."""


class Price(Struct, frozen=True, kw_only=True):
    """What a model costs, in micro-units of one currency."""

    prompt: int = 0
    """A million prompt tokens that were not cached, or tokens of retrieved passages."""
    completion: int = 0
    """A million completion tokens, those of reasoning included."""
    cached: int = 0
    """A million prompt tokens that were cached."""
    request: int = 0
    """One request that was served, whatever its tokens."""

    @classmethod
    def of(cls, pricing: Pricing | ModelPrice) -> Self:
        """A price from its decimals.

        Raises:
            ValueError: One of them is no number from 0 to 1000000000, or has more than six decimals.
        """
        prompt = micro_units(pricing.prompt)
        return cls(
            prompt=prompt,
            completion=micro_units(pricing.completion),
            cached=prompt if pricing.cached is None else micro_units(pricing.cached),
            request=micro_units(pricing.request),
        )

    def cost(self, usage: Usage) -> int:
        """What a request that was served costs, in micro-units."""
        cached = min(usage.cached, usage.prompt)
        tokens = (
            (usage.prompt - cached + usage.knowledge) * self.prompt
            + cached * self.cached
            + usage.completion * self.completion
        )
        return self.request + _rounded_up(tokens)

    def pricing(self, currency: str) -> Pricing:
        """This price as cards have it."""
        return Pricing(
            prompt=decimal_text(self.prompt),
            completion=decimal_text(self.completion),
            cached=None if self.cached == self.prompt else decimal_text(self.cached),
            request=decimal_text(self.request),
            currency=currency,
        )

    def worst_case(self, prompt_tokens: int, max_output: int) -> int:
        """What a request may cost at most, in micro-units.

        Args:
            prompt_tokens: Of its prompt, passages that are retrieved for it included.
            max_output: Tokens that come back at most, of all choices together.
        """
        return self.request + _rounded_up(prompt_tokens * max(self.prompt, self.cached) + max_output * self.completion)


FREE = Price()
"""Of models whose price nobody told."""


class PriceList:
    """The prices of all models, in one currency.

    Args:
        prices: What is charged, by a model's own name or a glob, either with or without `provider/` before it. A name
            goes before globs; of these the first one that fits counts.
        known: What is documented of models, by name; theirs are the prices where nothing else is said.
        currency: Of all prices. One that is documented in another currency does not count.

    Raises:
        RixinError: `CONFIGURATION`, naming the model whose price is not a proper one.
    """

    def __init__(
        self, prices: Mapping[str, ModelPrice], known: Mapping[str, ModelCard] | None = None, currency: str = "USD"
    ) -> None:
        self.currency = currency
        self._prices = _parsed(prices.items())
        documented = ((name, card.pricing) for name, card in (known or {}).items())
        self._known = _parsed((name, pricing) for name, pricing in documented if pricing.currency == currency)
        self._found: dict[tuple[str, str], Price] = {}

    def of(self, provider: str, model: str) -> Price:
        """The price of a provider's model, `model` being the provider's own name for it."""
        found = self._found.get((provider, model))
        if found is None:
            if len(self._found) >= 4096:
                self._found.clear()
            found = self._found[provider, model] = self._look_up(provider, model)
        return found

    def _look_up(self, provider: str, model: str) -> Price:
        names = (f"{provider}/{model}", model)
        for name in names:
            if name in self._prices:
                return self._prices[name]
        for glob, price in self._prices.items():
            if any(fnmatchcase(name, glob) for name in names):
                return price
        return self._known.get(model, FREE)


def micro_units(amount: str | float) -> int:
    """An amount of money as a whole number of micro-units.

    Raises:
        ValueError: It is no number from 0 to 1000000000, or has more than six decimals.
    """
    try:
        exact = Decimal(str(amount)) * MICRO
    except ArithmeticError:
        raise ValueError(f"{amount!r} is no number") from None
    if not (exact.is_finite() and 0 <= exact <= HIGHEST * MICRO):
        raise ValueError(f"{amount} does not lie between 0 and {HIGHEST}")
    if exact != int(exact):
        raise ValueError(f"{amount} has more than six decimals")
    return int(exact)


def decimal_text(micro: int) -> str:
    """An amount of micro-units in units of currency, such as `0.000125`, without zeros at its end."""
    whole, part = divmod(abs(micro), MICRO)
    text = f"{whole}.{part:06}".rstrip("0").rstrip(".")
    return f"-{text}" if micro < 0 else text


def _parsed(pricings: Iterable[tuple[str, Pricing | ModelPrice]]) -> dict[str, Price]:
    prices: dict[str, Price] = {}
    for name, pricing in pricings:
        try:
            prices[name] = Price.of(pricing)
        except ValueError as error:
            raise RixinError(Kind.CONFIGURATION, f"the price of {name}: {error}") from None
    return prices


def _rounded_up(millionths: int) -> int:
    return -(-millionths // MICRO)
