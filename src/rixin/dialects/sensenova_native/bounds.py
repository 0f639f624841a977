"""Ranges and defaults of request fields, and how many pictures a conversation may hold.

Source: SenseNova V6 API documentation, section on image-text chat; `n` from the platform's earlier text models.
"""

from decimal import Decimal

from rixin.core.cards import FieldRule
from rixin.errors import invalid

BOUNDS: dict[str, FieldRule] = {
    "max_new_tokens": FieldRule(minimum=1, maximum=16384),
    "repetition_penalty": FieldRule(minimum=0, minimum_open=True, maximum=2),
    "temperature": FieldRule(minimum=0, minimum_open=True, maximum=2),
    "top_p": FieldRule(minimum=0, minimum_open=True, maximum=1, maximum_open=True),
    "n": FieldRule(minimum=1, maximum=4),
}

DEFAULT_MAX_NEW_TOKENS = 1024
DEFAULT_TEMPERATURE = 0.8
DEFAULT_TOP_P = 0.7
"""What an absent field means on this wire, whatever model answers. An absent `repetition_penalty` is none at all."""

DECIMALS = 6
"""Decimals that a temperature may have, and the places within which the ends of an open range are approached."""

MAX_IMAGES = 6
MAX_VIDEOS = 1


def check_number(field: str, value: float | None) -> None:
    """Refuses a number outside its field's range, and a temperature of more than six decimals."""
    if value is None:
        return
    rule = BOUNDS[field]
    if not rule.admits(value):
        raise invalid(f"invalid {field}, should in {rule.range_text()}.", field)
    if field == "temperature" and _decimals(value) > DECIMALS:
        raise invalid(f"invalid {field}, should have at most {DECIMALS} decimals.", field)


def fit(field: str, value: float) -> float:
    """The number in the field's range that is closest to `value`, with six decimals."""
    rule, step = BOUNDS[field], 10**-DECIMALS
    low, high = rule.minimum or 0, rule.maximum or value
    low, high = low + step * rule.minimum_open, high - step * rule.maximum_open
    return round(min(max(value, low), high), DECIMALS)


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
