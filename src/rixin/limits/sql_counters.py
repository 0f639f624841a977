"""Counters in the database, be it SQLite or PostgreSQL: one transaction a step, and one at a time."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import msgspec
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.clock import Clock
from rixin.limits.page import Page
from rixin.limits.timeline import Timeline
from rixin.limits.window import FOREVER, microseconds
from rixin.store.bulk_insert import put
from rixin.store.database import Database
from rixin.store.schema import counters

TOPIC: Final = "limits"
TIMELINE: Final = "timeline"
"""The name of the timeline's record."""

T = TypeVar("T")

_read = select(counters.c.name, counters.c.record).where(counters.c.name.in_(bindparam("names", expanding=True)))
_wall = select(func.extract("epoch", func.clock_timestamp()))
_timeline = msgspec.json.Decoder(Timeline)
_encode = msgspec.json.Encoder().encode


class SqlCounters:
    """Records in the table `counters`.

    Args:
        database: Migrated.
        clock: Its monotonic half is that of the timeline.
        machine: Whose monotonic clock it is, and since which start.
        own_wall: Whether the wall clock is `clock`'s too, and not the server's: SQLite has no server, and a PostgreSQL
            is shared by machines whose clocks differ.
    """

    def __init__(self, database: Database, clock: Clock, machine: str, *, own_wall: bool) -> None:
        self._database = database
        self._clock = clock
        self._machine = machine
        self._own_wall = own_wall

    async def step(self, names: Iterable[str], decide: Callable[[Page], T]) -> T:
        """As `CounterStore.step`."""
        async with self._database.begin(TOPIC) as connection:
            page, before, timeline = await self._read(connection, names)
            outcome = decide(page)
            changes = page.changes()
            # That time has passed is worth no write of its own.
            if changes or (before.offset, before.ceilings) != (timeline.offset, timeline.ceilings):
                changes[TIMELINE] = _encode(timeline), FOREVER
                await put(connection, counters, [(name, record, end) for name, (record, end) in changes.items()])
        return outcome

    async def sweep(self) -> None:
        """As `CounterStore.sweep`."""
        async with self._database.begin(TOPIC) as connection:
            page, _, _ = await self._read(connection, ())
            await connection.execute(delete(counters).where(counters.c.ends_at <= page.now))

    async def aclose(self) -> None:
        """The database is somebody else's."""

    async def _read(self, connection: AsyncConnection, names: Iterable[str]) -> tuple[Page, Timeline, Timeline]:
        """The records, and the timeline as it was and is: all under the lock, so nobody ever looks back at another."""
        raw: dict[str, bytes | None] = dict.fromkeys(names)
        rows = await connection.execute(_read, {"names": [TIMELINE, *raw]})
        known: dict[str, bytes] = {name: record for name, record in rows.all()}  # noqa: C416 - a row is no tuple
        stored = known.pop(TIMELINE, None)
        sent = microseconds(self._clock.monotonic())
        if self._own_wall:
            wall = microseconds(self._clock.now())
        else:
            wall = microseconds(float((await connection.execute(_wall)).scalar_one()))
        reading = microseconds(self._clock.monotonic())
        before = Timeline(wall) if stored is None else _timeline.decode(stored)
        timeline = before.read(self._machine, wall, sent=sent, monotonic=reading)
        return Page(raw | known, now=timeline.instant, sent=sent, reading=reading), before, timeline
