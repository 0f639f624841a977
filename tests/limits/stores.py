"""Counters in databases that are closed with them."""

from pathlib import Path

from sqlalchemy import URL

from rixin.clock import Clock
from rixin.limits.sql_counters import SqlCounters
from rixin.store.database import Database


class SqlStore(SqlCounters):
    """Counters in a database of their own."""

    def __init__(self, place: Path | URL, clock: Clock, machine: str, *, own_wall: bool) -> None:
        self._own = Database(place, busy_timeout=60)
        super().__init__(self._own, clock, machine, own_wall=own_wall)

    async def aclose(self) -> None:
        """Closes the database."""
        await self._own.aclose()
