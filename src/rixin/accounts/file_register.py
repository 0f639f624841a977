"""The files of all accounts, for who looks after several of them."""

from collections.abc import Sequence

from msgspec import Struct

from rixin.accounts.file_links import LIFETIME, FileLinks
from rixin.accounts.files import FileBook
from rixin.clock import Clock
from rixin.core.files import File, key_of
from rixin.errors import Kind, RixinError, invalid
from rixin.settings import Files
from rixin.store.keys import Reach
from rixin.store.owned_files import FileFilter, OwnedFile, OwnedFiles, Taken


class FileLink(Struct, frozen=True):
    """Where the content of a file can be had by whoever knows the link."""

    url: str
    """Without a host, unless the settings say under which address clients reach the server."""
    expires_at: float


class FileRegister:
    """The files of all accounts.

    Args:
        table: What is known of them.
        book: Deletes them.
        links: To their content.
        settings: How much there may be of each.
        clock: Time.
    """

    def __init__(self, table: OwnedFiles, book: FileBook, links: FileLinks, settings: Files, clock: Clock) -> None:
        self._table = table
        self._book = book
        self._links = links
        self._clock = clock
        self.settings = settings

    async def list(self, wanted: FileFilter, limit: int, after: str | None) -> Sequence[OwnedFile]:
        """Files, the newest first.

        Args:
            wanted: Which.
            limit: At most so many.
            after: The id of the file to go on from.

        Raises:
            RixinError: `INVALID_REQUEST` for an `after` that is no id; `OVERLOADED` where the store cannot be used.
        """
        named = None if after is None else key_of(after)
        if after is not None and named is None:
            raise invalid("invalid after, it should be the id of a file.", "after")
        return await self._table.list(wanted, self._clock.now(), limit=limit, after=None if named is None else named[1])

    async def get(self, id: str, reach: Reach | None) -> File:  # noqa: A002 - it is the id
        """A file. Raises `NOT_FOUND` where there is none with this id within reach; `OVERLOADED`."""
        return await self._book.get(await self._owner(id, reach), id)

    async def delete(self, id: str, reach: Reach | None) -> None:  # noqa: A002 - it is the id
        """Deletes a file. Raises as `get`."""
        await self._book.delete(await self._owner(id, reach), id)

    async def link(self, id: str, reach: Reach | None) -> FileLink:  # noqa: A002 - it is the id
        """A link to the content of a file. Raises as `get`."""
        file = await self.get(id, reach)
        return FileLink(self._links.link(file.id, ""), self._clock.now() + LIFETIME)

    async def taken(self, owner: str) -> Taken:
        """What an owner's files take together."""
        return await self._table.taken(owner)

    async def _owner(self, id: str, reach: Reach | None) -> str:  # noqa: A002 - it is the id
        named = key_of(id)
        owner = None if named is None else await self._table.owner(named[1], self._clock.now(), reach)
        if owner is None:
            raise RixinError(Kind.NOT_FOUND, "There is no file with this id.")
        return owner
