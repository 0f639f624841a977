"""The job that makes files findable: reads them, cuts them, embeds the passages.

What it has done is in the database, so that it goes on where it was after any end of the process: the passages of a
document are put in place at once, and their vectors come a few at a time. Of several processes one at a time works on a
document, because it claims it, for as long as it shows that it lives.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import structlog

from rixin.clock import Clock, random_text
from rixin.errors import Kind, RixinError
from rixin.knowledge.documents import Bounds, ReadsDocuments, Source, passages_of, read_blocks
from rixin.knowledge.embedder import Embedder
from rixin.store.knowledge import KnowledgeTable
from rixin.store.passages import Claim, ClaimLostError, PassageTable, ToEmbed

LEASE: Final = 30.0
"""Seconds that a claim lasts: for so long a document waits after its process was killed."""
_RENEWED_EVERY: Final = 10.0
_POLLED_EVERY: Final = 5.0
"""Seconds after which is looked for documents that another process was given."""
_RETRY: Final = 30.0
"""Seconds until a document is tried again, where the fault was not its own."""
_BATCH: Final = 16
_FAULTS = frozenset({Kind.INVALID_REQUEST, Kind.NOT_FOUND, Kind.TOO_LARGE})
"""Errors that are the document's own: trying again would not help."""

log = structlog.get_logger("rixin.knowledge")


class Library(Protocol):
    """Where files are kept."""

    async def read(self, owner: str, file_id: str) -> Source:
        """A file.

        Raises:
            RixinError: `NOT_FOUND` where the owner has no such file; `OVERLOADED` where the store cannot be used.
        """
        ...


class Indexer:
    """Indexes one document after the other.

    Args:
        bases: The documents.
        passages: What they become.
        library: Has the files.
        decoder: Reads those that are no text.
        embedder: Makes the vectors.
        clock: Time.
        bounds: What is read of a document at most.
    """

    def __init__(
        self,
        bases: KnowledgeTable,
        passages: PassageTable,
        library: Library,
        decoder: ReadsDocuments,
        embedder: Embedder,
        clock: Clock,
        bounds: Bounds | None = None,
    ) -> None:
        self._bases = bases
        self._passages = passages
        self._library = library
        self._decoder = decoder
        self._embedder = embedder
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._worker = random_text(12)
        self._news = asyncio.Event()

    def nudge(self) -> None:
        """Tells that there may be something to do."""
        self._news.set()

    async def run(self) -> None:
        """Works until it is cancelled."""
        while True:
            self._news.clear()
            try:
                await self._bases.delete_orphans(self._clock.now())
                while await self._passages.clear() or await self.step():
                    pass
            except RixinError as error:
                if error.kind not in (Kind.OVERLOADED, Kind.SHUTTING_DOWN):
                    raise
                log.warning("Documents could not be indexed", detail=error.detail)
            try:
                async with asyncio.timeout(_POLLED_EVERY):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def step(self) -> bool:
        """Indexes one document; tells whether there was one.

        Raises:
            RixinError: `OVERLOADED` where the database cannot be used.
        """
        now = self._clock.now()
        claim = await self._passages.claim(self._worker, now, now + LEASE)
        if claim is None:
            return False
        try:
            async with self._alive(claim):
                await self._settle(claim)
        except ClaimLostError:
            log.info("A document is indexed by somebody else, or was deleted", document=claim.document_id)
        return True

    async def _settle(self, claim: Claim) -> None:
        """Makes a document valid, invalid, or one to be tried again."""
        try:
            await self._index(claim)
        except RixinError as error:
            now = self._clock.now()
            if error.kind in _FAULTS:
                await self._passages.finish(claim, now, error.message)
                return
            log.warning("A document is indexed later", document=claim.document_id, kind=error.kind.value)
            await self._passages.release(claim, now, now + _RETRY)
        else:
            await self._passages.finish(claim, self._clock.now())

    async def _index(self, claim: Claim) -> None:
        if claim.passages is None:
            source = await self._library.read(claim.owner, claim.file_id)
            blocks = await read_blocks(source, self._decoder, self._bounds)
            found = await asyncio.to_thread(passages_of, source, blocks, self._bounds)
            now = self._clock.now()
            await self._passages.put(claim, found, self._embedder.model, now, now + LEASE)
        while batch := await self._passages.to_embed(claim, _BATCH):
            vectors = await self._embed(batch)
            now = self._clock.now()
            await self._passages.set_vectors(claim, vectors, now, now + LEASE)

    async def _embed(self, batch: Sequence[ToEmbed]) -> list[tuple[int, bytes]]:
        """Vectors by the ids of passages; questions are compared with questions."""
        vectors: list[tuple[int, bytes]] = []
        for asked in (False, True):
            some = [each for each in batch if each.question is asked]
            if some:
                texts = [f"{each.heading}\n{each.text}" if each.heading else each.text for each in some]
                made = await self._embedder(texts, "query" if asked else "passage")
                vectors += zip((each.id for each in some), made, strict=True)
        return vectors

    @asynccontextmanager
    async def _alive(self, claim: Claim) -> AsyncGenerator[None]:
        """Keeps a claim while the block lasts."""
        renewing = asyncio.create_task(self._renew(claim))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])

    async def _renew(self, claim: Claim) -> None:
        while True:
            await asyncio.sleep(_RENEWED_EVERY)
            now = self._clock.now()
            try:
                await self._passages.renew(claim, now, now + LEASE)
            except ClaimLostError:
                return  # whatever is written next finds out as well
            except RixinError as error:
                log.warning("A claim could not be renewed", document=claim.document_id, detail=error.detail)
