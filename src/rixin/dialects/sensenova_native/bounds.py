"""Ranges and defaults of request fields, and how many pictures a conversation may hold.

Sources: SenseNova V6 API documentation, section on image-text chat; for `n`, text completions and characters the
platform's Python SDK and its earlier text models.
"""

from decimal import Decimal
from typing import NamedTuple

from rixin.core.cards import FieldRule
from rixin.errors import invalid

_NUMBERS = {
    "max_new_tokens": FieldRule(minimum=1, maximum=16384),
    "repetition_penalty": FieldRule(minimum=0, minimum_open=True, maximum=2),
    "temperature": FieldRule(minimum=0, minimum_open=True, maximum=2),
    "top_p": FieldRule(minimum=0, minimum_open=True, maximum=1, maximum_open=True),
    "n": FieldRule(minimum=1, maximum=4),
}


class Bounds(NamedTuple):
    """The ranges of a route's fields, and what an absent one means there, whatever model answers."""

    rules: dict[str, FieldRule] = _NUMBERS
    max_new_tokens: int = 1024
    temperature: float = 0.8
    top_p: float = 0.7
    repetition_penalty: float | None = None
    """None where an absent one is none at all."""


CHAT = Bounds()
COMPLETION = Bounds(
    {
        **_NUMBERS,
        "max_new_tokens": FieldRule(minimum=1, maximum=2048),
        "top_p": FieldRule(minimum=0, minimum_open=True, maximum=1),
    },
    repetition_penalty=1.05,
)
CHARACTER = Bounds({**_NUMBERS, "max_new_tokens": FieldRule(minimum=1, maximum=1024)}, max_new_tokens=300)

DECIMALS = 6
"""Decimals that a temperature may have, and the places within which the ends of an open range are approached."""

MAX_IMAGES = 6
MAX_VIDEOS = 1


def check_number(bounds: Bounds, field: str, value: float | None) -> None:
    """Refuses a number outside its field's range, and a temperature of more than six decimals."""
    if value is None:
        return
    rule = bounds.rules[field]
    if not rule.admits(value):
        raise invalid(f"invalid {field}, should in {rule.range_text()}.", field)
    if field == "temperature" and _decimals(value) > DECIMALS:
        raise invalid(f"invalid {field}, should have at most {DECIMALS} decimals.", field)


def fit(bounds: Bounds, field: str, value: float) -> float:
    """The number in the field's range that is closest to `value`, with six decimals."""
    rule, step = bounds.rules[field], 10**-DECIMALS
    low, high = rule.minimum or 0, rule.maximum or value
    low, high = low + step * rule.minimum_open, high - step * rule.maximum_open
    return round(min(max(value, low), high), DECIMALS)


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
