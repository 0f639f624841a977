"""The passages of documents: made and embedded by whoever has claimed the document, found by their tokens.

A claim is a process's for a while. Whatever is written under it is written in the transaction that makes sure of it, so
that of two processes that think they have it only one can go on, and nothing is there twice.
"""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store import full_text
from rixin.store.database import Database
from rixin.store.schema import knowledge_documents, knowledge_passages

_CLAIMS = "passages"
_AT_ONCE = 500
"""Rows that are deleted in one transaction: others wait for the write lock meanwhile."""


class NewPassage(Struct, frozen=True, kw_only=True):
    """A piece of a document, or a question that one answers."""

    entry: int
    """The position of the piece; a question has that of the piece which answers it."""
    question: bool = False
    text: str
    answer: str | None = None
    heading: str = ""
    page: int | None = None
    tokens: str
    """What it is found by, separated by spaces; of a question nothing."""


class ToEmbed(Struct, frozen=True):
    """A passage without a vector."""

    id: int
    question: bool
    heading: str
    text: str


class Claim(Struct, frozen=True):
    """A document to index, and how far it is."""

    document_id: int
    owner: str
    file_id: str
    passages: int | None
    worker: str


class VectorRow(Struct, frozen=True):
    """A vector, and what it is of."""

    id: int
    entry: int
    question: bool
    vector: bytes


class PassageRow(Struct, frozen=True):
    """A passage as it is shown."""

    document_id: int
    position: int
    text: str
    answer: str | None
    heading: str
    page: int | None


class ClaimLostError(Exception):
    """Somebody else has the document by now, or nobody wants it any more."""


