"""What this server is to reach, and how far a run shows that it does."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from bench.growth import CONNECTIONS, KEYS, PROCESSES
from bench.measure import median_ratio
from bench.peer import PLAIN_PROXY
from bench.result import Result
from bench.scenarios import CONCURRENCIES
from bench.soak import SoakResult
from bench.table import table
from bench.targets import OUR_NAME

TRANSLATED = ("responses", "messages", "native")
HELD = "held"

ANCHORS: Mapping[str, Mapping[str, float]] = {
    "whole-64": {"nginx": 100_000, "vllm-router": 26_500, "smg": 11_000, "tensorzero": 9_600, "litellm": 112},
    "burst-16": {"nginx": 17_500, "vllm-router": 1_280, "smg": 1_010, "tensorzero": 245, "litellm": 15},
    HELD: {"nginx": 1024, "vllm-router": 768, "smg": 512, "tensorzero": 256, "litellm": 8},
}
"""Answers a second, and streams held, as measured on 2026-11-21 on 2 cores with AVX-512. They stand in for a peer that
a run lacks, by its ratio to nginx."""


class Figure(NamedTuple):
    """What was measured."""

    value: float
    by_anchor: bool = False
    """Whether a peer's part in it was not measured in the same run."""


class Evidence(NamedTuple):
    """What was measured, all of it."""

    result: Result
    soak: SoakResult | None = None


@dataclass(frozen=True)
class Goal:
    """One figure that is to be reached.

    Args:
        what: The figure, in words.
        measure: Finds it; None where a run lacks it.
        must: What has to be reached; None where nothing has to be.
        goal: What is wanted beyond that; None where nothing is.
        at_most: Whether less is better.
        unit: Of all three.
    """

    what: str
    measure: Callable[[Evidence], Figure | None]
    must: float | None = None
    goal: float | None = None
    at_most: bool = False
    unit: str = "x"

    def reaches(self, value: float, wanted: float | None) -> bool | None:
        """Whether a figure is good enough; None where nothing is wanted."""
        if wanted is None:
            return None
        return value <= wanted if self.at_most else value >= wanted


def _times_peer(peer: str, scenarios: Sequence[str], theirs: str, evidence: Evidence) -> Figure | None:
    """How many times a peer's rate in `theirs` ours is in the slowest of some scenarios."""
    result = evidence.result

    def against(target: str) -> float | None:
        rates = result.rates(theirs, target)
        known = _known(median_ratio(result.rates(scenario, OUR_NAME), rates) for scenario in scenarios)
        return min(known) if len(known) == len(scenarios) else None

    return _figure(against, peer, ANCHORS[theirs])


def _times_held(peer: str, evidence: Evidence) -> Figure | None:
    """How many times the paced streams of a peer we hold, translated."""
    ours = evidence.result.held_by(OUR_NAME, "messages")

    def against(target: str) -> float | None:
        theirs = evidence.result.held_by(target)
        return None if ours is None or theirs is None or not theirs.streams else ours.streams / theirs.streams

    return _figure(against, peer, ANCHORS[HELD])


def _figure(against: Callable[[str], float | None], peer: str, anchors: Mapping[str, float]) -> Figure | None:
    if (measured := against(peer)) is not None:
        return Figure(measured)
    plain = against(PLAIN_PROXY)
    return None if plain is None else Figure(plain * anchors[PLAIN_PROXY] / anchors[peer], by_anchor=True)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _added(place: int, evidence: Evidence) -> Figure | None:
    added = evidence.result.added_ms("rate-500")
    return None if added is None else Figure(added[place])


def _agent_ms(evidence: Evidence) -> Figure | None:
    known = _known(evidence.result.cpu_us(f"agent-16-{front}") for front in ("responses", "messages"))
    return Figure(max(known) / 1000) if known else None


def _grown(what: str, evidence: Evidence) -> Figure | None:
    grown = evidence.result.grown(what)
    return None if grown is None else Figure(grown.ratio)


def _soak_memory(evidence: Evidence) -> Figure | None:
    return None if evidence.soak is None else Figure(evidence.soak.memory_ratio)


def _start(name: str, evidence: Evidence) -> Figure | None:
    starts = evidence.result.starts
    return None if starts is None else Figure(getattr(starts, name))


def _embedded_rate(evidence: Evidence) -> Figure | None:
    """Tokens a second, the worst of 1, 4 and 8 streams at a time, of llama.cpp's own server's."""
    rates, _ = _embedded_ratios(evidence)
    return Figure(min(rates)) if rates else None


