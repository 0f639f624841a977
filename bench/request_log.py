"""`python -m bench.request_log`: how long a server takes for pages of a long request log, as it says itself.

Prints a table; with `--write` it goes into `docs/performance.md`.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

import requests

from bench.page import PERFORMANCE, fill_section
from rixin.store.database import Database
from tests.support.databases import served_place
from tests.support.ledger_runs import DAY, DAYS, START, fill
from tests.support.server import Server, start

ASKED: Final = {
    "the latest 200": "",
    "200 from the middle": f"&until={START + DAYS * DAY // 2}",
    "of a model": "&model=model-3",
    "of a provider": "&provider=provider-1",
    "of a key that asked ten times": "&key=rare",
    "that failed": "&status=5xx",
}
REPEAT = 20


def main() -> None:
    """Fills a log, has a server list it, and shows the times of its `server-timing`."""
    parser = argparse.ArgumentParser(prog="python -m bench.request_log", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="requests in the log (100000)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    arguments = parser.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="rixin-bench-") as folder:
        data_dir = Path(folder) / "data"
        data_dir.mkdir()
        asyncio.run(_fill(data_dir, arguments.rows))
        server, stop = start(data_dir)
        try:
            rows = [(name, _median(server, query)) for name, query in ASKED.items()]
        finally:
            stop()
    lines = [f"| {arguments.rows:,} requests | server |", "| --- | --- |"]
    text = "\n".join([*lines, *(f"| {name} | {took:.1f} ms |" for name, took in rows)])
    print(text)
    if arguments.write:
        fill_section(PERFORMANCE, "request log", text)


async def _fill(data_dir: Path, rows: int) -> None:
    database = Database(served_place(data_dir))
    await database.prepare()
    await fill(database, rows)
    await database.aclose()


def _median(server: Server, query: str) -> float:
    """Milliseconds until the head of a page leaves, the median of several times."""
    times: list[float] = []
    with requests.Session() as session:
        for _ in range(REPEAT):
            answered = session.get(
                f"{server.url}/admin/v1/requests?limit=200{query}", headers=server.headers, timeout=60
            )
            answered.raise_for_status()
            times.append(float(answered.headers["server-timing"].removeprefix("total;dur=")))
    return statistics.median(times)


if __name__ == "__main__":
    main()
