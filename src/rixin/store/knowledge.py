"""Knowledge bases and their documents: whose they are, and how far indexing is.

    uploaded -> valid | invalid -> deleting -> gone

What is `deleting` is nobody's document; its passages go little by little (`passages`), and then its row.
"""

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.core.knowledge import KnowledgeBase, KnowledgeDocument
from rixin.errors import Kind, RixinError
from rixin.store.database import Database
from rixin.store.room import topic_of
from rixin.store.schema import keys, knowledge_bases, knowledge_documents

_DELETED = "deleting"
_KEY_ID = "key_%"
"""How the ids of keys look, by which their owners are told from owners without one."""
there = knowledge_documents.c.status != _DELETED
"""Whether a row is a document."""


class Attachment(Struct, frozen=True):
    """A file that becomes a document."""

    file_id: str
    name: str


class KnowledgeRoom(Struct, frozen=True):
    """What an owner may have."""

    bases: int
    documents: int
    """Of one base."""


class ValidDocument(Struct, frozen=True):
    """A document that can be searched."""

    id: int
    base_id: str
    file_id: str
    name: str
    embedder: str


class KnowledgeTable:
    """The knowledge bases of all owners. Every question names the owner; a base of another one is none.

    Methods raise `RixinError`: `NOT_FOUND` where the owner has no such base; `OVERLOADED` when the database cannot be
    used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        owner: str,
        id: str,  # noqa: A002 - it is the id
        description: str,
        files: Sequence[Attachment],
        now: float,
        room: KnowledgeRoom,
    ) -> None:
        """Makes a base of some files. Raises `QUOTA_EXHAUSTED` where there is no room for it."""
        async with self._database.begin(topic_of(knowledge_bases, owner)) as connection:
            count = await _count(connection, knowledge_bases.c.owner == owner)
            if count >= room.bases:
                raise RixinError(Kind.QUOTA_EXHAUSTED, f"There may be {room.bases} knowledge bases at most.")
            await connection.execute(
                insert(knowledge_bases).values(
                    id=id, owner=owner, description=description, created_at=now, updated_at=now
                )
            )
            await _attach(connection, owner, id, files, now, room)

    async def update(
        self,
        owner: str,
        id: str,  # noqa: A002 - it is the id
        now: float,
        room: KnowledgeRoom,
        *,
        description: str | None = None,
        files: Sequence[Attachment] | None = None,
        more: bool = False,
    ) -> None:
        """Changes a base.

        Args:
            owner: Whose.
            id: The base's.
            now: The instant.
            room: What the owner may have.
            description: The new one; None leaves it.
            files: Its files from now on; None leaves them.
            more: Whether `files` come to those that it has, instead of in their place.

        Raises:
            RixinError: As the class; `QUOTA_EXHAUSTED` where there is no room for the files.
        """
        async with self._database.begin(topic_of(knowledge_bases, owner)) as connection:
            values: dict[str, object] = {"updated_at": now}
            if description is not None:
                values["description"] = description
            mine = and_(knowledge_bases.c.id == id, knowledge_bases.c.owner == owner)
            if (await connection.execute(update(knowledge_bases).where(mine).values(**values))).rowcount == 0:
                raise _missing()
            if files is None:
                return
            if not more:
                leaving = knowledge_documents.c.file_id.not_in([file.file_id for file in files])
                await _condemn(connection, and_(knowledge_documents.c.base_id == id, leaving), now)
            await _attach(connection, owner, id, files, now, room)

    async def get(self, owner: str, id: str) -> KnowledgeBase:  # noqa: A002 - it is the id
        """A base."""
        found = await self._find(and_(knowledge_bases.c.owner == owner, knowledge_bases.c.id == id))
        if not found:
            raise _missing()
        return found[0]

    async def list(self, owner: str) -> list[KnowledgeBase]:
        """All bases of an owner, the newest first."""
        return await self._find(knowledge_bases.c.owner == owner)

    async def delete(self, owner: str, id: str, now: float) -> None:  # noqa: A002 - it is the id
        """Deletes a base. It is not searched from now on."""
        mine = and_(knowledge_bases.c.id == id, knowledge_bases.c.owner == owner)
        async with self._database.begin(topic_of(knowledge_bases, owner)) as connection:
            if (await connection.execute(delete(knowledge_bases).where(mine))).rowcount == 0:
                raise _missing()
            await _condemn(connection, knowledge_documents.c.base_id == id, now)

    async def detach(self, owner: str, id: str, file_id: str, now: float) -> bool:  # noqa: A002 - it is the id
        """Takes a document from a base, and tells whether it was there."""
        document = and_(
            knowledge_documents.c.owner == owner,
            knowledge_documents.c.base_id == id,
            knowledge_documents.c.file_id == file_id,
        )
        async with self._database.begin(topic_of(knowledge_bases, owner)) as connection:
            return await _condemn(connection, document, now) > 0

    async def delete_orphans(self, now: float) -> None:
        """Deletes the bases of keys that are no more."""
        orphaned = and_(knowledge_bases.c.owner.like(_KEY_ID), ~exists().where(keys.c.id == knowledge_bases.c.owner))
        async with self._database.begin(knowledge_bases.name) as connection:
            found = (await connection.execute(select(knowledge_bases.c.id).where(orphaned))).scalars().all()
            if found:
                await connection.execute(delete(knowledge_bases).where(knowledge_bases.c.id.in_(found)))
                await _condemn(connection, knowledge_documents.c.base_id.in_(found), now)

    async def valid_documents(self, owner: str, bases: Collection[str]) -> Sequence[ValidDocument]:
        """The documents of some bases that can be searched. Raises `NOT_FOUND` unless all of them are the owner's."""
        mine = and_(knowledge_bases.c.owner == owner, knowledge_bases.c.id.in_(bases))
        columns = (knowledge_documents.c[name] for name in ValidDocument.__struct_fields__)
        valid = and_(knowledge_documents.c.base_id.in_(bases), knowledge_documents.c.status == "valid")
        async with self._database.read() as connection:
            if await _count(connection, mine) < len(set(bases)):
                raise _missing()
            rows = await connection.execute(select(*columns).where(valid).order_by(knowledge_documents.c.id))
            return [ValidDocument(*row) for row in rows]

    async def _find(self, which: ColumnElement[bool]) -> "list[KnowledgeBase]":
        async with self._database.read() as connection:
            bases = (
                await connection.execute(select(knowledge_bases).where(which).order_by(knowledge_bases.c.id.desc()))
            ).all()
            of_these = knowledge_documents.c.base_id.in_([base.id for base in bases])
            documents = (
                await connection.execute(
                    select(knowledge_documents).where(of_these, there).order_by(knowledge_documents.c.id)
                )
            ).all()
        return [_base(base, documents) for base in bases]


