"""The knowledge bases of all accounts, for who looks after several of them."""

from collections.abc import Sequence

from msgspec import Struct

from rixin.core.knowledge import KnowledgeBase
from rixin.errors import Kind, RixinError
from rixin.knowledge.search import Found, Mode, Searcher
from rixin.service.knowledge import KnowledgeService
from rixin.store.keys import Reach
from rixin.store.owned_bases import OwnedBase, OwnedBases
from rixin.store.owners import Owner


class HeldBase(Struct, frozen=True):
    """A knowledge base, and whose it is."""

    base: KnowledgeBase
    owner: Owner


class KnowledgeRegister:
    """The knowledge bases of all accounts.

    Each method takes the reach within which a base's owner must be, and raises `RixinError`: `NOT_FOUND` where there is
    no such base within it; what `KnowledgeService` raises.

    Args:
        table: Whose they are.
        service: Changes them for their owners.
        searcher: Searches them.
    """

    def __init__(self, table: OwnedBases, service: KnowledgeService, searcher: Searcher) -> None:
        self._table = table
        self._service = service
        self._searcher = searcher

    async def list(self, reach: Reach | None, owner: str | None, limit: int, after: str | None) -> Sequence[OwnedBase]:
        """Bases, the newest first, from the one behind `after` on."""
        return await self._table.list(reach, owner=owner, limit=limit, after=after)

    async def get(self, identity: str, reach: Reach | None) -> HeldBase:
        """A base."""
        owner = await self._owner(identity, reach)
        return HeldBase(await self._service.get(owner.id, identity), owner)

    async def create(self, owner: str, description: str, files: Sequence[str]) -> HeldBase:
        """Makes a base of files of its owner."""
        base = await self._service.create(owner, description, files)
        return await self.get(base.id, None)

    async def describe(self, identity: str, reach: Reach | None, description: str) -> HeldBase:
        """Says anew what a base is about."""
        owner = await self._owner(identity, reach)
        return HeldBase(await self._service.update(owner.id, identity, description, None), owner)

    async def delete(self, identity: str, reach: Reach | None) -> None:
        """Deletes a base; its files stay."""
        await self._service.delete((await self._owner(identity, reach)).id, identity)

    async def attach(self, identity: str, reach: Reach | None, file_id: str) -> HeldBase:
        """Puts a file of the base's owner into it."""
        owner = await self._owner(identity, reach)
        return HeldBase(await self._service.attach(owner.id, identity, file_id), owner)

    async def detach(self, identity: str, reach: Reach | None, file_id: str) -> None:
        """Takes a file from a base; the file itself stays."""
        await self._service.detach((await self._owner(identity, reach)).id, identity, file_id)

    async def search(self, identity: str, reach: Reach | None, question: str, limit: int, mode: Mode) -> Found:
        """Passages of a base for a question. Raises what the embedding model raises, too."""
        owner = await self._owner(identity, reach)
        return await self._searcher.search(owner.id, [identity], question, limit, mode)

    async def _owner(self, identity: str, reach: Reach | None) -> Owner:
        owner = await self._table.owner(identity, reach)
        if owner is None:
            raise RixinError(Kind.NOT_FOUND, "There is no knowledge base with this id.")
        return owner
