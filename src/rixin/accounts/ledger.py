"""The ledger: what every request used and what that costs, taken down at once and stored in batches."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from itertools import islice
from pathlib import Path

import structlog
from msgspec.structs import replace

from rixin.accounts.batch_writer import BATCH, BatchWriter
from rixin.accounts.journal import Entry, Journal, Underway
from rixin.accounts.orphans import orphans, settled
from rixin.clock import Clock
from rixin.core.prices import PriceList
from rixin.core.usage import Usage
from rixin.errors import RixinError, invalid
from rixin.limits.base import Limiter
from rixin.limits.trail import Legacy
from rixin.settings import UsageKeeping
from rixin.store.database import Database
from rixin.store.usage import EVERY, UsageFilter, UsageTable
from rixin.store.usage_row import UsageRow
from rixin.store.usage_sums import DAY, EVERYBODY, HOUR, Grouping, SumFilter, UsageSums, UsageTotal

MAX_LISTED = 1000
RECOVERY_INTERVAL = 5.0
"""Seconds between two looks for what processes left behind that are no more."""
SWEEP_INTERVAL = 600.0
"""Seconds between two looks for what is too old."""
SWEEP_PORTION = 500
"""Rows that are deleted in one transaction, so that nobody waits long for the store's one writer."""

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class Ledger:
    """Usage rows on their way to the store, and those that are there.

    Args:
        database: Where they are stored.
        prices: What models cost; nothing unless given.
        journals: The directory in which this process keeps its journal, beside those of others. Without one, what is
            not stored yet when the process is killed is lost.
        limiter: Admits the requests, and settles what those of killed processes held. Without it, the journals of
            processes whose counters outlive them stay for somebody who has it.
    """

    def __init__(
        self,
        database: Database,
        prices: PriceList | None = None,
        journals: Path | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self._table = UsageTable(database)
        self._sums = UsageSums(database)
        self._prices = prices or PriceList({})
        self._limiter = limiter
        self._journals = journals
        self._journal = None if journals is None else Journal.open(journals, self._priced, limiter)
        self._writer = BatchWriter[UsageRow](self._table.add, "Usage", done=self._stored)
        self._found = BatchWriter[UsageRow](self._table.add, "Usage of another process")

    @property
    def lost(self) -> int:
        """Rows that could not be kept, since the start."""
        return self._writer.lost + self._found.lost

    def open(self, request: Underway) -> Entry | None:
        """Takes down that a request was admitted; the entry belongs to its row when it is over. Never waits or raises.

        None where no journal is kept.
        """
        if self._journal is None:
            return None
        return self._journal.begin(request)

    def record(self, row: UsageRow, entry: Entry | None = None) -> None:
        """Takes a row down, and what it costs. Never waits, never raises."""
        row = self._priced(row)
        if self._journal is None:
            self._writer.record(row)
            return
        remembered = not self._writer.full
        self._journal.settle(row, entry, remembered=remembered)
        if remembered:
            self._writer.record(row)

    async def run(self) -> None:
        """Writes rows ten times a second, or as soon as a batch is full, until it is cancelled."""
        await self._writer.run()

    async def recover_always(self) -> None:
        """Calls `recover` now and from time to time, until it is cancelled."""
        while True:
            try:
                if taken := await self.recover():
                    log.info("Stored what usage journals held", rows=taken)
            except OSError as error:
                log.warning("A usage journal cannot be read, and is left for later", detail=str(error))
            await asyncio.sleep(RECOVERY_INTERVAL)

    async def recover(self) -> int:
        """Stores what other processes left behind that are no more, and what there was no memory for in an outage.

        What their requests held of their limits is settled then. What cannot be stored now is left for later.

        Returns:
            How many rows that were.

        Raises:
            OSError: A journal cannot be read.
        """
        taken = 0
        if not await self._found.flush():
            return taken
        for path in () if self._journal is None else self._journal.spilled():
            taken += await self._take(settled(path))
            if self._found.failing:
                return taken
        for orphan in () if self._journals is None else orphans(self._journals):
            taken += await self._take(orphan.rows())
            if self._found.failing:
                return taken
            if await self._settle(orphan.legacy()):
                orphan.remove()
        return taken

    async def sweep_always(self, keeping: UsageKeeping, clock: Clock) -> None:
        """Deletes what is older than it shall be, now and then, until it is cancelled."""
        while True:
            try:
                await self.sweep(keeping, clock.now())
            except RixinError as error:
                log.info("Old usage could not be deleted", detail=error.detail or error.message)
            await asyncio.sleep(SWEEP_INTERVAL)

    async def sweep(self, keeping: UsageKeeping, now: float) -> None:
        """Deletes what is older than it shall be.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used.
        """
        for table, days in ((self._table, keeping.days), (self._sums, keeping.sum_days)):
            if days is None:
                continue
            while await table.delete_before(now - days * DAY, SWEEP_PORTION) == SWEEP_PORTION:
                pass

    async def flush(self) -> bool:
        """Writes the rows that were recorded before. Returns whether it could; if not, it is tried again later."""
        return await self._writer.flush()

    async def aclose(self) -> None:
        """Writes what is left. Call it when `run` has ended and before the database is closed."""
        if self._journal is None:
            await self._writer.aclose()
            return
        if not await self._writer.flush():
            log.warning("Usage stays in the journal: the store does not work. The next start stores it.")
        self._journal.close()

    async def recent(
        self, *, limit: int = 100, before: tuple[float, str] | None = None, wanted: UsageFilter = EVERY
    ) -> list[UsageRow]:
        """Rows, the latest first.

        Args:
            limit: At most so many, up to 1000.
            before: `(time, id)` of the last row of the page before this one.
            wanted: Which ones.

        Raises:
            RixinError: `INVALID_REQUEST` naming the argument; `OVERLOADED` when the store cannot be used.
        """
        if not 1 <= limit <= MAX_LISTED:
            raise invalid(f"limit must lie between 1 and {MAX_LISTED}", "limit")
        await self.flush()
        return await self._table.recent(limit=limit, before=before, wanted=wanted)

    async def all(self, wanted: UsageFilter = EVERY) -> AsyncGenerator[Sequence[UsageRow]]:
        """All rows, the latest first, a portion at a time.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used.
        """
        await self.flush()
        async for rows in self._table.all(wanted):
            yield rows

    async def summary(
        self, since: float, until: float, group_by: Grouping, wanted: SumFilter = EVERYBODY
    ) -> list[UsageTotal]:
        """Sums over requests, in the order of their groups, by the time that they arrived at.

        Args:
            since: From the hour on in which this instant lies (UTC), where days are asked for from the day on.
            until: To the end of the hour or day in which this instant lies, unless it is the first of it.
            group_by: What has a sum of its own.
            wanted: Whose requests.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used.
        """
        await self.flush()
        return await self._sums.totals(*whole(since, until, group_by), group_by, wanted)

    async def _take(self, rows: Iterable[UsageRow]) -> int:
        """Stores rows from a journal that are not there yet, until the store fails. Returns how many were looked at."""
        rows, taken = iter(rows), 0
        while batch := list(islice(rows, BATCH)):
            for row in batch:
                self._found.record(row)
            if not await self._found.flush():
                break
            taken += len(batch)
        return taken

    async def _settle(self, legacy: Legacy) -> bool:
        """Has what requests held of their limits settled. Returns whether it is."""
        if not legacy.process:
            return True
        if self._limiter is None:
            return False
        try:
            await self._limiter.take_over(legacy)
        except RixinError as error:
            log.info("Limits of killed servers' requests are settled later", detail=error.detail or error.message)
            return False
        return True

    def _stored(self, rows: Sequence[UsageRow]) -> None:
        if self._journal is not None:
            self._journal.stored(len(rows))

    def _priced(self, row: UsageRow) -> UsageRow:
        """A row with its price and cost. What failed, and used nothing, costs nothing."""
        price = self._prices.of(row.provider, row.model)
        used = Usage(
            prompt=row.prompt_tokens,
            completion=row.completion_tokens,
            cached=row.cached_tokens,
            knowledge=row.knowledge_tokens,
        )
        return replace(
            row,
            cost=price.cost(used) if row.error is None or used.total else 0,
            currency=self._prices.currency,
            price_prompt=price.prompt,
            price_completion=price.completion,
            price_cached=price.cached,
            price_request=price.request,
        )


def whole(since: float, until: float, group_by: Grouping) -> tuple[int, int]:
    """The whole hours, or days, that a time is part of: from when, and until when."""
    span = DAY if group_by == "day" else HOUR
    return int(since // span) * span, -int(-until // span) * span
