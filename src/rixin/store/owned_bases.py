"""The knowledge bases of all owners, as those look at them who look after several.

What is done with a base is in `knowledge`, where its owner is named.
"""

from msgspec import Struct
from sqlalchemy import func, select

from rixin.store.database import Database
from rixin.store.keys import Reach
from rixin.store.knowledge import there
from rixin.store.owners import Owner, owner_name, owner_of, within
from rixin.store.schema import knowledge_bases, knowledge_documents

_NAME, _JOINED = owner_name(knowledge_bases)
_COLUMNS = tuple(knowledge_bases.c[name] for name in ("id", "owner", "description", "created_at", "updated_at"))


class OwnedBase(Struct, frozen=True, kw_only=True):
    """A knowledge base without its files, and whose it is. Instants are seconds since the epoch."""

    id: str
    owner: Owner
    description: str
    created_at: float
    updated_at: float
    documents: dict[str, int]
    """How many files it has, by how far they are: `uploaded`, `valid`, `invalid`."""


class OwnedBases:
    """The knowledge bases of all owners.

    Methods raise `RixinError`: `OVERLOADED` when the database cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, reach: Reach | None, *, owner: str | None = None, limit: int, after: str | None = None
    ) -> list[OwnedBase]:
        """Bases, the newest first.

        Args:
            reach: Within which their owners are; None for everybody's.
            owner: The id of their owner; None for anybody's.
            limit: At most so many.
            after: The id of the base to go on from.
        """
        query = select(*_COLUMNS, _NAME).select_from(_JOINED).where(within(knowledge_bases.c.owner, reach))
        if owner is not None:
            query = query.where(knowledge_bases.c.owner == owner)
        if after is not None:
            query = query.where(knowledge_bases.c.id < after)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(knowledge_bases.c.id.desc()).limit(limit))).all()
            base, status = knowledge_documents.c.base_id, knowledge_documents.c.status
            counts = await connection.execute(
                select(base, status, func.count())
                .where(base.in_([row.id for row in rows]), there)
                .group_by(base, status)
            )
            documents: dict[str, dict[str, int]] = {}
            for identity, state, count in counts:
                documents.setdefault(identity, {})[state] = count
        return [
            OwnedBase(
                id=row.id,
                owner=owner_of(row.owner, row.owner_name),
                description=row.description,
                created_at=row.created_at,
                updated_at=row.updated_at,
                documents=documents.get(row.id, {}),
            )
            for row in rows
        ]

    async def owner(self, id: str, reach: Reach | None) -> Owner | None:  # noqa: A002 - it is the id
        """The owner of a base; None where there is no such base within reach."""
        query = select(knowledge_bases.c.owner, _NAME).select_from(_JOINED)
        query = query.where(knowledge_bases.c.id == id, within(knowledge_bases.c.owner, reach))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else owner_of(row.owner, row.owner_name)
