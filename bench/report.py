"""What is printed and kept: ratios from one run, with the machine, the commit and the command they belong to."""

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from bench.agent import AgentTurn
from bench.embedded import EmbeddedResult
from bench.measure import Measurement, median
from bench.processes import QUIET
from bench.scenarios import CONCURRENCIES, PACED_IDEAL_MS, SCENARIOS, Scenario

OUR_NAME, ANCHOR = "rixin", "direct"


class Starts(msgspec.Struct, frozen=True, kw_only=True):
    """Times to start, in seconds, and memory at rest."""

    version_seconds: float
    first_start_seconds: float
    """With a fresh data directory."""
    start_seconds: float
    idle_memory_mb: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run."""

    machine: dict[str, str]
    commit: str
    command: str
    starts: Starts
    measurements: list[Measurement]
    embedded: EmbeddedResult | None


def describe_machine() -> dict[str, str]:
    """What the figures depend on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ("uvloop", "httptools", "aiohttp", "msgspec", "xllamacpp")
    return {
        "cpu": f"{os.cpu_count()} x {model}",
        "memory": f"{memory:.0f} GiB",
        "system": platform.platform(),
        "python": platform.python_version(),
        **{library: version(library) for library in libraries},
    }


def describe_commit(folder: Path) -> str:
    """The commit that is measured, and whether it is what stands in the files."""
    head = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=folder, capture_output=True, text=True, check=False
    )
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=False)
    return f"{head.stdout.strip() or 'unknown'}{' with changes' if changed.stdout.strip() else ''}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    rendered = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([rendered[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *rendered[1:]])


def render(result: Result) -> str:
    """The report."""
    machine = result.machine
    parts = [
        f"commit {result.commit}; {machine['cpu']}, {machine['memory']}, Python {machine['python']}",
        _load_table(result.measurements),
        _latency_line(result.measurements),
        _start_table(result.starts),
    ]
    if result.embedded is not None:
        parts.append(_embedded_table(result.embedded))
    return "\n\n".join(part for part in parts if part)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """The median of the rounds' ratios; None where a round of theirs is missing or zero."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=False) if other]
    return median(ratios) if ratios else None


def _rounds(measurements: Iterable[Measurement], scenario: str, target: str) -> list[Measurement]:
    return [each for each in measurements if each.scenario == scenario and each.target == target]


def _load_table(measurements: Sequence[Measurement]) -> str:
    targets = list(dict.fromkeys(each.target for each in measurements))
    rows: list[list[str]] = []
    for scenario in SCENARIOS:
        ours = _rounds(measurements, scenario.name, OUR_NAME)
        for target in targets:
            rounds = _rounds(measurements, scenario.name, target)
            if rounds:
                ratio = median_ratio(*([each.load.per_second for each in side] for side in (ours, rounds)))
                times = "" if target == OUR_NAME else _ratio(ratio)
                rows.append([scenario.title, target, *_cells(scenario, rounds), times])
    header = ["load", "server", "per second", "p50 ms", "p99 ms", "CPU us", "memory MB", "other CPU", "errors"]
    return table([*header, f"{OUR_NAME} is x times"], rows) if rows else ""


def _cells(scenario: Scenario, rounds: Sequence[Measurement]) -> list[str]:
    def middle(values: Iterable[float]) -> float:
        return median(list(values))

    ideal, late = (PACED_IDEAL_MS, " late") if scenario.paced else (0.0, "")
    noisy = " !" if any(each.other_cpu > QUIET for each in rounds) else ""
    return [
        f"{middle(each.load.per_second for each in rounds):,.0f}",
        f"{middle(each.load.p50_ms for each in rounds) - ideal:.2f}{late}",
        f"{middle(each.load.p99_ms for each in rounds) - ideal:.2f}{late}",
        f"{middle(each.cpu_us for each in rounds):.0f}",
        f"{middle(each.memory_mb for each in rounds):.0f}",
        f"{middle(each.other_cpu for each in rounds):.2f}{noisy}",
        str(sum(each.load.errors for each in rounds)),
    ]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _latency_line(measurements: Sequence[Measurement]) -> str:
    """What the server adds to the upstream's latency at a steady rate."""
    name = next(scenario.name for scenario in SCENARIOS if scenario.rate)
    ours, anchor = _rounds(measurements, name, OUR_NAME), _rounds(measurements, name, ANCHOR)
    if not ours or not anchor:
        return ""
    added = [
        median([mine.load.p50_ms - base.load.p50_ms for mine, base in zip(ours, anchor, strict=False)]),
        median([mine.load.p99_ms - base.load.p99_ms for mine, base in zip(ours, anchor, strict=False)]),
    ]
    return f"added latency at 500 requests a second: p50 {added[0]:.2f} ms, p99 {added[1]:.2f} ms"


def _start_table(starts: Starts) -> str:
    rows = [
        ["`rixin --version`", f"{starts.version_seconds:.3f} s"],
        ["start with a fresh data directory", f"{starts.first_start_seconds:.2f} s"],
        ["start", f"{starts.start_seconds:.2f} s"],
        ["memory at rest", f"{starts.idle_memory_mb:.0f} MB"],
    ]
    return table(["start", OUR_NAME], rows)


def _embedded_table(result: EmbeddedResult) -> str:
    rows: list[list[str]] = []
    for concurrency in CONCURRENCIES:
        by_target = {
            target: [each for each in result.generations if (each.target, each.concurrency) == (target, concurrency)]
            for target in (OUR_NAME, "native")
        }
        ours, native = by_target[OUR_NAME], by_target["native"]
        speed = median_ratio([each.tokens_per_second for each in ours], [each.tokens_per_second for each in native])
        first = median_ratio([each.first_token_seconds for each in ours], [each.first_token_seconds for each in native])
        rows.append(
            [
                str(concurrency),
                f"{median([each.tokens_per_second for each in ours]):.1f}",
                f"{median([each.tokens_per_second for each in native]):.1f}",
                _ratio(speed),
                f"{median([each.first_token_seconds for each in ours]):.2f}",
                f"{median([each.first_token_seconds for each in native]):.2f}",
                _ratio(first),
            ]
        )
    header = ["streams", "tokens/s", "native", "ratio", "first token s", "native s", "ratio of times"]
    lines = [
        f"embedded model {result.model}, against llama.cpp's own server",
        table(header, rows),
        _turns_table(result.turns),
        f"first start to first answer: {result.first_answer_seconds:.1f} s",
        f"`/health` while 4 streams run: p50 {result.probe.p50_ms:.1f} ms, p99 {result.probe.p99_ms:.1f} ms",
    ]
    return "\n\n".join(line for line in lines if line)


def _turns_table(turns: Sequence[AgentTurn]) -> str:
    rows = [
        [
            turn.name,
            str(turn.prompt_tokens),
            str(turn.cached_tokens),
            f"{turn.first_token_seconds:.1f}",
            _ratio(median_ratio([turn.first_token_seconds], [turns[0].first_token_seconds])),
        ]
        for turn in turns
    ]
    header = ["an agent's turn", "prompt tokens", "cached", "first token s", "of the first turn's"]
    return table(header, rows) if rows else ""