class PassageTable:
    """The passages of all documents. Who asks has made sure whose documents they are.

    Methods raise `RixinError`: `OVERLOADED` when the database cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, worker: str, now: float, until: float) -> Claim | None:
        """The oldest document that waits to be indexed and nobody else is at; None where there is none."""
        columns = knowledge_documents.c
        free = or_(columns.claimed_until.is_(None), columns.claimed_until <= now, columns.claimed_by == worker)
        wanted = (
            select(columns.id, columns.owner, columns.file_id, columns.passages)
            .where(columns.status == "uploaded", free)
            .order_by(columns.id)
            .limit(1)
        )
        async with self._database.read() as connection:  # most of the time there is none, and nobody has to wait
            if (await connection.execute(wanted)).one_or_none() is None:
                return None
        async with self._database.begin(_CLAIMS) as connection:
            row = (await connection.execute(wanted)).one_or_none()
            if row is None:
                return None
            values = {"claimed_by": worker, "claimed_until": until}
            await connection.execute(update(knowledge_documents).where(columns.id == row.id).values(**values))
        return Claim(row.id, row.owner, row.file_id, row.passages, worker)

    async def put(self, claim: Claim, passages: Sequence[NewPassage], embedder: str, now: float, until: float) -> None:
        """Puts all passages of a document in place at once, and what was there before them away.

        Raises:
            ClaimLostError: The claim is over.
        """
        rows = [
            {**msgspec.structs.asdict(passage), "document_id": claim.document_id, "position": position}
            for position, passage in enumerate(passages)
        ]
        values = {"passages": len(rows), "indexed": 0, "embedder": embedder}
        async with self._database.begin(_topic(claim.document_id)) as connection:
            await _renew(connection, claim, now, until, **values)
            mine = knowledge_passages.c.document_id == claim.document_id
            await connection.execute(delete(knowledge_passages).where(mine))
            if rows:
                await connection.execute(insert(knowledge_passages), rows)

    async def to_embed(self, claim: Claim, limit: int) -> Sequence[ToEmbed]:
        """The first passages of a document that have no vector yet."""
        columns = knowledge_passages.c
        query = (
            select(columns.id, columns.question, columns.heading, columns.text)
            .where(columns.document_id == claim.document_id, columns.vector.is_(None))
            .order_by(columns.position)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [ToEmbed(*row) for row in await connection.execute(query)]

    async def set_vectors(self, claim: Claim, vectors: Sequence[tuple[int, bytes]], now: float, until: float) -> None:
        """Stores the vectors of passages, by their ids. Raises `ClaimLostError` where the claim is over."""
        async with self._database.begin(_topic(claim.document_id)) as connection:
            indexed = knowledge_documents.c.indexed + len(vectors)
            await _renew(connection, claim, now, until, indexed=indexed)
            for identity, vector in vectors:
                this = knowledge_passages.c.id == identity
                await connection.execute(update(knowledge_passages).where(this).values(vector=vector))

    async def renew(self, claim: Claim, now: float, until: float) -> None:
        """Lengthens a claim. Raises `ClaimLostError` where it is over."""
        async with self._database.begin(_topic(claim.document_id)) as connection:
            await _renew(connection, claim, now, until)

    async def finish(self, claim: Claim, now: float, error: str | None = None) -> None:
        """Ends a claim: the document can be searched, or cannot be read. Raises `ClaimLostError`."""
        status = "valid" if error is None else "invalid"
        async with self._database.begin(_topic(claim.document_id)) as connection:
            await _renew(connection, claim, now, None, status=status, error=error)

    async def release(self, claim: Claim, now: float, until: float) -> None:
        """Ends a claim whose document is to be tried again, not before `until`. Raises `ClaimLostError`."""
        async with self._database.begin(_topic(claim.document_id)) as connection:
            await _renew(connection, claim, now, until, claimed_by=None)

    async def clear(self) -> bool:
        """Deletes some of the passages that nobody has any more; tells whether there may be more."""
        condemned = select(knowledge_documents.c.id).where(knowledge_documents.c.status == "deleting").limit(1)
        async with self._database.read() as connection:
            found = (await connection.execute(condemned)).scalar_one_or_none()
        if found is None:
            return False
        async with self._database.begin(_topic(found)) as connection:
            mine = knowledge_passages.c.document_id == found
            some = select(knowledge_passages.c.id).where(mine).limit(_AT_ONCE)
            deleted = await connection.execute(delete(knowledge_passages).where(knowledge_passages.c.id.in_(some)))
            if deleted.rowcount < _AT_ONCE:
                await connection.execute(delete(knowledge_documents).where(knowledge_documents.c.id == found))
        return True

    async def vectors(self, document_id: int) -> Sequence[VectorRow]:
        """All vectors of a document."""
        columns = knowledge_passages.c
        query = (
            select(columns.id, columns.entry, columns.question, columns.vector)
            .where(columns.document_id == document_id, columns.vector.is_not(None))
            .order_by(columns.position)
        )
        async with self._database.read() as connection:
            return [VectorRow(*row) for row in await connection.execute(query)]

    async def match(self, tokens: Sequence[str], documents: Collection[int], limit: int) -> Sequence[tuple[int, int]]:
        """Passages that hold any of some tokens, the best first.

        Args:
            tokens: Letters and digits only.
            documents: Where to look, by their ids.
            limit: At most so many.

        Returns:
            Document ids and positions.
        """
        if not tokens or not documents:
            return []
        async with self._database.read() as connection:
            return await full_text.match(connection, tokens, documents, limit)

    async def shown(self, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], PassageRow]:
        """Passages by document id and position."""
        if not places:
            return {}
        columns = knowledge_passages.c
        wanted = or_(*(and_(columns.document_id == document, columns.position == place) for document, place in places))
        query = select(*(columns[name] for name in PassageRow.__struct_fields__)).where(wanted)
        async with self._database.read() as connection:
            rows = [PassageRow(*row) for row in await connection.execute(query)]
        return {(row.document_id, row.position): row for row in rows}


def _topic(document_id: int) -> str:
    return f"passages/{document_id}"


async def _renew(connection: AsyncConnection, claim: Claim, now: float, until: float | None, **values: object) -> None:
    mine = and_(
        knowledge_documents.c.id == claim.document_id,
        knowledge_documents.c.claimed_by == claim.worker,
        knowledge_documents.c.status == "uploaded",
    )
    query = update(knowledge_documents).where(mine).values(claimed_until=until, updated_at=now, **values)
    if (await connection.execute(query)).rowcount == 0:
        raise ClaimLostError
