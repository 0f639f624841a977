"""Where each block stands, and how large all words are.

Blocks stand in rows, in their order. The heights that they would have at each of some widths are measured by whoever
draws them; here the largest size of words is found at which all fit on the page, then the arrangement at that size
that leaves the least empty, then the room that is left is given to what can use it. What fits at no size that can be
read is left out whole, and told.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from rixin.engines.draw.templates import Header

_ROWS: Final[dict[int, tuple[tuple[float, ...], ...]]] = {
    1: ((1.0,),),
    2: ((0.5, 0.5), (0.38, 0.62), (0.62, 0.38)),
    3: ((1 / 3, 1 / 3, 1 / 3),),
    4: ((0.25, 0.25, 0.25, 0.25),),
}
"""How the width of a row may be shared by so many blocks."""
SHARES: Final = tuple(dict.fromkeys(share for options in _ROWS.values() for option in options for share in option))
"""The shares of a row that a block may have."""

_COMFORT: Final[dict[str, tuple[float, float]]] = {
    "figures": (9, 36),
    "steps": (11, 40),
    "sections": (13, 39),
    "comparison": (12, 36),
    "timeline": (8.5, 44),
    "table": (6.5, 40),
    "hierarchy": (9.5, 40),
    "line": (20, 20),
    "bar": (17, 17),
    "pie": (16, 16),
    "list": (16, 16),
    "quote": (20, 20),
    "note": (20, 20),
}
"""The width below which a kind of block begins to look narrow, in letters of body text: for each of its parts, and at
most."""
_SPREADING: Final[dict[str, float]] = {"line": 1.3, "bar": 1.1, "pie": 0.6}
"""How much higher than it must be a block may be drawn, where it is not `_SPREAD`."""
_SPREAD: Final = 0.35
_IMPORTANCE: Final = (
    *("line", "bar", "pie", "table", "figures", "comparison", "timeline", "steps", "hierarchy", "list", "sections"),
    *("quote", "note"),
)
"""What is left out last, first."""
_NARROW: Final = 0.7
_SMALL: Final = 0.9
_EMPTY: Final = 0.5
_STRETCHED: Final = 0.12
_WRAPPED: Final = 0.3
_TALL: Final = 0.3
"""What it costs that a block is narrow, that all words are smaller than they might be, that room is left empty or
has to be filled by stretching, that
some words are smaller than others of their kind, and that a chart is higher than wide."""
_LEAST_RATIO: Final = 0.8
"""How small words may become, against what is around them, so that the longest of them fit."""
_SIZES: Final = 15
"""Sizes of words that are tried, each the same part smaller than the one before."""
_VARIANTS: Final = 3
_TRIED: Final = 5
"""Sizes below the largest possible one that are looked at for a better arrangement."""
_TITLE_FACTORS: Final = (1.7, 1.35)
"""How much larger than usual a title may be where there is room, the largest first."""


class Measure(Struct, frozen=True):
    """How high something is, and how small its words had to become against what was asked."""

    height: float
    ratio: float


class Measures(Struct, frozen=True):
    """What was measured at a size of words."""

    headers: tuple[Measure, ...]
    blocks: tuple[tuple[Measure, ...], ...]
    """One a block and share of `SHARES`."""


class Frame(Struct, frozen=True):
    """A part of the page, in pixels from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


class Content(Struct, frozen=True):
    """A block, as far as the layout knows it."""

    kind: str
    parts: int
    """How many things stand side by side in it where there is room."""

    @property
    def comfort(self) -> float:
        """The width below which it begins to look narrow, in letters of body text."""
        each, most = _COMFORT[self.kind]
        return min(each * self.parts, most)


class Page(Struct, frozen=True, kw_only=True):
    """A page that is to be filled."""

    width: int
    height: int
    header: Header
    contents: tuple[Content, ...]
    """Its blocks."""
    variant: int = 0
    """Which of the arrangements is taken: 0 for the best, 1 for the next best and so on, from the first again where
    there are not so many."""


class Plan(Struct, frozen=True, kw_only=True):
    """A page that is filled."""

    unit: float
    """Pixels of a letter of body text."""
    title_factor: float
    header: Header
    header_frame: Frame
    band: Frame | None
    """The ground under the header, where it has one."""
    blocks: tuple[tuple[int, Frame], ...]
    """Blocks by their number, and where they stand."""
    dropped: tuple[int, ...]
    """Blocks by their number that found no room."""
    cost: float
    """How far the arrangement is from a perfect one."""


class Sheet(Struct, frozen=True, kw_only=True):
    """What is to be measured: words of a size, at widths in pixels."""

    unit: float
    title_factor: float
    header: Header
    header_width: float
    widths: tuple[float, ...]
    """One a share of `SHARES`."""


