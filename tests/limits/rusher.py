"""A process that takes part in a rush: `python -m tests.limits.rusher STORE`, STORE being a URL.

Each line that it is told is one thing to do, and it answers each with a line:
`AMOUNT REQUESTS` asks for a call so often at the same time, of a limit of that amount in five hours; it tells how many
were admitted, and how many more it could admit from memory. Before the first line it says `ready`.
"""

import asyncio
import sys
from pathlib import Path

from rixin.clock import SystemClock, machine
from rixin.limits.base import Cost, Limit, LimitError
from rixin.limits.page import CounterStore
from rixin.limits.redis_counters import RedisCounters
from rixin.limits.shared import SharedLimiter
from rixin.settings import Server, Settings
from rixin.store.database import Database
from tests.limits.stores import SqlStore


def open_store(url: str) -> CounterStore:
    """The store of a URL, as a server has it."""
    if url.startswith("unix:"):
        return RedisCounters(url, SystemClock(), machine())
    place = Database.open(Settings(server=Server(database_url=url))).place
    return SqlStore(place, SystemClock(), machine(), own_wall=isinstance(place, Path))


async def take(limiter: SharedLimiter, limit: Limit, requests: int) -> int:
    """Asks for so many calls at the same time, and tells how many were admitted."""
    outcomes = await asyncio.gather(
        *(limiter.acquire([limit], Cost()) for _ in range(requests)), return_exceptions=True
    )
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, LimitError):
            raise outcome
    return sum(not isinstance(outcome, LimitError) for outcome in outcomes)


async def main(url: str) -> None:
    """Does as it is told."""
    limiter = SharedLimiter(open_store(url), SystemClock())
    # Everybody knows of everybody else from the start.
    await limiter.inspect([Limit("nobody", "requests", 1, 60)], Cost())
    print("ready", flush=True)  # noqa: T201 - its answer
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        amount, requests = map(int, line.split())
        admitted = await take(limiter, Limit("key:1", "requests", amount, 18000), requests)
        print(admitted, sum(lease.left for lease in limiter._leases.values()), flush=True)  # noqa: T201 # pyright: ignore[reportPrivateUsage]
    await limiter.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
