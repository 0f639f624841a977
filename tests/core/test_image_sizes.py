"""Sizes of images: read, told, and brought to what is drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.core.cards import ImageRules
from rixin.core.image_sizes import bounds_text, is_drawn, nearest_size, offered_sizes, size_of, size_text

LIST = ImageRules(sizes=("2752x1536", "2048x2048", "1536x2752", "1344x1344"))
BOUNDS = ImageRules(multiple=32, shortest_edge=512, longest_edge=4096, steepest=3.0)


@pytest.mark.parametrize(
    ("word", "size"),
    [
        ("1024x768", (1024, 768)),
        ("1024X768", (1024, 768)),
        ("1024*768", (1024, 768)),
        ("auto", None),
        ("1024", None),
        ("0x5", None),
        ("-1x5", None),
        ("1024x768 ", None),
        ("١٠x١٠", None),
        ("999999x1", None),
    ],
)
def test_a_word_is_a_size_or_none(word: str, size: tuple[int, int] | None) -> None:
    """Two edges in pixels, with what people write between them."""
    assert size_of(word) == size


@pytest.mark.parametrize(
    ("size", "nearest"),
    [((1024, 1024), (1344, 1344)), ((4096, 4096), (2048, 2048)), ((1920, 1080), (2752, 1536)), ((1, 2), (1536, 2752))],
)
def test_the_nearest_of_a_list_has_the_nearest_shape(size: tuple[int, int], nearest: tuple[int, int]) -> None:
    """And of those of one shape the nearest area."""
    assert nearest_size(size, LIST) == nearest


@given(st.tuples(st.integers(1, 99_999), st.integers(1, 99_999)))
def test_the_nearest_is_drawn(size: tuple[int, int]) -> None:
    """Whatever was asked for; a size that is drawn is its own nearest one."""
    for rules in (LIST, BOUNDS):
        nearest = nearest_size(size, rules)
        assert is_drawn(nearest, rules)
        assert nearest_size(nearest, rules) == nearest
        assert size_of(size_text(nearest)) == nearest


def test_sizes_to_choose_from_are_drawn() -> None:
    """All of a list; within bounds, some of different shapes."""
    assert offered_sizes(LIST) == LIST.sizes
    offered = [size for word in offered_sizes(BOUNDS) if (size := size_of(word)) is not None]
    assert len(offered) > 3
    assert all(is_drawn(size, BOUNDS) for size in offered)
    assert offered_sizes(ImageRules(shortest_edge=512, longest_edge=512)) == ("512x512",)


def test_bounds_are_told() -> None:
    """In words that say what to ask for."""
    assert bounds_text(LIST) == "one of 2752x1536, 2048x2048, 1536x2752, 1344x1344"
    assert bounds_text(BOUNDS) == (
        "WIDTHxHEIGHT with edges in [512,4096] that are multiples of 32, one at most 3 times as long as the other"
    )
    assert bounds_text(ImageRules(shortest_edge=1, longest_edge=9)) == "WIDTHxHEIGHT with edges in [1,9]"
