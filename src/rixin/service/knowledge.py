"""Knowledge bases of accounts: made of files that the account keeps with us."""

from collections.abc import Callable, Sequence
from typing import Final

from rixin.accounts.files import FileBook
from rixin.clock import Clock, uuid7
from rixin.core.files import File
from rixin.core.knowledge import KnowledgeBase, base_id
from rixin.errors import Kind, RixinError, invalid
from rixin.knowledge.documents import Source
from rixin.store.knowledge import Attachment, KnowledgeRoom, KnowledgeTable

ROOM: Final = KnowledgeRoom(bases=100, documents=1000)
MAX_DESCRIPTION: Final = 256
"""Characters of a description."""
_PURPOSES: Final = frozenset({"KNOWLEDGE_BASE_1", "assistants", "user_data"})
"""What files are for that may be documents, in the words of either shape."""


class KnowledgeService:
    """Makes, changes, shows and deletes knowledge bases.

    Args:
        table: The bases.
        files: The files that they are made of.
        nudge: Tells the job that indexes that there may be something to do.
        clock: Time.
        room: What an owner may have.
    """

    def __init__(
        self,
        table: KnowledgeTable,
        files: FileBook,
        nudge: Callable[[], None],
        clock: Clock,
        room: KnowledgeRoom = ROOM,
    ) -> None:
        self._table = table
        self._files = files
        self._nudge = nudge
        self._clock = clock
        self._room = room

    async def create(self, owner: str, description: str, files: Sequence[str]) -> KnowledgeBase:
        """Makes a base of files.

        Raises:
            RixinError: `INVALID_REQUEST`, `NOT_FOUND` for a file that is not the owner's, or `QUOTA_EXHAUSTED`.
        """
        _check_description(description)
        attachments = await self._attachments(owner, files)
        now = self._clock.now()
        identity = base_id(uuid7(now))
        await self._table.create(owner, identity, description, attachments, now, self._room)
        self._nudge()
        return await self._table.get(owner, identity)

    async def update(
        self, owner: str, identity: str, description: str | None, files: Sequence[str] | None
    ) -> KnowledgeBase:
        """Changes a base; None leaves what it is for. Files that are not named any more are taken from it.

        Raises:
            RixinError: As `create`; `NOT_FOUND` where the owner has no such base.
        """
        if description is not None:
            _check_description(description)
        attachments = None if files is None else await self._attachments(owner, files)
        now = self._clock.now()
        await self._table.update(owner, identity, now, self._room, description=description, files=attachments)
        self._nudge()
        return await self._table.get(owner, identity)

    async def attach(self, owner: str, identity: str, file_id: str) -> KnowledgeBase:
        """Puts a file into a base. Raises as `update`."""
        attachments = await self._attachments(owner, [file_id])
        await self._table.update(owner, identity, self._clock.now(), self._room, files=attachments, more=True)
        self._nudge()
        return await self._table.get(owner, identity)

    async def get(self, owner: str, identity: str) -> KnowledgeBase:
        """A base. Raises `NOT_FOUND` where the owner has none of that id."""
        return await self._table.get(owner, identity)

    async def list(self, owner: str) -> "list[KnowledgeBase]":
        """All bases of an owner, the newest first."""
        return await self._table.list(owner)

    async def delete(self, owner: str, identity: str) -> None:
        """Deletes a base; its files stay. Raises `NOT_FOUND` where the owner has none of that id."""
        await self._table.delete(owner, identity, self._clock.now())
        self._nudge()

    async def detach(self, owner: str, identity: str, file_id: str) -> None:
        """Takes a file from a base. Raises `NOT_FOUND` where it is not in there."""
        if not await self._table.detach(owner, identity, file_id, self._clock.now()):
            raise _not_in_there()
        self._nudge()

    async def file(self, owner: str, identity: str, file_id: str) -> File:
        """A file of a base. Raises `NOT_FOUND` where it is not in there, or was deleted."""
        base = await self._table.get(owner, identity)
        if all(document.file_id != file_id for document in base.documents):
            raise _not_in_there()
        return await self._files.get(owner, file_id)

    async def _attachments(self, owner: str, files: Sequence[str]) -> "list[Attachment]":
        if len(files) > self._room.documents:
            raise invalid(f"invalid files, there should be no more than {self._room.documents}.", "files")
        found = [await self._files.get(owner, identity) for identity in files]
        for place, file in enumerate(found):
            if file.purpose not in _PURPOSES:
                raise invalid(f"invalid files[{place}], its scheme should be KNOWLEDGE_BASE_1.", f"files[{place}]")
        return [Attachment(file.id, file.name) for file in found]


class FileLibrary:
    """Files, as the job that indexes wants them (`knowledge.indexer.Library`)."""

    def __init__(self, files: FileBook) -> None:
        self._files = files

    async def read(self, owner: str, file_id: str) -> Source:
        """A file. Raises `NOT_FOUND` where the owner has no such file; `OVERLOADED` where the store cannot be used."""
        file = await self._files.get(owner, file_id)
        return Source(file.media_type, await self._files.read(file))


def _check_description(description: str) -> None:
    if len(description) > MAX_DESCRIPTION:
        message = f"invalid description, it should have no more than {MAX_DESCRIPTION} characters."
        raise invalid(message, "description")


def _not_in_there() -> RixinError:
    return RixinError(Kind.NOT_FOUND, "There is no file with this id in this knowledge base.")
