"""The search for the most streams on time."""

import pytest

from bench.asks import MESSAGES
from bench.held import most_held, search
from bench.measure import Loader
from bench.targets import Target


@pytest.mark.parametrize(
    ("most_that_fit", "first", "least"),
    [(0, 8, 0), (1, 8, 1), (7, 8, 6), (100, 8, 80), (130, 128, 128), (700, 128, 640), (5000, 128, 1024)],
)
def test_the_search_comes_near(most_that_fit: int, first: int, least: int):
    """It finds a number that fits and is at most a quarter below the largest, and nothing above what is enough."""
    tried: list[int] = []

    def fits(number: int) -> bool:
        tried.append(number)
        return number <= most_that_fit

    found = search(fits, first=first, most=1024)
    assert least <= found <= min(most_that_fit, 1024)
    assert len(tried) == len(set(tried)) <= 10


def test_streams_of_a_real_server_are_counted(loader: Loader, rixin: Target):
    """What is found was measured: no more than was asked for, each try with its figures."""
    lines: list[str] = []
    held = most_held(loader, rixin, front=MESSAGES, most=4, tell=lines.append)
    assert 0 <= held.streams <= 4
    assert len(lines) >= len(held.probes) > 0
    if held.streams:
        assert held.cpu_us_per_event > 0
