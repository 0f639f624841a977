"""Tables and ratios."""

import msgspec
import pytest

from bench.agent import agent_body
from bench.measure import median_ratio
from bench.report import render
from bench.table import table
from tests.support.bench_results import full_result, measurement, result_of


def test_a_table_is_aligned():
    """Columns are as wide as their widest cell."""
    assert table(["a", "long"], [["wide", "b"]]).splitlines() == [
        "| a    | long |",
        "|------|------|",
        "| wide | b    |",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "ratio"),
    [([2.0, 9.0, 4.0], [1.0, 3.0, 4.0], 2.0), ([1.0], [0.0], None), ([], [], None), ([1.0, 2.0], [2.0], 0.5)],
)
def test_a_ratio_is_the_median_of_the_rounds(ours: list[float], theirs: list[float], ratio: float | None):
    """Each round is compared with its own neighbour."""
    assert median_ratio(ours, theirs) == ratio


def test_a_report_names_what_its_figures_depend_on():
    """Commit and machine come first, then the goals, ratios, the added latency, costs and doubtful rounds."""
    text = render(full_result())
    assert text.startswith("commit abc; 2 x fast, 24 GiB, Python 3.11")
    assert "`python -m bench`" in text
    assert "nginx: as the system has it" in text
    assert "0.40 !" in text
    assert "| 0.25 " in text
    assert "added latency at 500 requests a second: p50 0.30 ms, p99 0.30 ms" in text
    assert "0.020 s" in text
    assert "memory with 1,000 streams" in text
    assert "| 10 to 100,000 | 100    | 110  | 1.10  |" in text


def test_what_a_million_requests_cost_is_told():
    """Seconds of a core, and their price."""
    text = render(result_of(measurement("rixin", 0, scenario="whole-16", cpu_us=90)))
    assert "| whole answers, 16 connections | 90 s | 0.0010 USD " in text


def test_an_agents_turns_are_compared_with_its_first():
    """What is known of a prompt shows in the tokens, and in the wait for the first one."""
    assert "| second turn     | 10020         | 9990   | 0.8           | 0.01                |" in render(full_result())


def test_what_was_not_measured_has_no_table():
    """A run of nothing tells its machine and what is missing of the goals."""
    text = render(result_of())
    assert "whole answers, 16 connections |" not in text
    assert "not measured" in text


def test_an_agents_request_is_always_the_same():
    """Its instructions and tools are the same each time, whatever is said after them, and about as large as Codex's."""
    first, second = agent_body("Hello."), agent_body("Hello.", "Hi.", "Go on.")
    assert first["tools"] == second["tools"]
    assert 50_000 < len(msgspec.json.encode(first)) < 60_000
    assert isinstance(second["messages"], list)
    assert second["messages"][:2] == first["messages"]
