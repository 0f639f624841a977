"""`python -m bench`: this server under load, in rounds that alternate with the upstream alone, nginx and peers.

A short set takes a few minutes, `--full` all. The tables go to `docs/performance.md` with `python -m bench.publish`.
"""

import argparse
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.build import HOME, build
from bench.peer import PEERS, PLAIN_PROXY
from bench.place import describe_commit, describe_machine
from bench.processes import allow_descriptors
from bench.report import render
from bench.result import Result
from bench.run import PARTS, Plan, Run
from bench.scenarios import SCENARIOS

DEFAULT_MODEL = HOME.parent / ".cache" / "models" / "qwen2.5-coder-0.5b.gguf"
OUT = HOME / "out"
ALL_PARTS = (*PARTS, "held")
SHORT_PARTS = ("starts", "load")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints the tables and writes them with every round to `bench/out/`."""
    given = sys.argv[1:] if arguments is None else [*arguments]
    options = _parse(given)
    # The exit takes the way through every `finally`, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    allow_descriptors()
    path: Path = options.out or OUT / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.parent.mkdir(exist_ok=True)
    command = shlex.join(["python", "-m", "bench", *given])
    result = Result(machine=describe_machine(), commit=describe_commit(HOME), command=command)
    with tempfile.TemporaryDirectory(prefix="rixin-bench-") as folder:
        run = Run(_plan(options), build(), Path(folder), _tell)
        for so_far in run.results(result):
            result = so_far
            path.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    print(f"\n{render(result)}\n\nevery round: {path}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="everything, and not the short set")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (3 with --full, else 2)")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a measurement counts (2)")
    parser.add_argument("--patience", type=float, default=3.0, help="how long to wait for a quiet machine (3)")
    parser.add_argument("--part", action="append", choices=ALL_PARTS, help="only this one; repeat; held needs load")
    parser.add_argument(
        "--only", action="append", choices=[each.name for each in SCENARIOS], help="only this load; repeat"
    )
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


def _plan(options: argparse.Namespace) -> Plan:
    wanted = {each.name for each in SCENARIOS if options.full or each.short}
    return Plan(
        parts=options.part or (ALL_PARTS if options.full else SHORT_PARTS),
        scenarios=[each for each in SCENARIOS if each.name in (options.only or wanted)],
        peers=options.peer,
        rounds=options.rounds or (3 if options.full else 2),
        seconds=options.seconds,
        patience=options.patience,
        model=options.model,
        turns=options.turns,
    )


def _tell(line: str) -> None:
    print(f"# {line}", flush=True)


if __name__ == "__main__":
    main()
