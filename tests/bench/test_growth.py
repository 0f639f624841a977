"""What a request costs when there is more of something."""

from pathlib import Path

import pytest

from bench.growth import with_connections, with_keys, with_processes
from bench.measure import Loader
from bench.targets import Target
from tests.support.bench_results import measurement


def test_connections_are_compared_from_what_was_measured():
    """The one is divided by the other, and without either there is nothing to tell."""
    one = measurement("rixin", 0, scenario="whole-1", cpu_us=200)
    many = measurement("rixin", 0, scenario="whole-1000", cpu_us=210)
    growth = with_connections([one, many, measurement("direct", 0, scenario="whole-1")], "rixin")
    assert growth is not None
    assert growth.ratio == pytest.approx(1.05)
    assert with_connections([one], "rixin") is None


def test_a_server_with_many_keys_is_compared_with_one_of_few(loader: Loader, direct: Target, tmp_path: Path):
    """Both serve, and one of them has the keys."""
    lines: list[str] = []
    growth = with_keys(loader, direct.port, tmp_path, 1, lines.append, many=1000)
    assert (growth.few, growth.many) == ("10", "1,000")
    assert growth.ratio > 0
    assert len(lines) == 2


def test_two_processes_are_compared_with_one(loader: Loader, direct: Target, tmp_path: Path):
    """Both serve requests under limits."""
    growth = with_processes(loader, direct.port, tmp_path, 1, lambda _line: None)
    assert growth.cpu_us("1") > 0
    assert growth.cpu_us("2") > 0
    assert not any(each.load.errors for each in growth.measurements)
