"""How many paced streams a server keeps on time at once."""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from bench.asks import CHAT, Front
from bench.measure import Loader, Measurement
from bench.processes import QUIET
from bench.scenarios import PACED, PACED_IDEAL_MS, Scenario
from bench.targets import Target

MOST = 1024
"""More are not tried: the upstream and the load generator share a core."""
LATE = 1.25
"""On time are streams of which 99 in 100 take at most so many times as long as the upstream paces them."""
FIRST, FIRST_OF_SLOW = 128, 4

_ONE = Scenario("held", "streams, an event every 5 ms", 1, model=PACED, stream=True, paced=True)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The most that were on time; 0 where not even one was."""

    target: str
    front: str
    streams: int
    cpu_us_per_event: float
    probes: list[Measurement]


def most_held(
    loader: Loader, target: Target, *, front: Front = CHAT, most: int = MOST, tell: Callable[[str], None] = print
) -> Held:
    """Looks for it: doubles until some are late, then halves what lies between, to a quarter of what is held.

    Args:
        loader: Loads the server.
        target: The server.
        front: The dialect that is asked; the upstream's is Chat Completions.
        most: As many are enough.
        tell: Takes a line about each number that was tried.
    """
    probes: list[Measurement] = []

    def on_time(streams: int) -> bool:
        scenario = replace(_ONE, name=f"held-{front.name}-{streams}", connections=streams, front=front)
        # Others on the machine make streams late: then it is no word against the server, and is tried again.
        for _ in range(2):
            try:
                measured = loader.measure(target, scenario, len(probes))
            except RuntimeError as error:  # not one stream was whole
                tell(f"held: {target.name}, {front.name}, {streams}: {error}")
                return False
            probes.append(measured)
            good = not measured.load.errors and measured.load.p99_ms <= PACED_IDEAL_MS * LATE
            tell(
                f"held: {target.name}, {front.name}, {streams}: {'on time' if good else 'late'}, "
                f"p99 {measured.load.p99_ms - PACED_IDEAL_MS:.0f} ms late, errors {measured.load.errors}"
            )
            if good or measured.other_cpu <= QUIET:
                return good
        return False

    held = search(on_time, first=FIRST_OF_SLOW if target.slow else FIRST, most=most)
    last = next((probe for probe in reversed(probes) if probe.scenario == f"held-{front.name}-{held}"), None)
    events = 0 if last is None else last.load.completed_events
    cost = 0.0 if last is None or not events else last.cpu_us * last.load.completed / events
    return Held(target=target.name, front=front.name, streams=held, cpu_us_per_event=cost, probes=probes)


def search(fits: Callable[[int], bool], *, first: int, most: int) -> int:
    """The largest number that fits, to a quarter of itself, or `most` where that fits; 0 where 1 does not."""
    number, good, bad = min(first, most), 0, 0
    while not bad or bad - good > max(1, good // 4):
        if fits(number):
            good = number
            if good >= most:
                break
        else:
            bad = number
        number = min(good * 2, most) if not bad else (good + bad) // 2 if good else bad // 2
        if not number:
            break
    return good