async def _attach(
    connection: AsyncConnection, owner: str, base: str, files: Iterable[Attachment], now: float, room: KnowledgeRoom
) -> None:
    """Makes documents of files; one that is a document of the base already stays as it is."""
    mine = and_(knowledge_documents.c.base_id == base, there)
    known = set((await connection.execute(select(knowledge_documents.c.file_id).where(mine))).scalars())
    for file in {file.file_id: file for file in files}.values():
        if file.file_id in known:
            continue
        known.add(file.file_id)
        await connection.execute(
            insert(knowledge_documents).values(
                base_id=base, file_id=file.file_id, owner=owner, name=file.name, status="uploaded", indexed=0,
                created_at=now, updated_at=now,
            )
        )  # fmt: skip
    if len(known) > room.documents:
        raise RixinError(Kind.QUOTA_EXHAUSTED, f"A knowledge base may have {room.documents} files at most.")


async def _condemn(connection: AsyncConnection, which: ColumnElement[bool], now: float) -> int:
    query = update(knowledge_documents).where(which, there)
    return (await connection.execute(query.values(status=_DELETED, updated_at=now))).rowcount


async def _count(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    return (await connection.execute(select(func.count()).select_from(knowledge_bases).where(which))).scalar_one()


def _base(row: Row[*tuple[object, ...]], documents: Iterable[Row[*tuple[object, ...]]]) -> KnowledgeBase:
    return KnowledgeBase(
        id=row.id,
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
        documents=tuple(
            KnowledgeDocument(**{name: getattr(each, name) for name in KnowledgeDocument.__struct_fields__})
            for each in documents
            if each.base_id == row.id
        ),
    )


def _missing() -> RixinError:
    return RixinError(Kind.NOT_FOUND, "There is no knowledge base with this id.")
