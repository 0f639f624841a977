"""One measurement: a target under a load, and what it cost."""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.asks import CHAT
from bench.processes import Process, cpu_seconds, machine_cpu_seconds, memory_mb, pinned, tree, wait_for_quiet
from bench.scenarios import Scenario
from bench.targets import LOAD_CORE, Target

WARM_UP = 0.5
STAGGER_MS = 1100
PACED_SECONDS = 2.2
"""Two paced streams of each connection."""


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the load generator prints. Times are milliseconds, from the instant at which a request was due."""

    completed: int
    completed_events: int
    counted: int
    seconds: float
    per_second: float
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    events: int
    events_per_second: float
    first_byte_p50_ms: float
    first_byte_p99_ms: float
    gap_p50_ms: float
    gap_p99_ms: float
    failed: int
    bad_status: int
    incomplete: int
    stuck: int
    backlog: int
    connections: int
    reads: int
    bytes: int
    first_error: str

    @property
    def errors(self) -> int:
        """Requests that had no whole answer."""
        return self.failed + self.bad_status + self.incomplete + self.stuck


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One round of a scenario on a target."""

    scenario: str
    target: str
    round: int
    load: LoadResult
    cpu_us: float
    """CPU time of the target's processes, in microseconds, for one request; of 1,000,000 requests, in seconds."""
    memory_mb: float
    other_cpu: float
    """What other programs took of the machine meanwhile, in cores: a high figure makes the round a doubtful one."""


@dataclass(frozen=True)
class Loader:
    """Runs the load generator.

    Args:
        binary: The program.
        folder: Where request bodies are kept.
        seconds: How long a measurement counts; twice as long for slow targets, which answer little meanwhile.
        upstream: The process that answers behind every target.
        patience: Seconds to wait for a quiet machine before a measurement.
    """

    binary: Path
    folder: Path
    seconds: float
    upstream: Process
    patience: float = 0.0

    def run(self, target: Target, arguments: Sequence[str]) -> LoadResult:
        """Loads a target.

        Raises:
            RuntimeError: The generator failed, or had no whole answer at all.
        """
        headers = [part for name, value in target.headers.items() for part in ("-H", f"{name}: {value}")]
        command = [str(self.binary), "-p", str(target.port), *headers, *arguments]
        with pinned(LOAD_CORE):
            result = subprocess.run(command, capture_output=True, check=False)
        if result.returncode:
            raise RuntimeError(f"the load generator failed on {target.name}: {result.stderr.decode()}")
        load = msgspec.json.decode(result.stdout, type=LoadResult)
        if not load.counted:
            raise RuntimeError(
                f"{target.name} gave no whole answer: {load.first_error or 'too slow for the time given'}"
            )
        return load

    def measure(self, target: Target, scenario: Scenario, number: int) -> Measurement:
        """Measures one round of a scenario."""
        arguments = self._arguments(target, scenario)
        wait_for_quiet(self.patience)
        pids = tree(target.process.pid)
        before = self._spent(pids)
        load = self.run(target, arguments)
        used, ours, machine, elapsed = (now - then for now, then in zip(self._spent(pids), before, strict=True))
        others = machine - ours - (0 if target.process is self.upstream else used)
        return Measurement(
            scenario=scenario.name,
            target=target.name,
            round=number,
            load=load,
            cpu_us=used / load.completed * 1e6,
            memory_mb=memory_mb(tree(target.process.pid)),
            other_cpu=max(0.0, others / elapsed),
        )

    def warm(self, target: Target, scenario: Scenario) -> None:
        """Has a target do something before it is measured; slow ones get ready for long."""
        self.run(target, self._arguments(target, scenario, seconds=3.0 if target.slow else 0.5))

    def _arguments(self, target: Target, scenario: Scenario, seconds: float | None = None) -> list[str]:
        ask = scenario.ask(target.prefix)
        path = target.chat_path if scenario.front is CHAT else scenario.front.path_of(ask)
        body = self.folder / f"{scenario.name}-{target.name}.json"
        body.write_text(json.dumps(scenario.front.body(ask), separators=(",", ":")))
        wanted = (2 * self.seconds if target.slow else self.seconds) if seconds is None else seconds
        arguments = ["-u", path, "-b", str(body), "-c", str(scenario.connections)]
        arguments += ["-d", str(max(wanted, PACED_SECONDS) if scenario.paced else wanted), "-w", str(WARM_UP)]
        arguments += ["-s"] if scenario.stream else []
        arguments += ["-S", str(STAGGER_MS)] if scenario.paced else []
        arguments += ["-r", str(scenario.rate)] if scenario.rate else []
        return arguments

    def _spent(self, pids: Sequence[int]) -> tuple[float, float, float, float]:
        """Seconds up to now: the CPU time of these processes, of measuring itself and of the machine, and the clock's.

        What measures is this program, the load generators that it has waited for, and the upstream.
        """
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        ours = own + cpu_seconds([self.upstream.pid])
        return cpu_seconds(pids), ours, machine_cpu_seconds(), time.monotonic()


def median(values: Sequence[float]) -> float:
    """The median, or 0 of nothing."""
    return statistics.median(values) if values else 0.0


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """The median of the rounds' ratios, of those that both have and theirs is not zero in; None where there is none."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=False) if other]
    return median(ratios) if ratios else None
