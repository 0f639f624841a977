"""`python -m bench.ledger`: how long it takes to list and sum a great many requests.

Prints a table for each store; with `--write` they go into `docs/performance.md`.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bench.page import PERFORMANCE, fill_section
from rixin.store.database import Database
from tests.support.databases import KINDS, Kind, execute, new_place
from tests.support.ledger_runs import fill, measure


def main() -> None:
    """Fills databases, asks, and shows how long that took."""
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="requests in the ledger (10000000)")
    parser.add_argument("--store", action="append", choices=KINDS, help="of what kind; repeat; all unless given")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    arguments = parser.parse_args(sys.argv[1:])
    kinds: list[Kind] = arguments.store or [*KINDS]
    for kind in kinds:
        took = asyncio.run(_measured(kind, arguments.rows))
        lines = [
            f"| {arguments.rows:,} requests | {kind} |",
            "| --- | --- |",
            *(f"| {name} | {milliseconds:.1f} ms |" for name, milliseconds in took.items()),
        ]
        text = "\n".join(lines)
        print(text)
        if arguments.write:
            fill_section(PERFORMANCE, f"ledger in {kind}", text)


async def _measured(kind: Kind, rows: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="rixin-bench-") as folder, new_place(kind, Path(folder)) as place:
        database = Database(place)
        await database.prepare()
        began = time.perf_counter()
        await fill(database, rows)
        if kind == "postgresql":
            execute(place, "VACUUM (ANALYZE)")  # as it does by itself in time, with rows that come one by one
        print(f"{kind}: filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        try:
            return await measure(database, rows)
        finally:
            await database.aclose()


if __name__ == "__main__":
    main()