class _Row(Struct, frozen=True):
    blocks: tuple[int, ...]
    shares: tuple[float, ...]
    height: float
    stretch: float
    """How much higher it may be drawn."""
    cost: float


class NoRoomError(Exception):
    """Not even the title fits."""


def plan(page: Page, measure: Callable[[Sheet], Measures]) -> Plan:
    """Fills a page.

    Args:
        page: What is to be filled, with which kinds of blocks.
        measure: Measures the header and the blocks. It is asked less than a dozen times.

    Raises:
        NoRoomError: There is no room for anything.
    """
    sizes = _sizes(page)
    seen: dict[int, Measures] = {}

    def at(size: int, kept: Sequence[int]) -> Plan | None:
        if size not in seen:
            seen[size] = measure(_sheet(page, sizes[size], 1.0))
        return _filled(page, sizes[size], 1.0, seen[size], kept)

    kept = list(range(len(page.contents)))
    smallest = len(sizes) - 1
    while (best := at(smallest, kept)) is None:
        if not kept:
            raise NoRoomError
        kept.remove(max(kept, key=lambda block: (_IMPORTANCE.index(page.contents[block].kind), block)))
    low, high = 0, smallest
    while low < high:
        middle = (low + high) // 2
        if at(middle, kept):
            high = middle
        else:
            low = middle + 1
    plans = [found for size in range(low, min(low + _TRIED, smallest) + 1) if (found := at(size, kept))]
    best = min(plans, key=lambda found: found.cost + _SMALL * math.log(plans[0].unit / found.unit))
    return _with_larger_title(page, best, kept, measure)


def _with_larger_title(page: Page, best: Plan, kept: Sequence[int], measure: Callable[[Sheet], Measures]) -> Plan:
    """The same with a larger title, where that leaves room for all."""
    lowest = max((frame.y + frame.height for _, frame in best.blocks), default=0)
    if best.header != "side" and lowest > 0.9 * page.height:
        return best
    for factor in _TITLE_FACTORS:
        found = _filled(page, best.unit, factor, measure(_sheet(page, best.unit, factor)), kept)
        if found:
            return found
    return best


def _sizes(page: Page) -> list[float]:
    scale = (page.width * page.height) ** 0.5
    largest = max(scale / 27, 16.0)
    smallest = min(max(scale / 112, 13.0), largest)
    return [largest * (smallest / largest) ** (step / (_SIZES - 1)) for step in range(_SIZES)]


class _Ground(Struct, frozen=True):
    """The parts of a page whose sizes do not depend on what is in them."""

    header: Header
    unit: float
    margin: float
    gap: float
    header_x: float
    header_width: float
    x: float
    width: float


def _ground(page: Page, unit: float) -> _Ground:
    margin = max(1.5 * unit, 0.045 * min(page.width, page.height))
    gap = 0.95 * unit
    whole = page.width - 2 * margin
    if page.header != "side" or page.width < 1.2 * page.height:
        header = "band" if page.header == "side" else page.header
        return _Ground(header, unit, margin, gap, margin, whole, margin, whole)
    panel = 0.27 * page.width
    header_x = 0.8 * margin
    return _Ground("side", unit, margin, gap, header_x, panel - 2 * header_x, panel + margin, whole - panel)


def _sheet(page: Page, unit: float, title_factor: float) -> Sheet:
    ground = _ground(page, unit)
    return Sheet(
        unit=unit,
        title_factor=title_factor,
        header=ground.header,
        header_width=ground.header_width,
        widths=tuple(_width(ground, share) for share in SHARES),
    )


def _width(ground: _Ground, share: float) -> float:
    """The width of a block with a share of a row: together with its part of the gaps, just that share."""
    return (ground.width + ground.gap) * share - ground.gap


