"""`python -m bench.soak`: mixed streams for half an hour, with clients that leave, and what of it stays in the server.

Memory must be flat, and what is open must be back where it was a few seconds after the last client has gone.
"""

import argparse
import asyncio
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.build import HOME, build
from bench.descriptors import Counts
from bench.measure import median
from bench.place import describe_commit
from bench.processes import allow_descriptors, pinned
from bench.table import table
from bench.targets import LOAD_CORE, SERVER_CORE, RixinServer, Target, provider_configuration, upstream
from bench.visitors import Visitors
from bench.watcher import Sample, Watcher

MINUTES, VISITORS = 30.0, 64
BACK_WITHIN = 5.0
"""Seconds after the load's end in which what is open must be back at what is open at rest."""
FLAT = 1.05
"""How many times its memory of minute 10 a server may have at the end."""
MINUTE = 10.0
"""The one whose memory the end's is compared with."""
_WARM_UP = 10.0


class SoakResult(msgspec.Struct, frozen=True, kw_only=True):
    """A whole soak."""

    commit: str
    command: str
    minutes: float
    visitors: int
    done: dict[str, int]
    """Requests by what became of them: `whole`, `streamed`, `left` and `failed`."""
    first_error: str
    idle: Counts
    """At rest, after the same load for some seconds."""
    after: Counts
    """When it was back, or no longer waited for."""
    back_seconds: float | None
    """From the last client's end until all was back, connections to the upstream aside; None where it was not."""
    upstream_seconds: float | None
    """Until those were, too."""
    samples: list[Sample]

    @property
    def from_minute(self) -> float:
        """With which the end is compared: 10, or a third of the time where that is earlier."""
        return min(MINUTE, self.minutes / 3)

    @property
    def memory_mb(self) -> tuple[float, float]:
        """Around that minute, and in the last one."""
        span = min(0.5, self.minutes / 10)
        early = [each.memory_mb for each in self.samples if abs(each.minute - self.from_minute) <= span]
        late = [each.memory_mb for each in self.samples if each.minute >= self.minutes - 2 * span]
        return median(early), median(late)

    @property
    def memory_ratio(self) -> float:
        """The end's, of that minute's."""
        early, late = self.memory_mb
        return late / early if early else 0.0

    @property
    def faults(self) -> list[str]:
        """What is not as it should be."""
        found: list[str] = []
        if self.done.get("failed"):
            found.append(f"{self.done['failed']} requests failed: {self.first_error}")
        if self.memory_ratio > FLAT:
            found.append(f"memory at the end is {self.memory_ratio:.3f} of minute {self.from_minute:.1f}'s")
        if self.back_seconds is None or self.back_seconds > BACK_WITHIN:
            found.append(f"after the end {self.after} is open, at rest {self.idle}")
        if self.upstream_seconds is None or self.upstream_seconds > BACK_WITHIN:
            found.append(f"connections to the upstream stay: {self.after.upstream}, {_seconds(self.upstream_seconds)}")
        return found


async def soak(target: Target, upstream_port: int, command: str, *, minutes: float, visitors: int) -> SoakResult:
    """Visits a server for so many minutes."""
    watcher = Watcher(target, upstream_port)
    crowd = Visitors(target, seed=8)
    await crowd.visit(visitors, min(_WARM_UP, minutes * 20))
    idle = await watcher.rest()
    print(f"# at rest: {idle}", flush=True)
    crowd = Visitors(target, seed=9)
    watching = asyncio.create_task(watcher.watch(minutes))
    await crowd.visit(visitors, minutes * 60)
    watching.cancel()
    after, back, upstream_back = await watcher.back(idle)
    return SoakResult(
        commit=describe_commit(HOME),
        command=command,
        minutes=minutes,
        visitors=visitors,
        done=dict(crowd.done),
        first_error=crowd.first_error,
        idle=idle,
        after=after,
        back_seconds=back,
        upstream_seconds=upstream_back,
        samples=watcher.samples,
    )


def render_soak(result: SoakResult) -> str:
    """What it showed."""
    done, (early, late) = result.done, result.memory_mb
    rows = [
        ["requests answered whole", f"{done.get('whole', 0) + done.get('streamed', 0):,}"],
        ["requests that their clients left", f"{done.get('left', 0):,}"],
        ["requests that failed", f"{done.get('failed', 0):,}"],
        [
            f"its own memory around minute {result.from_minute:.1f}, at the end",
            f"{early:.1f} MB, {late:.1f} MB: {result.memory_ratio:.3f}",
        ],
        ["tasks at rest, most under load, after", _span(result, "tasks")],
        ["sockets at rest, most under load, after", _span(result, "sockets")],
        ["descriptors at rest, most under load, after", _span(result, "descriptors")],
        ["connections to the upstream", _span(result, "upstream")],
        ["back at rest after the last client", _seconds(result.back_seconds)],
        ["unused connections to the upstream closed after", _seconds(result.upstream_seconds)],
    ]
    title = f"{result.minutes:g} minutes, {result.visitors} clients"
    return f"commit {result.commit}, `{result.command}`\n\n{table([title, ''], rows)}"


def _span(result: SoakResult, name: str) -> str:
    most = max((getattr(each.counts, name) for each in result.samples), default=0)
    return f"{getattr(result.idle, name)}, {most}, {getattr(result.after, name)}"


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def main(arguments: Sequence[str] | None = None) -> None:
    """Soaks a server, prints what it showed, and fails where that is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long (30)")
    parser.add_argument("--visitors", type=int, default=VISITORS, help="clients at a time (64)")
    parser.add_argument("--out", type=Path, default=HOME / "out" / "soak.json", help="where the JSON goes")
    given = sys.argv[1:] if arguments is None else [*arguments]
    options = parser.parse_args(given)
    native = build()
    allow_descriptors()
    with (
        tempfile.TemporaryDirectory(prefix="rixin-soak-") as name,
        upstream(native.upstream, Path(name)) as scripted,
    ):
        server = RixinServer(Path(name) / "rixin", provider_configuration(scripted.port))
        with server.run(SERVER_CORE) as (process, _), pinned(LOAD_CORE):
            target = server.target(process)
            command = shlex.join(["python", "-m", "bench.soak", *given])
            running = soak(target, scripted.port, command, minutes=options.minutes, visitors=options.visitors)
            result = asyncio.run(running)
    print(render_soak(result))
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    if result.faults:
        sys.exit("\n".join(result.faults))


if __name__ == "__main__":
    main()
