"""`python -m bench.soak`: mixed streams for half an hour, with clients that leave, and what of it stays in the server.

Memory must be flat, and what is open must be back where it was a few seconds after the last client has gone.
"""

import argparse
import asyncio
import contextlib
import random
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import msgspec

from bench.asks import FRONTS, Ask, Front
from bench.build import HOME, build
from bench.descriptors import Counts, count
from bench.measure import median
from bench.place import describe_commit
from bench.processes import allow_descriptors, memory_mb, pinned, tree
from bench.scenarios import DELAYED, PACED
from bench.table import table
from bench.targets import LOAD_CORE, SERVER_CORE, RixinServer, Target, provider_configuration, upstream

MINUTES, VISITORS = 30.0, 64
BACK_WITHIN = 5.0
"""Seconds after the load's end in which what is open must be back at what is open at rest."""
FLAT = 1.05
"""How many times its memory of minute 10 a server may have at the end."""
MINUTE = 10.0
_SAMPLE = 5.0
"""Seconds between two looks, or less where the whole soak is short."""
_WARM_UP = 10.0
_STEADY = 2.0
"""Seconds after which what is open and has not changed is what is open at rest."""
_WATCHED = 60.0
"""Seconds after which what is not back is not waited for."""
_LOOK = 0.1
_THINKING = 0.2
"""Seconds that a visitor waits at most before the next request."""
_LEAVING = 1 / 3
"""How many of the streams are left before their end."""
_MARKS = (b"[DONE]", b"message_stop", b"response.completed", b'"finishReason":"')


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A look at the server under load."""

    minute: float
    memory_mb: float
    counts: Counts


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
        if self.upstream_seconds is None:
            found.append("connections to the upstream stay")
        return found


class Visitors:
    """Clients that ask for this and that, in every dialect, and do not always stay to the end.

    Args:
        target: The server.
        seed: Of what they choose.
    """

    def __init__(self, target: Target, seed: int) -> None:
        self._target = target
        self._draw = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.first_error = ""

    async def visit(self, visitors: int, seconds: float) -> None:
        """So many of them, for so long, and until the last one has what it asked for."""
        end = time.monotonic() + seconds
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=60)
        headers = dict(self._target.headers)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as client:
            await asyncio.gather(*(self._stay(client, end) for _ in range(visitors)))

    async def _stay(self, client: aiohttp.ClientSession, end: float) -> None:
        while time.monotonic() < end:
            front = self._draw.choice(FRONTS)
            model = self._draw.choice(("mock", PACED, DELAYED))
            ask = Ask(model, stream=self._draw.random() < 0.7)
            leaves = self._draw.random() < _LEAVING
            try:
                self.done[await self._request(client, front, ask, leaves=leaves)] += 1
            except (aiohttp.ClientError, TimeoutError, RuntimeError) as error:
                self.done["failed"] += 1
                self.first_error = self.first_error or f"{front.name}, {ask.model}: {error!r}"
            await asyncio.sleep(self._draw.random() * _THINKING)  # what people do between two requests

    async def _request(self, client: aiohttp.ClientSession, front: Front, ask: Ask, *, leaves: bool) -> str:
        url = f"http://127.0.0.1:{self._target.port}{front.path_of(ask)}"
        if leaves and ask.model == DELAYED:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._draw.random() * 0.2), client.post(url, json=front.body(ask)) as answer:
                    await answer.read()
            return "left"
        async with client.post(url, json=front.body(ask)) as answer:
            if answer.status != 200:
                raise RuntimeError(f"status {answer.status}: {(await answer.text())[:500]}")
            if leaves:
                await answer.content.read(self._draw.randint(1, 4000))
                answer.close()
                return "left"
            body = await answer.read()
        if not ask.stream:
            return "whole"
        if not any(mark in body[-4000:] for mark in _MARKS):
            raise RuntimeError(f"a stream without its end: {body[-200:]!r}")
        return "streamed"


class _Watcher:
    """Looks at a server, which has one upstream."""

    def __init__(self, target: Target, upstream_port: int) -> None:
        self._target = target
        self._upstream_port = upstream_port
        self.samples: list[Sample] = []

    async def counts(self) -> Counts:
        return await asyncio.to_thread(count, self._target.process.pid, self._target.port, self._upstream_port)

    async def watch(self, minutes: float) -> None:
        """Takes samples until it is cancelled, 30 or more in so many minutes."""
        began = time.monotonic()
        while True:
            await asyncio.sleep(min(_SAMPLE, minutes * 2))  # the distance between two looks
            memory = await asyncio.to_thread(lambda: memory_mb(tree(self._target.process.pid)))
            minute = (time.monotonic() - began) / 60
            self.samples.append(Sample(minute=minute, memory_mb=memory, counts=await self.counts()))
            if len(self.samples) % 12 == 0:
                print(f"# minute {minute:.0f}: {memory:.0f} MB, {self.samples[-1].counts}", flush=True)

    async def rest(self) -> Counts:
        """What is open when nobody asks for anything: as much as it is for some seconds."""
        since, found = time.monotonic(), await self.counts()
        while time.monotonic() - since < _STEADY:
            await asyncio.sleep(_LOOK)
            now = await self.counts()
            if not (found.at_most(now) and now.at_most(found)):
                since, found = time.monotonic(), now
        return found

    async def back(self, idle: Counts) -> tuple[Counts, float | None, float | None]:
        """What is open at last, the seconds until it was no more than at rest, and until the upstream's were gone."""
        began, back = time.monotonic(), None
        while (since := time.monotonic() - began) < _WATCHED:
            now = await self.counts()
            if back is None and now.at_most(idle):
                back = since
            if back is not None and not now.upstream:
                return now, back, since
            await asyncio.sleep(_LOOK)  # another process: there is no event for what it closes
        return await self.counts(), back, None


async def soak(target: Target, upstream_port: int, command: str, *, minutes: float, visitors: int) -> SoakResult:
    """Visits a server for so many minutes."""
    watcher = _Watcher(target, upstream_port)
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
            f"memory around minute {result.from_minute:.1f}, at the end",
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
