"""A run: its parts one after another, each by every server in turns."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from bench import growth
from bench.asks import MESSAGES
from bench.build import Native
from bench.embedded import measure_embedded
from bench.held import most_held
from bench.measure import Loader, Measurement
from bench.peer import PEERS, PLAIN_PROXY, NotInstalledError, peer
from bench.result import Result
from bench.scenarios import Scenario
from bench.starts import measure_starts
from bench.targets import (
    ANCHOR,
    LIMITS,
    OUR_NAME,
    SERVER_CORE,
    RixinServer,
    Target,
    in_turns,
    provider_configuration,
    upstream,
)

WARMING: Final = frozenset({"whole-16", "burst-16"})
"""What a server has done before it is measured."""


@dataclass(frozen=True)
class Plan:
    """What a run measures. Seconds are those of one measurement, and those to wait for a quiet machine before it."""

    parts: Sequence[str]
    """Of `PARTS`."""
    scenarios: Sequence[Scenario]
    peers: Sequence[str]
    rounds: int
    seconds: float
    patience: float
    model: Path
    """Of the embedded rows."""
    turns: bool
    """Whether an agent's turns are measured on it, too."""


class Run:
    """Measures what a plan wants.

    Args:
        plan: It.
        native: The programs that measure.
        folder: For what servers keep.
        tell: Takes a line about each thing that was measured.
    """

    def __init__(self, plan: Plan, native: Native, folder: Path, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._native = native
        self._folder = folder
        self._tell = tell

    def results(self, result: Result) -> Generator[Result]:
        """Adds to a result, and gives it after each part: a run that ends early has measured something all the same."""
        with upstream(self._native.upstream, self._folder) as anchor:
            plan = self._plan
            loader = Loader(self._native.load, self._folder, plan.seconds, anchor.process, plan.patience)
            for part, measure in PARTS.items():
                if part in plan.parts:
                    yield (result := measure(self, result, loader, anchor))

    def starts(self, result: Result, loader: Loader, anchor: Target) -> Result:
        """How long this server takes to start, and its memory."""
        starts = measure_starts(loader, anchor.port, self._folder)
        self._tell(
            f"start {starts.start_seconds:.2f} s, memory {starts.idle_memory_mb:.0f} MB, "
            f"with {starts.streams} streams {starts.streams_memory_mb:.0f} MB"
        )
        return replace(result, starts=starts)

    def load(self, result: Result, loader: Loader, anchor: Target) -> Result:
        """The loads, and how many paced streams are held where the plan wants that."""
        with contextlib.ExitStack() as stack:
            server = RixinServer(self._folder / "load", provider_configuration(anchor.port) + LIMITS)
            process, _ = stack.enter_context(server.run(SERVER_CORE))
            targets, peers = [anchor, server.target(process)], dict[str, str]()
            for name in (PLAIN_PROXY, *self._plan.peers):
                try:
                    targets.append(stack.enter_context(peer(name, anchor.port, self._folder)))
                    peers[name] = PEERS[name].what or "as the system has it"
                except (NotInstalledError, RuntimeError) as error:
                    peers[name] = f"not measured: {error}"
                    self._tell(f"{name}: {error}")
            for target in targets[1:]:
                for scenario in self._plan.scenarios:
                    if scenario.name in WARMING:
                        loader.warm(target, scenario)
            result = replace(result, peers=peers, measurements=self._rounds(loader, targets))
            if "held" in self._plan.parts:
                held = [most_held(loader, target, tell=self._tell) for target in targets]
                held.append(most_held(loader, targets[1], front=MESSAGES, tell=self._tell))
                result = replace(result, held=held)
        return result

    def growth(self, result: Result, loader: Loader, anchor: Target) -> Result:
        """What a request costs when there is more."""
        rounds = self._plan.rounds
        grown = [
            growth.with_connections(result.measurements, OUR_NAME),
            growth.with_keys(loader, anchor.port, self._folder, rounds, self._tell),
            growth.with_processes(loader, anchor.port, self._folder, rounds, self._tell),
        ]
        return replace(result, growth=[each for each in grown if each is not None])

    def embedded(self, result: Result, loader: Loader, _anchor: Target) -> Result:
        """The embedded model, where there is one."""
        plan = self._plan
        if not plan.model.exists():
            self._tell(f"the embedded rows are left out: {plan.model} is not there; name a GGUF file with --model")
            return result
        measured = measure_embedded(
            plan.model.resolve(), self._folder, plan.rounds, loader, self._tell, turns=plan.turns
        )
        return replace(result, embedded=measured)

    def _rounds(self, loader: Loader, targets: Sequence[Target]) -> list[Measurement]:
        measurements: list[Measurement] = []
        for number in range(self._plan.rounds):
            for scenario in self._plan.scenarios:
                asked = [target for target in targets if takes(target, scenario)]
                for target in in_turns(asked, number):
                    try:
                        measured = loader.measure(target, scenario, number)
                    except RuntimeError as error:
                        if target.name in (OUR_NAME, ANCHOR):
                            raise
                        self._tell(f"round {number + 1}, {scenario.name}, {target.name}: {error}")
                        continue
                    measurements.append(measured)
                    self._tell(
                        f"round {number + 1}, {scenario.name}, {target.name}: {measured.load.per_second:,.0f}/s, "
                        f"p50 {measured.load.p50_ms:.2f} ms, p99 {measured.load.p99_ms:.2f} ms, "
                        f"errors {measured.load.errors} {measured.load.first_error}"
                    )
        return measurements


PARTS: Final = {"starts": Run.starts, "load": Run.load, "growth": Run.growth, "embedded": Run.embedded}
"""The parts in their order. `held` is one more, which needs the servers of `load`."""


def takes(target: Target, scenario: Scenario) -> bool:
    """Whether a load is put to a server."""
    if target.name == OUR_NAME:
        return True
    if target.name in (ANCHOR, PLAIN_PROXY):
        return scenario.on in ("all", "anchors")
    return scenario.on == "all"
