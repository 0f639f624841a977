"""`python -m bench`: this server under load, in rounds that alternate with the upstream alone, nginx and peers.

A short set takes a few minutes, `--full` all. The tables go to `docs/performance.md` with `python -m bench.publish`.
"""

import argparse
import contextlib
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench import growth
from bench.asks import MESSAGES
from bench.build import HOME, build
from bench.embedded import EmbeddedResult, measure_embedded
from bench.held import Held, most_held
from bench.measure import Loader, Measurement
from bench.peer import PEERS, PLAIN_PROXY, NotInstalledError, peer
from bench.place import describe_commit, describe_machine
from bench.processes import allow_descriptors
from bench.report import render
from bench.result import ANCHOR, OUR_NAME, Result
from bench.scenarios import SCENARIOS, Scenario
from bench.starts import measure_starts
from bench.targets import LIMITS, SERVER_CORE, RixinServer, Target, provider_configuration, upstream

DEFAULT_MODEL = HOME.parent / ".cache" / "models" / "qwen2.5-coder-0.5b.gguf"
OUT = HOME / "out"
PARTS = ("starts", "load", "held", "growth", "embedded")
SHORT_PARTS = ("starts", "load")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints the tables and writes them with every round to `bench/out/`."""
    given = sys.argv[1:] if arguments is None else [*arguments]
    options = _parse(given)
    # The exit takes the way through every `finally`, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    allow_descriptors()
    with tempfile.TemporaryDirectory(prefix="rixin-bench-") as name:
        run = Run(Path(name), options)
        result = run.measure(shlex.join(["python", "-m", "bench", *given]))
    print(f"\n{render(result)}")
    path = options.out or OUT / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    print(f"\nevery round: {path}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="everything, and not the short set")
    parser.add_argument("--rounds", type=int, default=2, help="how often everything is measured (2)")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a measurement counts (2)")
    parser.add_argument("--patience", type=float, default=3.0, help="how long to wait for a quiet machine (3)")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one; repeat")
    parser.add_argument("--only", help=f"of the loads, some of {','.join(each.name for each in SCENARIOS)}")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        choices=[name for name in PEERS if name != PLAIN_PROXY],
        help="measured too, installed under .cache/peers where it is missing; repeat",
    )
    parser.add_argument("--turns", action="store_true", help="an agent's turns on the embedded model, too")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="the GGUF file of the embedded rows")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    return parser.parse_args(arguments)


def _tell(line: str) -> None:
    print(f"# {line}", flush=True)


class Run:
    """A run.

    Args:
        folder: For what servers keep.
        options: Of the command line.
    """

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._folder = folder
        self._options = options
        self._native = build()
        self._parts: Sequence[str] = options.part or (PARTS if options.full else SHORT_PARTS)
        names = options.only.split(",") if options.only else None
        self._scenarios = [each for each in SCENARIOS if (each.name in names if names else options.full or each.short)]
        self._peers: dict[str, str] = {}

    def measure(self, command: str) -> Result:
        """All parts that are wanted. `command` is what was said."""
        options, starts, loads, held, grown = self._options, None, list[Measurement](), list[Held](), []
        with upstream(self._native.upstream, self._folder) as anchor:
            loader = Loader(self._native.load, self._folder, options.seconds, anchor.process, options.patience)
            if "starts" in self._parts:
                starts = measure_starts(loader, anchor.port, self._folder)
                _tell(f"start {starts.start_seconds:.2f} s, memory {starts.idle_memory_mb:.0f} MB")
            if "load" in self._parts or "held" in self._parts:
                loads, held = self._measure_load(loader, anchor)
            if "growth" in self._parts:
                grown = [
                    growth.with_connections(loads, OUR_NAME),
                    growth.with_keys(loader, anchor.port, self._folder, options.rounds, _tell),
                    growth.with_processes(loader, anchor.port, self._folder, options.rounds, _tell),
                ]
            embedded = self._measure_embedded(loader) if "embedded" in self._parts else None
        return Result(
            machine=describe_machine(),
            commit=describe_commit(HOME),
            command=command,
            starts=starts,
            measurements=loads,
            held=held,
            growth=[each for each in grown if each is not None],
            embedded=embedded,
            peers=self._peers,
        )

    def _measure_load(self, loader: Loader, anchor: Target) -> tuple[list[Measurement], list[Held]]:
        with contextlib.ExitStack() as stack:
            server = RixinServer(self._folder / "load", provider_configuration(anchor.port) + LIMITS)
            process, _ = stack.enter_context(server.run(SERVER_CORE))
            targets = [anchor, Target(OUR_NAME, server.port, process, server.make_key())]
            for name in (PLAIN_PROXY, *self._options.peer):
                try:
                    targets.append(stack.enter_context(peer(name, anchor.port, self._folder)))
                    self._peers[name] = PEERS[name].what or "as the system has it"
                except (NotInstalledError, RuntimeError) as error:
                    self._peers[name] = f"not measured: {error}"
                    _tell(f"{name}: {error}")
            for target in targets[1:]:
                for scenario in SCENARIOS:
                    if scenario.name in ("whole-16", "burst-16"):
                        loader.warm(target, scenario)
            loads = self._rounds(loader, targets) if "load" in self._parts else []
            held = self._held(loader, targets) if "held" in self._parts else []
        return loads, held

    def _rounds(self, loader: Loader, targets: Sequence[Target]) -> list[Measurement]:
        measurements: list[Measurement] = []
        for number in range(self._options.rounds):
            for scenario in self._scenarios:
                asked = [target for target in targets if takes(target, scenario)]
                for target in asked if number % 2 == 0 else reversed(asked):
                    try:
                        measured = loader.measure(target, scenario, number)
                    except RuntimeError as error:
                        if target.name in (OUR_NAME, ANCHOR):
                            raise
                        _tell(f"round {number + 1}, {scenario.name}, {target.name}: {error}")
                        continue
                    measurements.append(measured)
                    _tell(
                        f"round {number + 1}, {scenario.name}, {target.name}: {measured.load.per_second:,.0f}/s, "
                        f"p50 {measured.load.p50_ms:.2f} ms, p99 {measured.load.p99_ms:.2f} ms, "
                        f"errors {measured.load.errors} {measured.load.first_error}"
                    )
        return measurements

    def _held(self, loader: Loader, targets: Sequence[Target]) -> list[Held]:
        held = [most_held(loader, target, tell=_tell) for target in targets]
        ours = next(target for target in targets if target.name == OUR_NAME)
        return [*held, most_held(loader, ours, front=MESSAGES, tell=_tell)]

    def _measure_embedded(self, loader: Loader) -> EmbeddedResult | None:
        options = self._options
        if not options.model.exists():
            _tell(f"the embedded rows are left out: {options.model} is not there; name a GGUF file with --model")
            return None
        model = options.model.resolve()
        return measure_embedded(model, self._folder, options.rounds, loader, _tell, turns=options.turns)


def takes(target: Target, scenario: Scenario) -> bool:
    """Whether a load is put to a server."""
    if target.name == OUR_NAME:
        return True
    if target.name in (ANCHOR, PLAIN_PROXY):
        return scenario.on in ("all", "anchors")
    return scenario.on == "all"


if __name__ == "__main__":
    main()
