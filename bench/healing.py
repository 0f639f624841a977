"""`python -m bench.healing`: how many requests strict upstreams answer, nothing being configured.

Prints the table, and writes it into `docs/healing.md` with `--write`.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

import structlog

from bench.page import DOCS, fill_section
from tests.support.strict_runs import Runs, markdown, run


def main() -> None:
    """Runs the clients against the upstreams."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rule-sets", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--write", action="store_true", help="write the table into docs/healing.md")
    arguments = parser.parse_args(sys.argv[1:])
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="rixin-bench-") as name:
        runs = asyncio.run(run(Path(name), seed=arguments.seed, rule_sets=arguments.rule_sets, rounds=arguments.rounds))
    text = report(runs)
    print(text)
    print("\n".join(runs.failures))
    if arguments.write:
        fill_section(DOCS / "healing.md", "table", text)


def report(runs: Runs) -> str:
    """What the page shows."""
    controls = runs.calls["all"] - runs.calls["answers"] - runs.calls["refused"]
    count = runs.total.total()
    rules = runs.calls["rules"] / runs.rule_sets
    return (
        f"{runs.rule_sets} upstreams, {count} requests, {runs.calls['answers'] / count:.2f} calls a request, "
        f"{controls / runs.rule_sets:.1f} calls for controls and {rules:.1f} proved rules "
        f"an upstream.\n\n{markdown(runs.rows())}"
    )


if __name__ == "__main__":
    main()
