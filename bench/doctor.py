"""`python -m bench.doctor`: how many hidden rules of strict upstreams the doctor finds.

Prints the table, and writes it into `docs/doctor.md` with `--write`.
"""

import argparse
import asyncio
import logging
import sys

import structlog

from bench.page import DOCS, fill_section
from rixin.service.doctor import BUDGET
from tests.support.doctor_runs import Runs, run
from tests.support.strict_runs import markdown


def main() -> None:
    """Examines the upstreams."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rule-sets", type=int, default=200)
    parser.add_argument("--calls", type=int, default=BUDGET)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--write", action="store_true", help="write the table into docs/doctor.md")
    arguments = parser.parse_args(sys.argv[1:])
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    runs = asyncio.run(run(seed=arguments.seed, rule_sets=arguments.rule_sets, budget=arguments.calls))
    text = report(runs)
    print(text)
    print("\n".join(runs.missed))
    if arguments.write:
        fill_section(DOCS / "doctor.md", "table", text)


def report(runs: Runs) -> str:
    """What the page shows."""
    count = len(runs.calls)
    return (
        f"{count} upstreams, {runs.drawn.total()} rules, {sum(runs.calls) / count:.1f} calls an upstream, at most "
        f"{max(runs.calls)} of {runs.budget}. At {runs.verified} of them a request with all that was refused passed, "
        f"once it was mended.\n\n{markdown(runs.rows())}"
    )


if __name__ == "__main__":
    main()
