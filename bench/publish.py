"""`python -m bench.publish RESULT.json`: the tables of a run into `docs/performance.md`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.page import PERFORMANCE, fill_section
from bench.report import sections
from bench.result import Result
from bench.soak import SoakResult


def main(arguments: Sequence[str] | None = None) -> None:
    """Fills the sections that the run has; others stay as they are."""
    parser = argparse.ArgumentParser(prog="python -m bench.publish", description=__doc__)
    parser.add_argument("result", type=Path, help="what `python -m bench` wrote")
    parser.add_argument("--soak", type=Path, help="what `python -m bench.soak` wrote")
    parser.add_argument("--page", type=Path, default=PERFORMANCE, help="another page than docs/performance.md")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    result = msgspec.json.decode(options.result.read_bytes(), type=Result)
    soak = None if options.soak is None else msgspec.json.decode(options.soak.read_bytes(), type=SoakResult)
    for name, text in sections(result, soak).items():
        fill_section(options.page, name, text)


if __name__ == "__main__":
    main()
