"""Blocks on a page, with heights that a test makes up."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.engines.draw.layout import SHARES, Content, Frame, Measure, Measures, NoRoomError, Page, Plan, Sheet, plan

KINDS = ("figures", "steps", "line", "bar", "pie", "table", "list", "quote", "note", "timeline", "comparison")


def filled(page: Page, letters: list[int]) -> Plan:
    """A page whose blocks are running texts of so many letters."""

    def measure(sheet: Sheet) -> Measures:
        line = 1.4 * sheet.unit
        heights = [[(count * sheet.unit * 0.6 // width + 2) * line for width in sheet.widths] for count in letters]
        return Measures(
            headers=(Measure(3 * sheet.title_factor * sheet.unit, 1.0),),
            blocks=tuple(tuple(Measure(height, 1.0) for height in row) for row in heights),
        )

    return plan(page, measure)


def page_of(width: int, height: int, number: int, header: str = "plain", variant: int = 0) -> Page:
    """A page with so many blocks."""
    contents = tuple(Content(KINDS[block % len(KINDS)], 3) for block in range(number))
    return Page(width=width, height=height, header=header, contents=contents, variant=variant)  # pyright: ignore[reportArgumentType]


def apart(one: Frame, other: Frame) -> bool:
    """Whether two frames do not overlap."""
    return (
        one.x + one.width <= other.x + 0.01
        or other.x + other.width <= one.x + 0.01
        or one.y + one.height <= other.y + 0.01
        or other.y + other.height <= one.y + 0.01
    )


@given(
    width=st.integers(512, 4096),
    height=st.integers(512, 4096),
    letters=st.lists(st.integers(1, 900), max_size=8),
    header=st.sampled_from(["plain", "center", "lead", "band", "side"]),
    variant=st.integers(0, 3),
)
def test_frames_lie_on_the_page_and_apart(
    width: int, height: int, letters: list[int], header: str, variant: int
) -> None:
    """Whatever the page and the blocks, frames neither overlap nor leave it, and no block is lost without a word."""
    made = filled(page_of(width, height, len(letters), header, variant), letters)
    frames = [made.header_frame, *(frame for _, frame in made.blocks)]
    assert all(apart(*pair) for pair in combinations(frames, 2))
    for frame in frames:
        assert frame.x >= 0
        assert frame.y >= 0
        assert frame.x + frame.width <= width
        assert frame.y + frame.height <= height + 0.01
    assert sorted([*(block for block, _ in made.blocks), *made.dropped]) == list(range(len(letters)))
    assert [block for block, _ in made.blocks] == sorted(block for block, _ in made.blocks)


def test_words_are_as_large_as_fits() -> None:
    """Less text is set larger."""
    little, much = (filled(page_of(2048, 2048, 3), [count] * 3) for count in (40, 900))
    assert little.unit > much.unit
    assert (little.dropped, much.dropped) == ((), ())


def test_what_does_not_fit_is_dropped_whole_and_the_least_first() -> None:
    """A quote goes before a chart."""
    page = Page(width=512, height=512, header="plain", contents=(Content("quote", 1), Content("bar", 1)))
    assert filled(page, [600, 700]).dropped == (0,)


def test_variants_are_other_arrangements() -> None:
    """The same page is filled in different ways."""
    made = [filled(page_of(2752, 1536, 4, variant=variant), [200, 150, 300, 90]) for variant in range(3)]
    assert len({tuple((f.x, f.y, f.width) for _, f in plan.blocks) for plan in made}) > 1


def test_blocks_whose_words_would_be_too_small_are_not_put_there() -> None:
    """A width at which words must shrink is avoided."""

    def measure(sheet: Sheet) -> Measures:
        sizes = tuple(Measure(3 * sheet.unit, 1.0 if share == 1.0 else 0.5) for share in SHARES)
        return Measures(headers=(Measure(sheet.unit, 1.0),), blocks=(sizes, sizes))

    frames = [frame for _, frame in plan(page_of(2048, 2048, 2), measure).blocks]
    assert frames[0].x == frames[1].x


def test_a_title_without_room_is_an_error() -> None:
    """Where not even the title fits, nothing is drawn."""
    with pytest.raises(NoRoomError):
        plan(page_of(512, 512, 0), lambda _: Measures(headers=(Measure(9000, 1.0),), blocks=()))