def _embedded_first_token(evidence: Evidence) -> Figure | None:
    """How many times as fast the first token comes, in the worst of them."""
    _, times = _embedded_ratios(evidence)
    return Figure(1 / max(times)) if times else None


def _embedded_ratios(evidence: Evidence) -> tuple[list[float], list[float]]:
    """Of tokens a second, and of the time to the first one."""
    embedded = evidence.result.embedded
    pairs = [] if embedded is None else [embedded.ratios(concurrency) for concurrency in CONCURRENCIES]
    return _known(rate for rate, _ in pairs), _known(time for _, time in pairs)


def _peer_goals(
    what: str, scenarios: Sequence[str], theirs: str, wanted: Mapping[str, tuple[float | None, float | None]]
) -> list[Goal]:
    return [
        Goal(f"{what}, of {peer}'s", partial(_times_peer, peer, scenarios, theirs), must, goal)
        for peer, (must, goal) in wanted.items()
    ]


GOALS = (
    *_peer_goals(
        "whole answers, 64 connections",
        ["whole-64"],
        "whole-64",
        {"litellm": (100, 200), "tensorzero": (1, 2), "vllm-router": (None, 0.8), "nginx": (None, 0.2)},
    ),
    *_peer_goals(
        "streams at once, same dialect", ["burst-16"], "burst-16", {"litellm": (200, 300), "vllm-router": (2, 4)}
    ),
    *_peer_goals(
        "streams at once, the slowest of Responses, Messages and native over Chat",
        [f"burst-16-{front}" for front in TRANSLATED],
        "burst-16",
        {"litellm": (100, None), "vllm-router": (0.5, 1.5)},
    ),
    Goal("paced streams held, Messages over Chat, of litellm's", partial(_times_held, "litellm"), 64),
    Goal("paced streams held, Messages over Chat, of smg's", partial(_times_held, "smg"), 1),
    Goal("paced streams held, Messages over Chat, of vllm-router's", partial(_times_held, "vllm-router"), None, 1),
    Goal("latency added at 500 requests a second, p50", partial(_added, 0), 0.4, 0.2, at_most=True, unit="ms"),
    Goal("latency added at 500 requests a second, p99", partial(_added, 1), 2, 0.8, at_most=True, unit="ms"),
    Goal("processor time of a translated agent's request of 40 kB", _agent_ms, 2, 0.5, at_most=True, unit="ms"),
    Goal("processor time from 1 to 1,000 connections", partial(_grown, CONNECTIONS), 1.15, at_most=True),
    Goal("processor time from 10 to 100,000 keys", partial(_grown, KEYS), 1.15, at_most=True),
    Goal("memory at the end of 30 minutes, of minute 10's", _soak_memory, 1.05, at_most=True),
    Goal("memory at rest", partial(_start, "idle_memory_mb"), 120, 80, at_most=True, unit="MB"),
    Goal("memory with 1,000 streams", partial(_start, "streams_memory_mb"), 250, 150, at_most=True, unit="MB"),
    Goal("`rixin --version`", partial(_start, "version_seconds"), 0.3, 0.15, at_most=True, unit="s"),
    Goal("start without a local model", partial(_start, "start_seconds"), 1.5, 0.8, at_most=True, unit="s"),
    Goal("embedded model's tokens a second, of llama.cpp's own server", _embedded_rate, 0.95, 1.0),
    Goal("embedded model's speed to the first token, of its own server", _embedded_first_token, 0.95, 1.0),
    Goal(
        "processor time with two processes and shared exact limits, of one's",
        partial(_grown, PROCESSES),
        1.1,
        1.03,
        at_most=True,
    ),
)


def render_goals(evidence: Evidence) -> str:
    """Each goal with what was measured, and whether that is enough."""
    rows: list[list[str]] = []
    by_anchor = False
    for goal in GOALS:
        figure = goal.measure(evidence)
        value = "not measured" if figure is None else f"{figure.value:.3g} {goal.unit}"
        if figure is not None and figure.by_anchor:
            value, by_anchor = f"{value} *", True
        cells = [goal.what, value]
        for wanted in (goal.must, goal.goal):
            met = None if figure is None else goal.reaches(figure.value, wanted)
            cells += ["" if wanted is None else f"{wanted:g}", {None: "", True: "met", False: "NOT MET"}[met]]
        rows.append(cells)
    text = table(["what", "measured", "must", "", "goal", ""], rows)
    return f"{text}\n\n{_ASIDE}" if by_anchor else text


_ASIDE = (
    "`*`: that peer was not part of this run. Its ratio to nginx, as measured on 2026-11-21 on such a machine, stands "
    "in for it."
)
