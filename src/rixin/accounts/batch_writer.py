"""Rows on their way to the store: taken down at once, written in batches, kept while the store does not work."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

import structlog

from rixin.errors import Kind, RixinError

BATCH = 500
"""Rows written in one transaction."""
INTERVAL = 0.1
"""Seconds that a row waits at most while the store works. Few rows at a time: requests wait for the processor, too."""
PAUSE = 0.5
"""Seconds after which a store that did not work is tried again."""
MAX_PENDING = 50_000
"""Rows kept while the store does not work."""

Row = TypeVar("Row")

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class BatchWriter(Generic[Row]):
    """Writes rows behind their makers' backs. A row that no store takes costs itself only.

    Args:
        write: Stores rows, all or none. Raises `OVERLOADED` or `SHUTTING_DOWN` where the store does not work; whatever
            else it raises (`RixinError`, `OverflowError`, `UnicodeError`) is a row's fault.
        what: What log records call the rows, such as `Usage`.
        batch: Rows written in one transaction.
        done: Called with rows that are stored, or lost, and kept no longer.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Row]], Awaitable[None]],
        what: str,
        *,
        batch: int = BATCH,
        done: Callable[[Sequence[Row]], None] = lambda _: None,
    ) -> None:
        self._write_rows = write
        self._done = done
        self._what = what
        self._batch = batch
        self._pending: list[Row] = []
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._writing = asyncio.Lock()
        self.failing = False
        """Whether the store did not work when it was last tried."""
        self.lost = 0
        """Rows that could not be kept, since the start."""

    @property
    def full(self) -> bool:
        """Whether there is no room for another row."""
        return len(self._pending) >= MAX_PENDING

    def record(self, row: Row) -> bool:
        """Takes a row down, and tells whether there was room for it. Never waits, never raises."""
        pending = self._pending
        waiting = len(pending) + 1
        if waiting > MAX_PENDING:
            self.lost += 1
            return False
        pending.append(row)
        if waiting == 1:
            self._some.set()
        elif waiting >= self._batch:
            self._full.set()
        return True

    async def run(self) -> None:
        """Writes rows ten times a second, or as soon as a batch is full, until it is cancelled."""
        while True:
            await self._some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._full.wait()
            self._some.clear()
            self._full.clear()
            await self.flush()
            if self._pending:
                self._some.set()
            if self.failing:
                await asyncio.sleep(PAUSE)

    async def flush(self) -> bool:
        """Writes the rows that were recorded before. Returns whether it could; if not, it is tried again later."""
        async with self._writing:
            left = len(self._pending)
            while left:
                batch = self._pending[: min(left, self._batch)]
                try:
                    await self._write(batch)
                except RixinError as error:
                    self._note_failure(error)
                    return False
                del self._pending[: len(batch)]
                self._done(batch)
                left -= len(batch)
            if self.failing:
                log.warning(f"{self._what} is written again", lost_since_start=self.lost)  # noqa: G004 - a record has a name, not a template
                self.failing = False
            return True

    async def aclose(self) -> None:
        """Writes what is left. Call it when `run` has ended and before the database is closed."""
        if not await self.flush():
            self.lost += len(self._pending)
            log.error(f"{self._what} is lost: the store does not work", lost_since_start=self.lost)  # noqa: G004 - as above
            self._pending.clear()

    async def _write(self, batch: Sequence[Row]) -> None:
        try:
            await self._write_rows(batch)
            return
        except (OverflowError, UnicodeError) as error:
            reason = type(error).__name__
        except RixinError as error:
            if error.kind in (Kind.OVERLOADED, Kind.SHUTTING_DOWN):
                raise
            reason = error.detail or error.message
        # A row that no database would take must not hold up the others for ever.
        if len(batch) == 1:
            self.lost += 1
            log.error(f"{self._what} is lost: a row cannot be stored", reason=reason, lost_since_start=self.lost)  # noqa: G004 - as above
            return
        middle = len(batch) // 2
        await self._write(batch[:middle])
        await self._write(batch[middle:])

    def _note_failure(self, error: RixinError) -> None:
        if not self.failing:
            reason = error.detail or error.message
            log.warning(f"{self._what} cannot be written, and is kept for later", detail=reason)  # noqa: G004 - as above
        self.failing = True
