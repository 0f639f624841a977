"""Many clients of upstreams whose rules are drawn at random, and a table of how they fared."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field

from rixin.profiles.search import EXTRA_CALLS
from tests.limits.manual_clock import MICROSECONDS, ManualClock
from tests.profiles.strict_upstream import covers
from tests.support.clients import Asked, draw_asked
from tests.support.healing import HealingSite, Told, healing_site
from tests.upstreams.strict import StrictUpstream

CLIENTS: tuple[tuple[str, bool], ...] = (
    ("chat", False),
    ("chat", True),
    ("chat with history", False),
    ("chat with history", True),
    ("messages", False),
    ("messages", True),
    ("responses", False),
    ("responses", True),
)
"""Shapes of requests, and whether they are streamed."""

HOUR = 3700 * MICROSECONDS
"""Until controls may be made again."""

OUTCOMES = (*(f"{extra} extra" for extra in range(EXTRA_CALLS + 1)), "not answered")


class Runs(Struct):
    """What became of all requests."""

    rule_sets: int
    rounds: int
    outcomes: dict[tuple[int, str], Counter[str]] = field(default_factory=dict[tuple[int, str], Counter[str]])
    """By round and client."""
    failures: list[str] = field(default_factory=list[str])
    calls: Counter[str] = field(default_factory=Counter[str])
    """Of the upstream: `all`, for `answers`, for requests that were `refused`; and the `rules` that were proved."""

    @property
    def total(self) -> Counter[str]:
        """All outcomes."""
        return sum(self.outcomes.values(), Counter[str]())

    @property
    def answered(self) -> float:
        """The share of requests that were answered in full."""
        return 1 - self.total["not answered"] / self.total.total()

    def rows(self) -> list[list[str]]:
        """A table: a round and client in each row, and one row for all."""
        table = [["round", "client", "requests", *OUTCOMES, "answered"]]
        lines = [(str(round_ + 1), client, found) for (round_, client), found in sorted(self.outcomes.items())]
        for round_, client, found in [*lines, ("all", "all", self.total)]:
            count = found.total()
            shares = [f"{found[outcome] / count:.1%}" for outcome in OUTCOMES]
            table.append([round_, client, str(count), *shares, f"{1 - found['not answered'] / count:.2%}"])
        return table


async def run(folder: Path, *, seed: int, rule_sets: int, rounds: int = 1, clients: int = len(CLIENTS)) -> Runs:
    """Sends what clients send to every upstream; controls run after each answer, and an hour passes after each round.

    Args:
        folder: For the application's files.
        seed: Of all that is drawn.
        rule_sets: How many upstreams.
        rounds: How often each client asks.
        clients: How many of them ask an upstream; drawn for each.
    """
    drawn = random.Random(seed)
    upstream = StrictUpstream.drawn(drawn, rule_sets)
    runs = Runs(rule_sets, rounds)
    clock = ManualClock()
    async with healing_site(folder, upstream, clock=clock) as healing:
        for model in upstream.rules:
            asking = sorted(drawn.sample(CLIENTS, clients), key=CLIENTS.index)
            for round_ in range(rounds):
                for shape, stream in asking:
                    asked = draw_asked(drawn, shape, model, stream=stream)
                    told = await healing.ask(asked.body, asked.path)
                    runs.outcomes.setdefault((round_, _client(shape, stream=stream)), Counter())[
                        _outcome(runs, asked, told)
                    ] += 1
                    await healing.rest()
                clock.advance(HOUR)
        _count_calls(runs, upstream, healing)
    return runs


def _client(shape: str, *, stream: bool) -> str:
    return f"{shape}, {'streamed' if stream else 'whole'}"


def _outcome(runs: Runs, asked: Asked, told: Told) -> str:
    if told.status == 200 and told.ended and covers(told.facts, asked.wanted):
        runs.calls["answers"] += told.attempts
        return f"{told.attempts - 1} extra"
    runs.calls["refused"] += told.attempts
    model = asked.body["model"]
    runs.failures.append(f"{model} {asked.path}: {told.status} after {told.attempts} calls: {told.text[:300]}")
    return "not answered"


def _count_calls(runs: Runs, upstream: StrictUpstream, healing: HealingSite) -> None:
    runs.calls["all"] = upstream.calls.total()
    runs.calls["rules"] = len(healing.learned.rules(healing.provider))


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown."""
    head, *rest = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, f"|{' --- |' * len(rows[0])}", *rest])
