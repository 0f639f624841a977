"""What is printed of a run: ratios first, with the machine, the commit and the command they belong to."""

from collections.abc import Iterable, Sequence

from bench.agent import AgentTurn
from bench.embedded import NATIVE, EmbeddedResult
from bench.goals import Evidence, render_goals
from bench.measure import Measurement, median, median_ratio
from bench.processes import QUIET
from bench.result import Result
from bench.scenarios import CONCURRENCIES, PACED_IDEAL_MS, SCENARIOS, Scenario
from bench.soak import SoakResult, render_soak
from bench.starts import Starts
from bench.table import table
from bench.targets import OUR_NAME

DOLLARS_PER_CORE_HOUR = 0.04
"""About what a core of a rented server costs."""


def sections(result: Result, soak: SoakResult | None = None) -> dict[str, str]:
    """The parts of the report by their names, those that were measured."""
    found = {
        "run": _run_line(result),
        "goals": render_goals(Evidence(result, soak)),
        "load": _load_table(result),
        "added latency": _latency_line(result),
        "held": _held_table(result),
        "growth": _growth_table(result),
        "cost": _cost_table(result),
        "starts": "" if result.starts is None else _start_table(result.starts),
        "embedded": "" if result.embedded is None else _embedded_table(result.embedded),
        "turns": "" if result.embedded is None else _turns_table(result.embedded.turns),
        "soak": "" if soak is None else render_soak(soak),
    }
    return {name: text for name, text in found.items() if text}


def render(result: Result) -> str:
    """The report."""
    return "\n\n".join(sections(result).values())


def _run_line(result: Result) -> str:
    machine = result.machine
    lines = [
        f"commit {result.commit}; {machine['cpu']}, {machine['memory']}, Python {machine['python']}",
        f"`{result.command}`",
    ]
    if result.peers:
        lines.append("; ".join(f"{name}: {what}" for name, what in result.peers.items()))
    return "  \n".join(lines)


def _load_table(result: Result) -> str:
    targets = list(dict.fromkeys(each.target for each in result.measurements))
    rows: list[list[str]] = []
    for scenario in SCENARIOS:
        ours = result.rates(scenario.name, OUR_NAME)
        for target in targets:
            rounds = result.rounds(scenario.name, target)
            if rounds:
                theirs = [each.load.per_second for each in rounds]
                times = "" if target == OUR_NAME else _ratio(median_ratio(ours, theirs))
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


def _latency_line(result: Result) -> str:
    """What the server adds to the upstream's latency at a steady rate."""
    added = result.added_ms("rate-500")
    if added is None:
        return ""
    return f"added latency at 500 requests a second: p50 {added[0]:.2f} ms, p99 {added[1]:.2f} ms"


def _held_table(result: Result) -> str:
    ours = {held.front: held.streams for held in result.held if held.target == OUR_NAME}
    rows = [
        [
            held.target,
            held.front,
            str(held.streams),
            f"{held.cpu_us_per_event:.1f}",
            "" if held.target == OUR_NAME else _ratio(_of(ours.get("messages"), held.streams)),
        ]
        for held in result.held
    ]
    header = ["server", "dialect in front", "streams on time", "CPU us an event", f"{OUR_NAME}, Messages, is x times"]
    return table(header, rows) if rows else ""


def _of(ours: int | None, theirs: int) -> float | None:
    return ours / theirs if ours is not None and theirs else None


def _growth_table(result: Result) -> str:
    rows = [
        [
            growth.what,
            f"{growth.few} to {growth.many}",
            f"{growth.cpu_us(growth.few):.0f}",
            f"{growth.cpu_us(growth.many):.0f}",
            f"{growth.ratio:.2f}",
        ]
        for growth in result.growth
    ]
    return table(["what grows", "from, to", "CPU us", "then", "ratio"], rows) if rows else ""


def _cost_table(result: Result) -> str:
    """Of 1,000,000 requests: so many seconds as one takes microseconds."""
    rows: list[list[str]] = []
    for scenario in SCENARIOS:
        seconds = result.cpu_us(scenario.name)
        if seconds is not None and not scenario.paced:
            dollars = seconds / 3600 * DOLLARS_PER_CORE_HOUR
            rows.append([scenario.title, f"{seconds:,.0f} s", f"{dollars:.4f} USD"])
    header = ["1,000,000 of", "CPU", f"at {DOLLARS_PER_CORE_HOUR} USD a core and hour"]
    return table(header, rows) if rows else ""


def _start_table(starts: Starts) -> str:
    rows = [
        ["`rixin --version`", f"{starts.version_seconds:.3f} s"],
        ["start with a fresh data directory", f"{starts.first_start_seconds:.2f} s"],
        ["start", f"{starts.start_seconds:.2f} s"],
        ["memory at rest", f"{starts.idle_memory_mb:.0f} MB"],
        [f"memory with {starts.streams:,} streams", f"{starts.streams_memory_mb:.0f} MB"],
    ]
    return table(["start", OUR_NAME], rows)


def _embedded_table(result: EmbeddedResult) -> str:
    rows: list[list[str]] = []
    for concurrency in CONCURRENCIES:
        ours, native = result.rounds(OUR_NAME, concurrency), result.rounds(NATIVE, concurrency)
        rates, times = result.ratios(concurrency)
        rows.append(
            [
                str(concurrency),
                f"{median([each.tokens_per_second for each in ours]):.1f}",
                f"{median([each.tokens_per_second for each in native]):.1f}",
                _ratio(rates),
                f"{median([each.first_token_seconds for each in ours]):.2f}",
                f"{median([each.first_token_seconds for each in native]):.2f}",
                _ratio(times),
            ]
        )
    header = ["streams", "tokens/s", "native", "ratio", "first token s", "native s", "ratio of times"]
    lines = [
        f"embedded model {result.model}, against llama.cpp's own server",
        table(header, rows),
        f"first start to first answer: {result.first_answer_seconds:.1f} s",
        f"`/health` while 4 streams run: p50 {result.probe.p50_ms:.1f} ms, p99 {result.probe.p99_ms:.1f} ms",
    ]
    return "\n\n".join(lines)


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
