"""Deletes what was kept for a while once that is over."""

import asyncio
from typing import Protocol

import structlog

from rixin.clock import Clock
from rixin.errors import Kind, RixinError

_EVERY = 3600.0
_AT_ONCE = 500

log = structlog.get_logger("rixin.conversations")


class Expires(Protocol):
    """A table of things that are kept for a while."""

    async def delete_expired(self, now: float, limit: int) -> int:
        """Deletes at most `limit` of those whose time is over, and tells how many they were."""
        ...


async def sweep_always(table: Expires, clock: Clock) -> None:
    """Deletes what is too old, every hour, until it is cancelled."""
    while True:
        try:
            while await table.delete_expired(clock.now(), _AT_ONCE) == _AT_ONCE:
                pass
        except RixinError as error:
            if error.kind not in (Kind.OVERLOADED, Kind.SHUTTING_DOWN):
                raise
            log.warning("what is too old could not be deleted", detail=error.detail)
        await asyncio.sleep(_EVERY)
