"""Counters in Redis or Valkey: read, decided here, and written by a script if nobody has written any of them since.

The decision is the same code as everywhere; the script knows only records that are as they were read, or are not. Two
processes that want the same counter at the same time cost one of them another round. Names are tagged so that a
cluster keeps all of them on one node, as a script needs.

Nothing is left to expiry by the server: its clock may be set, and a counter that is gone too early admits too much.
"""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from rixin.clock import Clock
from rixin.errors import Kind, RixinError
from rixin.limits.page import Page
from rixin.limits.timeline import Timeline
from rixin.limits.window import FOREVER, MICROSECONDS, microseconds

PREFIX: Final = "{rixin}:"
RECORD: Final = f"{PREFIX}counter:"
TIMELINE: Final = f"{PREFIX}timeline"
ENDS: Final = f"{PREFIX}ends"
"""A sorted set of the records that come to an end, by that instant."""

PATIENCE: Final = 5.0
"""Seconds that a server may take for one answer."""
ROUNDS: Final = 1000
"""Times that others may come between until something must be wrong."""
SWEPT: Final = 1000
"""Records that one call forgets at most."""

T = TypeVar("T")

# KEYS: timeline, ends, records read. ARGV: how many records were read, each as it was ("" where it was not there), then
# instant, offset as it was and as it is, machine, ceiling, then for each change the record's position among KEYS, what
# it is now, and its end. Numbers that are only passed on stay text: those of Lua have 53 bits.
_WRITE: Final = """
local count = tonumber(ARGV[1])
for i = 1, count do
    if (redis.call('GET', KEYS[i + 2]) or '') ~= ARGV[i + 1] then return 0 end
end
local instant, before, offset, machine, ceiling = unpack(ARGV, count + 2, count + 6)
local stored = redis.call('HMGET', KEYS[1], 'instant', 'offset')
if tonumber(instant) > tonumber(stored[1] or 0) then redis.call('HSET', KEYS[1], 'instant', instant) end
if not stored[2] or stored[2] == before or tonumber(offset) < tonumber(stored[2]) then
    redis.call('HSET', KEYS[1], 'offset', offset)
end
local known = redis.call('HGET', KEYS[1], machine)
if not known or tonumber(ceiling) < tonumber(known) then redis.call('HSET', KEYS[1], machine, ceiling) end
for i = count + 7, #ARGV, 3 do
    local key = KEYS[tonumber(ARGV[i])]
    redis.call('SET', key, ARGV[i + 1])
    if ARGV[i + 2] ~= '' then redis.call('ZADD', KEYS[2], ARGV[i + 2], key) end
end
return 1
"""

# KEYS: ends. ARGV: instant, how many at most.
_SWEEP: Final = """
local ended = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
if #ended > 0 then
    redis.call('DEL', unpack(ended))
    redis.call('ZREM', KEYS[1], unpack(ended))
end
return #ended
"""


class RedisCounters:
    """Records in the keys of one server.

    Args:
        url: The server's: `redis://`, `rediss://` or `unix://`.
        clock: Its monotonic half is that of the timeline.
        machine: Whose monotonic clock it is, and since which start.
        own_wall: Whether the wall clock is `clock`'s too, and not the server's.

    Raises:
        RixinError: `CONFIGURATION` where the URL is none of a Redis.
    """

    def __init__(self, url: str, clock: Clock, machine: str, *, own_wall: bool = False) -> None:
        try:
            pool = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - its keywords have no types
                url,
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
                # What was written, and not acknowledged, must not be written again.
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
        except ValueError as error:
            message = f"server.redis_url: {error}. Write redis://host:6379/0, or leave it out."
            raise RixinError(Kind.CONFIGURATION, message) from None
        self._redis = Redis.from_pool(pool)
        self._write = self._redis.register_script(_WRITE)
        self._sweep = self._redis.register_script(_SWEEP)
        self._clock = clock
        self._machine = f"machine:{machine}"
        self._own_wall = own_wall

    async def step(self, names: Iterable[str], decide: Callable[[Page], T]) -> T:
        """As `CounterStore.step`."""
        places = {name: place for place, name in enumerate(names, 3)}
        keys = [TIMELINE, ENDS, *(RECORD + name for name in places)]
        async with _translated():
            for _ in range(ROUNDS):
                page, arguments = await self._read(list(places))
                outcome = decide(page)
                for name, (record, end) in page.changes().items():
                    arguments += [places[name], record, "" if end == FOREVER else end]
                if await self._write(keys=keys, args=arguments):
                    return outcome
        raise RixinError(Kind.OVERLOADED, "Too many requests are counted at the same time.", retry_after=1.0)

    async def sweep(self) -> None:
        """As `CounterStore.sweep`."""
        async with _translated():
            page, _ = await self._read([])
            while await self._sweep(keys=[ENDS], args=[page.now, SWEPT]) == SWEPT:
                pass

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    async def _read(self, names: list[str]) -> tuple[Page, list[str | int | bytes]]:
        """The records, and what the script is told of them and of the timeline."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.execute_command("TIME")  # pyright: ignore[reportUnusedCoroutine, reportUnknownMemberType] - it is queued
            pipeline.hmget(TIMELINE, "instant", "offset", self._machine)
            for name in names:
                pipeline.get(RECORD + name)
            sent = microseconds(self._clock.monotonic())
            answers: list[Any] = await pipeline.execute()
        reading = microseconds(self._clock.monotonic())
        (seconds, rest), (instant, offset, ceiling), *records = answers
        wall = microseconds(self._clock.now()) if self._own_wall else seconds * MICROSECONDS + rest
        ceilings = {} if ceiling is None else {self._machine: int(ceiling)}
        stored = Timeline(wall) if instant is None else Timeline(int(instant), int(offset), ceilings)
        timeline = stored.read(self._machine, wall, sent=sent, monotonic=reading)
        page = Page(dict(zip(names, records, strict=True)), now=timeline.instant, sent=sent, reading=reading)
        told: list[str | int | bytes] = [len(names), *(record or b"" for record in records), timeline.instant]
        told += ["" if instant is None else stored.offset, timeline.offset]
        return page, [*told, self._machine, timeline.ceilings[self._machine]]


@asynccontextmanager
async def _translated() -> AsyncGenerator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        message = "The server cannot count requests at the moment. Try again shortly."
        raise RixinError(Kind.OVERLOADED, message, retry_after=1.0, detail=f"redis: {error}") from error
