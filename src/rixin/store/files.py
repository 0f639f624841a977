"""What is known of files: whose they are, how large, and how far. Their bytes are elsewhere (`file_bytes`).

A row is there before the first byte and after the last one, so that no byte is ever without one:

    uploading -> uploaded | valid | invalid -> deleting -> gone
        `-----------------------------------------^

What is `uploading` or `deleting` is nobody's file; it counts against its owner's bytes until it is gone.
"""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, insert, or_, select, update

from rixin.core.files import File, FilePage, Status
from rixin.store.database import Database
from rixin.store.room import topic_of
from rixin.store.schema import files, keys

_HIDDEN = ("uploading", "deleting")
_COLUMNS = tuple(files.c[name] for name in File.__struct_fields__)
_KEY_ID = "key_%"
"""How the ids of keys look, by which their owners are told from owners without one."""


class Room(Struct, frozen=True):
    """What an owner's files may take together."""

    bytes: int
    files: int


class FileTable:
    """The files of all owners. Every question names the owner; a file of another one is none.

    Methods raise `RixinError`: `OVERLOADED` when the database cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, key: str, owner: str, size: int, now: float, room: Room) -> int | None:
        """Makes a row for a file that is about to come, and keeps room for it.

        Args:
            key: The new file's.
            owner: Whose file it will be.
            size: The bytes that it has at most.
            now: The instant.
            room: What the owner's files may take, this one included.

        Returns:
            The bytes that it may have: `size`, or what room is left; None where there is none.
        """
        mine = files.c.owner == owner
        async with self._database.begin(topic_of(files, owner)) as connection:
            count, used = (
                await connection.execute(select(func.count(), func.coalesce(func.sum(files.c.size), 0)).where(mine))
            ).one()
            granted = min(size, room.bytes - used)
            if count >= room.files or granted <= 0:
                return None
            empty = File(
                key=key, shape="native", purpose="", name="", media_type="", size=granted,
                status="uploaded", created_at=now, updated_at=now,
            )  # fmt: skip
            await connection.execute(
                insert(files).values(**{**msgspec.structs.asdict(empty), "status": "uploading", "owner": owner})
            )
            return granted

    async def complete(self, owner: str, file: File) -> bool:
        """Makes a file of what was uploaded; tells whether it was still there."""
        query = (
            update(files)
            .where(files.c.key == file.key, files.c.owner == owner, files.c.status == "uploading")
            .values(**msgspec.structs.asdict(file))
        )
        async with self._database.begin(topic_of(files, owner)) as connection:
            return (await connection.execute(query)).rowcount > 0

    async def get(self, owner: str | None, key: str, now: float) -> File | None:
        """A file.

        Args:
            owner: Whose; None for whoever has proven by other means that it may be had.
            key: The file's.
            now: The instant at which it must not be over.
        """
        query = select(*_COLUMNS).where(files.c.key == key, there(now))
        if owner is not None:
            query = query.where(files.c.owner == owner)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _file(row)

    async def list(self, owner: str, now: float, page: FilePage, after: str | None = None) -> list[File]:
        """A page of an owner's files.

        Args:
            owner: Whose.
            now: The instant at which they must not be over.
            page: Which.
            after: The key of the file that `page.after` names.
        """
        query = select(*_COLUMNS).where(files.c.owner == owner, there(now))
        if page.purposes:
            query = query.where(files.c.purpose.in_(page.purposes))
        if after is not None:
            query = query.where(files.c.key < after if page.descending else files.c.key > after)
        query = query.order_by(files.c.key.desc() if page.descending else files.c.key).limit(page.limit)
        async with self._database.read() as connection:
            return [_file(row) for row in await connection.execute(query)]

    async def set_status(self, owner: str, key: str, status: Status, now: float) -> bool:
        """Says how far a file is; tells whether the owner has it."""
        query = update(files).where(files.c.owner == owner, files.c.key == key, there(now))
        async with self._database.begin(topic_of(files, owner)) as connection:
            return (await connection.execute(query.values(status=status, updated_at=now))).rowcount > 0

    async def condemn(self, owner: str, key: str, now: float) -> bool:
        """Takes a file from its owner, who is told whether there was one; its bytes are to be deleted next."""
        query = update(files).where(files.c.owner == owner, files.c.key == key, there(now))
        async with self._database.begin(topic_of(files, owner)) as connection:
            return (await connection.execute(query.values(status="deleting", updated_at=now))).rowcount > 0

    async def condemn_lost(self, now: float, uploads_since: float, limit: int) -> Sequence[str]:
        """Takes files from everybody: those whose time is over, whose upload never ended, or whose owner is gone.

        Args:
            now: The instant.
            uploads_since: Uploads that began earlier never end.
            limit: At most so many.

        Returns:
            The keys of files whose bytes are to be deleted next, those that were to be deleted before included.
        """
        known_owner = exists().where(keys.c.id == files.c.owner)
        lost = or_(
            files.c.status == "deleting",
            and_(files.c.status == "uploading", files.c.updated_at < uploads_since),
            files.c.expires_at <= now,
            and_(files.c.owner.like(_KEY_ID), ~known_owner),
        )
        async with self._database.read() as connection:
            found = (await connection.execute(select(files.c.key).where(lost).limit(limit))).scalars().all()
        if not found:
            return []
        async with self._database.begin(files.name) as connection:
            # What was still coming may have come since.
            these = files.c.key.in_(found)
            await connection.execute(update(files).where(these, lost).values(status="deleting", updated_at=now))
            condemned = select(files.c.key).where(these, files.c.status == "deleting")
            return (await connection.execute(condemned)).scalars().all()

    async def forget(self, keys: Collection[str]) -> None:
        """Removes the rows of files whose bytes are gone, and of uploads that came to nothing."""
        async with self._database.begin(files.name) as connection:
            await connection.execute(delete(files).where(files.c.key.in_(keys), files.c.status.in_(_HIDDEN)))


def there(now: float) -> ColumnElement[bool]:
    """Whether a row is a file at an instant."""
    return and_(files.c.status.not_in(_HIDDEN), or_(files.c.expires_at.is_(None), files.c.expires_at > now))


def _file(row: Row[*tuple[object, ...]]) -> File:
    return msgspec.convert(row, File, from_attributes=True)
