"""Knowledge bases of accounts."""

from pathlib import Path

import pytest

from rixin.accounts.files import FileBook, FileWish
from rixin.cli.stores import file_book
from rixin.clock import SystemClock
from rixin.core.files import File, Shape
from rixin.core.knowledge import is_base_id
from rixin.errors import Kind, RixinError
from rixin.service.knowledge import FileLibrary, KnowledgeService
from rixin.settings import Server, Settings
from rixin.store.database import Database
from rixin.store.knowledge import KnowledgeRoom, KnowledgeTable


class Desk:
    """A service over real stores, which counts how often the job is told of work."""

    def __init__(self, database: Database, folder: Path) -> None:
        clock = SystemClock()
        self.files: FileBook = file_book(Settings(server=Server(data_dir=folder)), database, clock)
        self.nudges = 0
        room = KnowledgeRoom(bases=2, documents=2)
        self.service = KnowledgeService(KnowledgeTable(database), self.files, self._nudge, clock, room)

    def _nudge(self) -> None:
        self.nudges += 1

    async def file(
        self, owner: str = "ada", shape: Shape = "native", purpose: str = "KNOWLEDGE_BASE_1", data: bytes = b"text"
    ) -> File:
        """A new file."""
        async with self.files.upload(owner) as upload:
            await upload.write(data)
            return await upload.finish(FileWish(shape=shape, purpose=purpose, name="a.txt"))


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    """An empty one."""
    return Desk(database, tmp_path)


def refused(kind: Kind) -> "pytest.RaisesExc[RixinError]":
    """That an error of a kind is raised."""
    return pytest.RaisesExc(RixinError, check=lambda error: error.kind is kind)


async def test_a_base_is_made_changed_and_deleted(desk: Desk) -> None:
    """The job is told each time."""
    first, second = await desk.file(), await desk.file(shape="openai", purpose="assistants")
    base = await desk.service.create("ada", "notes", [first.id, first.id])
    assert is_base_id(base.id)
    assert [(each.file_id, each.name, each.status) for each in base.documents] == [(first.id, "a.txt", "uploaded")]
    base = await desk.service.update("ada", base.id, "more", None)
    assert (base.description, len(base.documents)) == ("more", 1)
    base = await desk.service.attach("ada", base.id, second.id)
    assert [each.file_id for each in base.documents] == [first.id, second.id]
    base = await desk.service.update("ada", base.id, None, [second.id])
    assert (base.description, [each.file_id for each in base.documents]) == ("more", [second.id])
    assert (await desk.service.file("ada", base.id, second.id)).key == second.key
    await desk.service.detach("ada", base.id, second.id)
    assert await desk.service.list("ada") == [await desk.service.get("ada", base.id)]
    await desk.service.delete("ada", base.id)
    assert await desk.service.list("ada") == []
    assert desk.nudges == 6


async def test_a_base_is_its_owners_only(desk: Desk) -> None:
    """Nobody else sees it, changes it, or takes anything from it."""
    file, theirs = await desk.file(), await desk.file("eve")
    base = await desk.service.create("ada", "", [file.id])
    service = desk.service
    for attempt in (
        lambda: service.get("eve", base.id),
        lambda: service.update("eve", base.id, "mine", None),
        lambda: service.attach("eve", base.id, theirs.id),
        lambda: service.detach("eve", base.id, file.id),
        lambda: service.file("eve", base.id, file.id),
        lambda: service.delete("eve", base.id),
        lambda: service.create("ada", "", [theirs.id]),
        lambda: service.attach("ada", base.id, theirs.id),
        lambda: service.detach("ada", base.id, theirs.id),
        lambda: service.file("ada", base.id, theirs.id),
    ):
        with refused(Kind.NOT_FOUND):
            await attempt()
    assert await service.list("eve") == []
    assert await service.get("ada", base.id) == base


async def test_files_must_be_for_knowledge_bases(desk: Desk) -> None:
    """And no more of them than there may be."""
    batch = await desk.file(shape="openai", purpose="batch")
    some = [(await desk.file()).id for _ in range(3)]
    for files in ([batch.id], some):
        with refused(Kind.INVALID_REQUEST):
            await desk.service.create("ada", "", files)
    base = await desk.service.create("ada", "", some[:2])
    with refused(Kind.QUOTA_EXHAUSTED):
        await desk.service.attach("ada", base.id, some[2])
    assert len((await desk.service.get("ada", base.id)).documents) == 2


async def test_descriptions_and_bases_are_bounded(desk: Desk) -> None:
    """256 characters, whatever their bytes."""
    await desk.service.create("ada", "描" * 256, [])
    with refused(Kind.INVALID_REQUEST):
        await desk.service.create("ada", "x" * 257, [])
    await desk.service.create("ada", "", [])
    with refused(Kind.QUOTA_EXHAUSTED):
        await desk.service.create("ada", "", [])
    await desk.service.create("eve", "", [])


async def test_the_job_reads_files_of_their_owner(desk: Desk) -> None:
    """By what they are, and nobody else's."""
    file, library = await desk.file(data=b'{"text_lst": []}'), FileLibrary(desk.files)
    source = await library.read("ada", file.id)
    assert (source.media_type, source.data) == (file.media_type, b'{"text_lst": []}')
    with refused(Kind.NOT_FOUND):
        await library.read("eve", file.id)
