"""`python -m bench.calls`: how many calls of functions, Python's and C's, the server makes to answer a request.

Seconds depend on the machine and on who else uses it. Calls do not, and grow with what the interpreter has to do; so a
test holds them to `calls.toml`, and the request path cannot grow long again unnoticed.
"""

import argparse
import asyncio
import json
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType

from bench.build import HOME
from bench.in_process import CASES, Case, Client, Connect, with_server

BUDGET = HOME / "calls.toml"
WARM_UP, REQUESTS, ROUNDS = 30, 10, 12


class Tally:
    """Counts calls by who makes them, while it is the context."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __enter__(self) -> "Tally":
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _seen(self, frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call"):
            self.calls[frame.f_code.co_filename] += 1


async def _count(client: Client, case: Case) -> Counter[str]:
    """The calls of a request: of many the one with the fewest, the others do something else besides."""
    for _ in range(WARM_UP):
        await client.ask(case)
    requests: list[Counter[str]] = []
    for _ in range(REQUESTS * ROUNDS):
        with Tally() as tally:
            await client.ask(case)
        requests.append(tally.calls)
    return min(requests, key=lambda calls: calls.total())


async def _seconds(clients: Sequence[Client], case: Case) -> float:
    """Processor time of a request, with several clients at a time: the least of several rounds."""

    async def some(client: Client) -> None:
        for _ in range(REQUESTS):
            await client.ask(case)

    rounds: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        await asyncio.gather(*map(some, clients))
        rounds.append((time.process_time() - began) / REQUESTS / len(clients))
    return min(rounds)


@dataclass(frozen=True)
class Cost:
    """What a request costs: its calls by the file that makes them, and seconds of processor time."""

    files: Mapping[str, int]
    seconds: float

    @property
    def calls(self) -> int:
        """All of its calls."""
        return sum(self.files.values())


def measure(names: Iterable[str], *, timed: bool = True) -> dict[str, Cost]:
    """What some cases cost; once in a process."""
    costs: dict[str, Cost] = {}

    async def work(connect: Connect) -> None:
        for name in names:
            tally = await _count(connect(), CASES[name])
            files = dict(tally.most_common())
            seconds = await _seconds([connect() for _ in range(16)], CASES[name]) if timed else 0.0
            costs[name] = Cost(files, seconds)

    with_server(work)
    return costs


def budget() -> dict[str, float]:
    """How many calls each case may cost."""
    return tomllib.loads(BUDGET.read_text(encoding="utf-8"))["calls"]


def main() -> None:
    """Prints what each case costs; with `--files`, who makes the calls."""
    parser = argparse.ArgumentParser(prog="python -m bench.calls", description=__doc__)
    parser.add_argument("--only", action="append", choices=CASES, help="repeat; all unless given")
    parser.add_argument("--files", action="store_true", help="print who makes them")
    parser.add_argument("--json", action="store_true", help="print the calls as JSON and nothing else")
    arguments = parser.parse_args(sys.argv[1:])
    costs = measure(arguments.only or CASES, timed=not arguments.json)
    if arguments.json:
        print(json.dumps({name: cost.calls for name, cost in costs.items()}))
        return
    allowed = budget()
    for name, cost in costs.items():
        print(f"{name}: {cost.calls:,} calls of {allowed[name]:,.0f}, {cost.seconds * 1e6:,.0f} us")
        for file, calls in cost.files.items() if arguments.files else ():
            print(f"{calls:9,} {file}")


if __name__ == "__main__":
    main()
