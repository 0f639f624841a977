"""The files of all owners, as those look at them who look after several: people after their keys, operators after all.

What comes and goes is in `files`.
"""

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from rixin.core.files import File
from rixin.store.database import Database
from rixin.store.files import there
from rixin.store.keys import Reach
from rixin.store.owners import Owner, owner_name, owner_of, within
from rixin.store.schema import files

_NAME, _JOINED = owner_name(files)
_COLUMNS = (*(files.c[name] for name in File.__struct_fields__), files.c.owner, _NAME)


class OwnedFile(Struct, frozen=True):
    """A file, and whose it is."""

    file: File
    owner: Owner


class FileFilter(Struct, frozen=True, kw_only=True):
    """Which files are wanted; what is None or empty is any."""

    reach: Reach | None = None
    """Within which their owners are; None for everybody's."""
    owner: str | None = None
    """The id of their owner."""
    search: str = ""
    """Text in their names, whatever its case; no character has a special meaning."""
    purpose: str | None = None
    """In the words of either shape."""


class Taken(Struct, frozen=True):
    """What an owner's files take together, those that still come included."""

    bytes: int
    files: int


class OwnedFiles:
    """The files of all owners.

    Methods raise `RixinError`: `OVERLOADED` when the database cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, wanted: FileFilter, now: float, *, limit: int, after: str | None = None) -> list[OwnedFile]:
        """Files, the newest first.

        Args:
            wanted: Which.
            now: The instant at which they must not be over.
            limit: At most so many.
            after: The key of the file to go on from.
        """
        query = select(*_COLUMNS).select_from(_JOINED).where(there(now), within(files.c.owner, wanted.reach))
        if wanted.owner is not None:
            query = query.where(files.c.owner == wanted.owner)
        if wanted.search:
            query = query.where(files.c.name.icontains(wanted.search, autoescape=True))
        if wanted.purpose is not None:
            query = query.where(files.c.purpose == wanted.purpose)
        if after is not None:
            query = query.where(files.c.key < after)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(files.c.key.desc()).limit(limit))
            return [
                OwnedFile(msgspec.convert(row, File, from_attributes=True), owner_of(row.owner, row.owner_name))
                for row in rows
            ]

    async def owner(self, key: str, now: float, reach: Reach | None) -> str | None:
        """The id of a file's owner; None where there is no such file within reach."""
        query = select(files.c.owner).where(files.c.key == key, there(now), within(files.c.owner, reach))
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def taken(self, owner: str) -> Taken:
        """What an owner's files take together."""
        sums = select(func.coalesce(func.sum(files.c.size), 0), func.count()).where(files.c.owner == owner)
        async with self._database.read() as connection:
            size, count = (await connection.execute(sums)).one()
        return Taken(int(size), count)
