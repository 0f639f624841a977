"""`python -m bench`: this server under load, in rounds that alternate with the upstream alone and with peers."""

import argparse
import contextlib
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.build import HOME, Native, build
from bench.embedded import EmbeddedResult, measure_embedded
from bench.measure import Loader, Measurement
from bench.processes import memory_mb, tree
from bench.report import Result, Starts, describe_commit, describe_machine, render
from bench.scenarios import SCENARIOS, Scenario
from bench.targets import LIMITS, PEERS, RIXIN, SERVER_CORE, RixinServer, Target, peer, provider_configuration, upstream

DEFAULT_MODEL = HOME.parent / ".cache" / "models" / "qwen2.5-coder-0.5b.gguf"
OUT = HOME / "out"


def main() -> None:
    """Measures, prints the tables and writes them with every round to `bench/out/`."""
    arguments = _parse(sys.argv[1:])
    # The exit takes the way through every `finally`, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    native = build()
    chosen = [each for each in SCENARIOS if arguments.only is None or each.name in arguments.only.split(",")]
    with tempfile.TemporaryDirectory(prefix="rixin-bench-") as name:
        starts, measurements = _measure_load(native, Path(name), chosen, arguments)
        embedded = _measure_embedded(native, Path(name), arguments)
    result = Result(
        machine=describe_machine(),
        commit=describe_commit(HOME),
        command=shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
        starts=starts,
        measurements=measurements,
        embedded=embedded,
    )
    text = render(result)
    print(f"\n{text}")
    OUT.mkdir(exist_ok=True)
    path = arguments.out or OUT / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    print(f"\nevery round: {path}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a measurement counts (2)")
    parser.add_argument("--patience", type=float, default=3.0, help="how long to wait for a quiet machine (3)")
    parser.add_argument("--only", help=f"some of {','.join(each.name for each in SCENARIOS)}")
    parser.add_argument("--peer", action="append", default=[], help=f"one of {', '.join(PEERS)}, if installed; repeat")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="the GGUF file of the embedded rows")
    parser.add_argument("--no-embedded", action="store_true", help="leave the embedded rows out")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    return parser.parse_args(arguments)


def _tell(line: str) -> None:
    print(f"# {line}", flush=True)


def _measure_load(
    native: Native, folder: Path, scenarios: Sequence[Scenario], arguments: argparse.Namespace
) -> tuple[Starts, list[Measurement]]:
    with contextlib.ExitStack() as stack:
        anchor = stack.enter_context(upstream(native.upstream, folder))
        server = RixinServer(folder / "load", provider_configuration(anchor.port) + LIMITS)
        with server.run(SERVER_CORE) as (_, first_start):
            pass
        process, start = stack.enter_context(server.run(SERVER_CORE))
        headers = server.make_key()
        starts = Starts(
            version_seconds=_version_seconds(),
            first_start_seconds=first_start,
            start_seconds=start,
            idle_memory_mb=memory_mb(tree(process.pid)),
        )
        _tell(f"rixin: started in {start:.2f} s, {starts.idle_memory_mb:.0f} MB")
        targets = [anchor, Target("rixin", server.port, process, headers, start)]
        targets += [stack.enter_context(peer(name, anchor.port, folder)) for name in arguments.peer]
        loader = Loader(native.load, folder, arguments.seconds, anchor.process, arguments.patience)
        measurements: list[Measurement] = []
        for number in range(arguments.rounds):
            for scenario in scenarios:
                for target in targets if number % 2 == 0 else reversed(targets):
                    measured = loader.measure(target, scenario, number)
                    measurements.append(measured)
                    _tell(
                        f"round {number + 1}, {scenario.name}, {target.name}: {measured.load.per_second:,.0f}/s, "
                        f"p50 {measured.load.p50_ms:.2f} ms, p99 {measured.load.p99_ms:.2f} ms, "
                        f"errors {measured.load.errors} {measured.load.first_error}"
                    )
    return starts, measurements


def _measure_embedded(native: Native, folder: Path, arguments: argparse.Namespace) -> EmbeddedResult | None:
    if arguments.no_embedded:
        return None
    if not arguments.model.exists():
        _tell(f"the embedded rows are left out: {arguments.model} is not there; name a GGUF file with --model")
        return None
    with upstream(native.upstream, folder) as anchor:
        loader = Loader(native.load, folder, arguments.seconds, anchor.process, arguments.patience)
        return measure_embedded(arguments.model.resolve(), folder, arguments.rounds, loader, _tell)


def _version_seconds() -> float:
    """The quickest of five runs: what the program takes, not what the machine does besides."""
    seconds: list[float] = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([RIXIN, "--version"], check=True, capture_output=True)
        seconds.append(time.monotonic() - began)
    return min(seconds)


if __name__ == "__main__":
    main()
