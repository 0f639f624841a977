"""The goals, and what a run says of them."""

import pytest

from bench.goals import ANCHORS, GOALS, Evidence, Goal, render_goals
from bench.growth import Growth
from bench.held import Held
from bench.measure import Measurement
from bench.result import Result
from tests.support.bench_results import STARTS, measurement, result_of, soak_result


def row(result: Result, what: str) -> list[str]:
    """The cells of a goal."""
    line = next(line for line in render_goals(Evidence(result, soak_result())).splitlines() if what in line)
    return [cell.strip() for cell in line.strip("|").split("|")]


def whole(target: str, *rates: float) -> list[Measurement]:
    """Rounds at 64 connections."""
    return [measurement(target, number, per_second=rate, scenario="whole-64") for number, rate in enumerate(rates)]


def test_a_peer_of_the_same_run_is_what_counts():
    """The ratio is the median of the rounds'."""
    result = result_of(*whole("rixin", 15_000, 16_000), *whole("litellm", 100, 100), *whole("nginx", 100_000))
    assert row(result, "64 connections, of litellm's")[1:] == ["155 x", "100", "met", "200", "NOT MET"]
    assert row(result, "64 connections, of nginx's")[1:] == ["0.15 x", "", "", "0.2", "NOT MET"]


def test_a_peer_that_was_not_run_is_told_by_its_anchor():
    """Its ratio to nginx stands in for it, and the row says so."""
    result = result_of(*whole("rixin", 20_000), *whole("nginx", 50_000))
    expected = 0.4 * ANCHORS["whole-64"]["nginx"] / ANCHORS["whole-64"]["tensorzero"]
    assert row(result, "64 connections, of tensorzero's")[1] == f"{expected:.3g} x *"
    assert "stands in for it" in render_goals(Evidence(result))


def test_the_slowest_dialect_counts():
    """A goal of several dialects is reached when all of them reach it, and not judged when one is missing."""
    fast, slow = (
        measurement("rixin", 0, per_second=rate, scenario=f"burst-16-{front}")
        for front, rate in (("messages", 900), ("native", 300))
    )
    router = measurement("vllm-router", 0, per_second=600, scenario="burst-16")
    responses = measurement("rixin", 0, per_second=900, scenario="burst-16-responses")
    what = "native over Chat, of vllm-router's"
    assert row(result_of(fast, slow, responses, router), what)[1:] == ["0.5 x", "0.5", "met", "1.5", "NOT MET"]
    assert row(result_of(fast, slow, router), what)[1] == "not measured"


def test_less_is_better_where_it_is():
    """Times, memory and growth are to be at most so much."""
    growth = Growth(
        what="stored keys",
        few="10",
        many="100,000",
        measurements=[measurement("10", 0, cpu_us=100), measurement("100,000", 0, cpu_us=120)],
    )
    result = result_of(starts=STARTS, growth=[growth])
    assert row(result, "memory at rest")[1:] == ["80 MB", "120", "met", "80", "met"]
    assert row(result, "100,000 keys")[1:] == ["1.2 x", "1.15", "NOT MET", "", ""]
    assert row(result, "30 minutes")[1:4] == ["1.02 x", "1.05", "met"]


def test_streams_held_are_compared():
    """So many times as many as a peer, translated."""
    held = [
        Held(target=target, front=front, streams=streams, cpu_us_per_event=9.0, probes=[])
        for target, front, streams in (("rixin", "messages", 640), ("litellm", "chat", 8), ("rixin", "chat", 1024))
    ]
    assert row(result_of(held=held), "held, Messages over Chat, of litellm's")[1:4] == ["80 x", "64", "met"]


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.what)
def test_nothing_measured_is_nothing_reached(goal: Goal):
    """An empty run meets no goal, and misses none."""
    assert "MET" not in render_goals(Evidence(result_of()))
    assert goal.measure(Evidence(result_of())) is None
