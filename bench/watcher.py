"""Looks at a server from outside, under load and when it is over: its memory, and what it holds open."""

import asyncio
import time

import msgspec

from bench.descriptors import Counts, count
from bench.processes import own_memory_mb, tree
from bench.targets import Target

_SAMPLE = 5.0
"""Seconds between two samples, or less where the whole soak is short."""
_STEADY = 2.0
"""Seconds after which what is open and has not changed is what is open at rest."""
_WATCHED = 60.0
"""Seconds after which what is not back is not waited for."""
_LOOK = 0.1
"""Seconds between two looks at what is open: another process has no event for what it closes."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A look at the server under load."""

    minute: float
    memory_mb: float
    counts: Counts


class Watcher:
    """Looks at a server, which has one upstream.

    Args:
        target: The server.
        upstream_port: Of the upstream.
    """

    def __init__(self, target: Target, upstream_port: int) -> None:
        self._target = target
        self._upstream_port = upstream_port
        self.samples: list[Sample] = []

    async def counts(self) -> Counts:
        """What is open now."""
        return await asyncio.to_thread(count, self._target.process.pid, self._target.port, self._upstream_port)

    async def watch(self, minutes: float) -> None:
        """Takes samples until it is cancelled, 30 or more in so many minutes."""
        began = time.monotonic()
        while True:
            await asyncio.sleep(min(_SAMPLE, minutes * 2))  # the distance between two looks
            memory = await asyncio.to_thread(lambda: own_memory_mb(tree(self._target.process.pid)))
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
            await asyncio.sleep(_LOOK)
        return await self.counts(), back, None
