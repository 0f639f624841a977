"""The sizes at which models draw: what a client's word means, and which size comes nearest to one that is not drawn."""

import math
import re
from typing import Final, TypeAlias

from rixin.core.cards import ImageRules

Size: TypeAlias = tuple[int, int]
"""Width and height in pixels."""

COMMON: Final[tuple[Size, ...]] = ((1024, 1024), (1536, 1024), (1024, 1536), (1792, 1024), (1024, 1792), (2048, 2048))
"""Sizes that people ask for, in shapes that differ."""

_WORD = re.compile(r"([1-9][0-9]{0,4})[x*×]([1-9][0-9]{0,4})", re.ASCII | re.IGNORECASE)


def size_of(word: str) -> Size | None:
    """The size that `1024x768` means; None for any other word."""
    match = _WORD.fullmatch(word)
    return None if match is None else (int(match[1]), int(match[2]))


def size_text(size: Size) -> str:
    """A size as clients write it."""
    return f"{size[0]}x{size[1]}"


def is_drawn(size: Size, rules: ImageRules) -> bool:
    """Whether a model draws at a size."""
    if rules.sizes:
        return size_text(size) in rules.sizes
    shorter, longer = sorted(size)
    return (
        rules.shortest_edge <= shorter
        and longer <= rules.longest_edge
        and not any(edge % rules.multiple for edge in size)
        and (rules.steepest is None or longer <= rules.steepest * shorter)
    )


def nearest_size(size: Size, rules: ImageRules) -> Size:
    """The size that a model draws and that comes nearest to another one: first by its shape, then by its area."""
    if rules.sizes:
        drawn = [found for word in rules.sizes if (found := size_of(word)) is not None]
        return min(drawn, key=lambda other: _distance(other, size))
    fitted = _fitted(size, rules)
    if rules.steepest is None or is_drawn(fitted, rules):
        return fitted
    shorter = min(fitted)
    longer = math.floor(shorter * rules.steepest / rules.multiple) * rules.multiple
    return (longer, shorter) if fitted[0] > fitted[1] else (shorter, longer)


def offered_sizes(rules: ImageRules) -> tuple[str, ...]:
    """Sizes to choose from: all that a model draws, or common ones within its bounds."""
    return rules.sizes or tuple(dict.fromkeys(size_text(nearest_size(size, rules)) for size in COMMON))


def bounds_text(rules: ImageRules) -> str:
    """The sizes that a model draws, for people to read."""
    if rules.sizes:
        return f"one of {', '.join(rules.sizes)}"
    text = f"WIDTHxHEIGHT with edges in [{rules.shortest_edge},{rules.longest_edge}]"
    if rules.multiple > 1:
        text += f" that are multiples of {rules.multiple}"
    return text if rules.steepest is None else f"{text}, one at most {rules.steepest:g} times as long as the other"


def _fitted(size: Size, rules: ImageRules) -> Size:
    """Each edge for itself brought to the nearest that is allowed."""
    step = rules.multiple
    least = math.ceil(rules.shortest_edge / step) * step
    most = rules.longest_edge // step * step
    width, height = (min(max(round(edge / step) * step, least), most) for edge in size)
    return width, height


def _distance(one: Size, other: Size) -> tuple[float, float]:
    """How far apart two sizes are in shape, to the hundredth, and in area."""
    shape = math.log(one[0] / one[1]) - math.log(other[0] / other[1])
    area = math.log(one[0] * one[1]) - math.log(other[0] * other[1])
    return round(abs(shape), 2), abs(area)