def _filled(page: Page, unit: float, title_factor: float, measures: Measures, kept: Sequence[int]) -> Plan | None:
    """The page with words of a size; None where that is too large."""
    ground = _ground(page, unit)
    header = measures.headers[0]
    if (header.ratio < _LEAST_RATIO and title_factor > 1) or header.height > 0.8 * page.height:
        return None
    header_y, top, band = ground.margin, ground.margin, None
    if ground.header == "side":
        header_y = 1.3 * ground.margin
        band = Frame(0, 0, ground.header_width + 2 * ground.header_x, page.height)
        if header_y + header.height > page.height - ground.margin:
            return None
    elif ground.header == "band":
        header_y = 0.85 * ground.margin
        band = Frame(0, 0, page.width, header.height + 2 * header_y)
        top = band.height + 0.7 * ground.margin
    else:
        top = ground.margin + header.height + 1.5 * unit
    room = page.height - ground.margin - top
    frames: list[tuple[int, Frame]] = []
    cost = 0.0
    if kept:
        found = sorted(
            ((_cost(rows, ground, room), rows) for rows in _arrangements(page, ground, measures, kept, room)),
            key=lambda pair: pair[0],
        )
        if not found:
            return None
        cost, rows = found[page.variant % min(len(found), _VARIANTS)]
        frames = list(_placed(ground, rows, top, room))
    return Plan(
        unit=unit,
        title_factor=title_factor,
        header=ground.header,
        header_frame=Frame(ground.header_x, header_y, ground.header_width, header.height),
        band=band,
        blocks=tuple(frames),
        dropped=tuple(block for block in range(len(page.contents)) if block not in kept),
        cost=cost,
    )


def _arrangements(
    page: Page, ground: _Ground, measures: Measures, kept: Sequence[int], room: float
) -> Iterator[tuple[_Row, ...]]:
    """All ways to put the blocks into rows that are no higher than the room."""
    best: dict[tuple[int, int], _Row | None] = {}
    for start in range(len(kept)):
        for length in range(1, min(max(_ROWS), len(kept) - start) + 1):
            best[start, length] = _row(page, ground, measures, tuple(kept[start : start + length]))
    for lengths in _lengths(len(kept)):
        starts = (0, *accumulate(lengths[:-1]))
        rows = tuple(row for place in zip(starts, lengths, strict=True) if (row := best[place]))
        height = sum(row.height for row in rows) + ground.gap * (len(rows) - 1)
        if len(rows) == len(lengths) and height <= room:
            yield rows


@cache
def _lengths(number: int) -> tuple[tuple[int, ...], ...]:
    """All ways to cut a number of blocks into rows."""
    if number == 0:
        return ((),)
    return tuple((first, *rest) for first in range(1, min(number, max(_ROWS)) + 1) for rest in _lengths(number - first))


def _row(page: Page, ground: _Ground, measures: Measures, blocks: tuple[int, ...]) -> _Row | None:
    """The best row of some blocks; None where one would have to be set too small."""
    rows: list[_Row] = []
    for shares in _ROWS[len(blocks)]:
        found = [measures.blocks[block][SHARES.index(share)] for block, share in zip(blocks, shares, strict=True)]
        if min(measure.ratio for measure in found) < _LEAST_RATIO:
            continue
        height = max(measure.height for measure in found)
        cost = 0.0
        for block, share, measure in zip(blocks, shares, found, strict=True):
            content = page.contents[block]
            empty = (height - measure.height) * share / page.height
            cost += _EMPTY * empty / (1 + _SPREADING.get(content.kind, 0.0))
            cost += _NARROW * max(0.0, 1 - _width(ground, share) / (content.comfort * ground.unit))
            cost += _WRAPPED * (1 - measure.ratio)
            if content.kind in _SPREADING:
                cost += _TALL * max(0.0, height / _width(ground, share) - 1.2)
        stretch = height * max(_SPREADING.get(page.contents[block].kind, _SPREAD) for block in blocks)
        rows.append(_Row(blocks, shares, height, stretch, cost))
    return min(rows, key=lambda row: (row.cost, row.height), default=None)


def _cost(rows: Sequence[_Row], ground: _Ground, room: float) -> float:
    left = room - sum(row.height for row in rows) - ground.gap * (len(rows) - 1)
    empty = max(0.0, left - sum(row.stretch for row in rows))
    return sum(row.cost for row in rows) + (_EMPTY * empty + _STRETCHED * left) / max(room, 1.0)


def _placed(ground: _Ground, rows: Sequence[_Row], top: float, room: float) -> Iterator[tuple[int, Frame]]:
    """The frames of the blocks, with the room that is left given to rows first, then to the gaps between them."""
    gap = ground.gap
    left = room - sum(row.height for row in rows) - gap * (len(rows) - 1)
    most = sum(row.stretch for row in rows)
    given = min(left, most)
    rows = [replace(row, height=row.height + given * (row.stretch / most)) for row in rows]
    left -= given
    if len(rows) > 1:
        wider = min(left / (len(rows) - 1), gap)
        gap += wider
        left -= wider * (len(rows) - 1)
    y = top + left / 2
    for row in rows:
        x = ground.x
        for block, share in zip(row.blocks, row.shares, strict=True):
            width = _width(ground, share)
            yield block, Frame(x, y, width, row.height)
            x += width + ground.gap
        y += row.height + gap
