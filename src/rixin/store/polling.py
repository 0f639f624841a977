"""How what a process knows of a table keeps up with all the processes that change it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from rixin.errors import RixinError

POLL_INTERVAL = 1.0
"""Seconds between two questions whether anything has changed."""

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


async def poll_always(poll: Callable[[], Awaitable[None]], what: str) -> None:
    """Polls each second until it is cancelled; a store that cannot be asked is told once, and asked again.

    Args:
        poll: Asks once. It raises `RixinError` where the store cannot be asked.
        what: What the store is asked about, for the log.
    """
    failing = False
    while True:
        try:
            await poll()
            failing = False
        except RixinError as error:
            if not failing:
                log.warning("the store cannot be asked", about=what, detail=error.detail or error.message)
            failing = True
        await asyncio.sleep(POLL_INTERVAL)
