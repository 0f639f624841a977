"""`python -m bench.rooms`: in which room of the house a request spends its processor time.

A signal tells this process, which has the server and its clients in it, each time that it has used some more processor
time; what it is at then is counted. Time in a library, or in the interpreter, belongs to the room that called it.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import rixin
from bench.in_process import CASES, Case, Connect, with_server
from bench.page import PERFORMANCE, fill_section
from bench.table import table

SOURCES = Path(rixin.__file__).parent
TICK = 0.001
"""Seconds of processor time between two looks, where the system's clock is as fine as that."""
CLIENTS = 16
OUTSIDE = "loop, sockets and the clients themselves"
"""What no room calls."""


class Sampler:
    """Counts where this process is at, by room, while it is the context."""

    def __init__(self) -> None:
        self.rooms: Counter[str] = Counter()

    def __enter__(self) -> "Sampler":
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, TICK, TICK)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        self.rooms[room_of(frame)] += 1


def room_of(frame: FrameType | None) -> str:
    """The room of the innermost function of ours that a frame is called by, or is."""
    while frame is not None:
        source = Path(frame.f_code.co_filename)
        if source.is_relative_to(SOURCES):
            return source.relative_to(SOURCES).parts[0]
        frame = frame.f_back
    return OUTSIDE


async def _ask(connect: Connect, case: Case, seconds: float) -> int:
    """Has several clients ask, each one again when it has its answer. Returns how many requests that made."""
    until = time.monotonic() + seconds

    async def visit() -> int:
        client, asked = connect(), 0
        while time.monotonic() < until:
            await client.ask(case)
            asked += 1
        return asked

    return sum(await asyncio.gather(*(visit() for _ in range(CLIENTS))))


def measure(seconds: float) -> dict[str, Mapping[str, float]]:
    """Microseconds of processor time of a request, by case and room."""
    found: dict[str, Mapping[str, float]] = {}

    async def work(connect: Connect) -> None:
        for name, case in CASES.items():
            await _ask(connect, case, seconds / 10)
            began = time.process_time()
            with Sampler() as sampler:
                asked = await _ask(connect, case, seconds)
            each = (time.process_time() - began) / asked / sampler.rooms.total()
            found[name] = {room: looks * each * 1e6 for room, looks in sampler.rooms.items()}

    with_server(work)
    return found


def render(found: Mapping[str, Mapping[str, float]]) -> str:
    """A table of microseconds, the room that takes most first."""
    totals = Counter[str]()
    for rooms in found.values():
        totals.update({room: round(spent * 1000) for room, spent in rooms.items()})
    rows = [[room, *(f"{rooms.get(room, 0):,.0f}" for rooms in found.values())] for room, _ in totals.most_common()]
    sums = ["together", *(f"{sum(rooms.values()):,.0f}" for rooms in found.values())]
    return table(["µs of a request", *(name.replace("_", " ") for name in found)], [*rows, sums])


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.rooms", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each request is asked (10)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    arguments = parser.parse_args(sys.argv[1:])
    text = render(measure(arguments.seconds))
    print(text)
    if arguments.write:
        fill_section(PERFORMANCE, "rooms", text)


if __name__ == "__main__":
    main()
