"""Files, in a real database and a real directory: owners, room, ends, and interruptions at every step."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rixin.accounts.files import FileBook, FileWish
from rixin.accounts.keys import KeyRing
from rixin.core.files import File, FilePage
from rixin.errors import Kind, RixinError
from rixin.settings import Files
from rixin.store.database import Database
from rixin.store.file_bytes import FileBytes
from rixin.store.files import FileTable
from tests.accounts.manual_clock import ManualClock
from tests.support.databases import Place, execute, url_of

WISH = FileWish(shape="openai", purpose="user_data", name="a.txt")
ALL = FilePage(limit=100)


class FailingBytes(FileBytes):
    """A store that can be told to fail."""

    failing = False

    async def delete(self, key: str) -> None:
        """Deletes, or cannot."""
        if self.failing:
            raise RixinError(Kind.OVERLOADED, "The store is down.")
        await super().delete(key)


@pytest.fixture
def store(tmp_path: Path) -> FailingBytes:
    """A directory."""
    return FailingBytes.open(None, {}, tmp_path / "files")


@pytest.fixture
def book(database: Database, store: FailingBytes, clock: ManualClock) -> FileBook:
    """Files with room for a hundred bytes."""
    settings = Files(max_file_bytes=60, max_account_bytes=100, max_account_files=3, upload_timeout=10.0)
    return FileBook(FileTable(database), store, settings, clock)


async def send(book: FileBook, content: bytes = b"content", owner: str = "alice", wish: FileWish = WISH) -> File:
    """Keeps a file."""
    async with book.upload(owner) as upload:
        for start in range(0, len(content), 7):
            await upload.write(content[start : start + 7])
        return await upload.finish(wish)


Left = Callable[[], tuple[int, int]]


@pytest.fixture
def left(place: Place, tmp_path: Path) -> Left:
    """Tells how many rows and how many files of bytes there are."""

    def count() -> tuple[int, int]:
        [(rows,)] = execute(place, "SELECT count(*) FROM files")
        return rows, sum(path.is_file() for path in (tmp_path / "files").rglob("*"))

    return count


async def test_a8_a_file_is_its_owners_only(book: FileBook) -> None:
    """To others it is not there, by whatever way."""
    file = await send(book)
    assert await book.get("alice", file.id) == file
    assert await book.read(file) == b"content"
    assert await book.list("bob", ALL) == ([], False)
    for attempt in (book.get("bob", file.id), book.delete("bob", file.id), book.set_status("bob", file.id, "invalid")):
        with pytest.raises(RixinError) as refused:
            await attempt
        assert refused.value.kind is Kind.NOT_FOUND


async def test_an_id_is_of_one_shape(book: FileBook) -> None:
    """The key of a native file is no OpenAI id, nor the other way round."""
    native = await send(book, wish=FileWish(shape="native", purpose="FINE_TUNE_1"))
    assert await book.get("alice", native.id) == native
    for identity in (f"file-{native.key}", native.key, native.id.upper(), native.id + "\n"):
        with pytest.raises(RixinError):
            await book.get("alice", identity)


async def test_an_upload_that_fails_leaves_nothing(book: FileBook, left: Left) -> None:
    """At whatever step."""
    with pytest.raises(ZeroDivisionError):
        async with book.upload("alice"):
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what fails
        async with book.upload("alice") as upload:
            await upload.write(b"some")
            raise ZeroDivisionError
    async with book.upload("alice") as upload:
        await upload.write(b"never finished")
    with pytest.raises(RixinError, match="FINE_TUNE_1"):
        await send(book, b"\xff", wish=FileWish(shape="native", purpose="FINE_TUNE_1"))
    assert left() == (0, 0)


async def test_a_cancelled_upload_leaves_nothing(book: FileBook, left: Left) -> None:
    """As when the server ends."""
    begun = asyncio.Event()

    async def upload() -> None:
        async with book.upload("alice") as upload:
            await upload.write(b"some")
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(upload())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left() == (0, 0)


async def test_room_is_kept_for_what_comes(book: FileBook) -> None:
    """Two that are sent at a time have no more room than two that are sent in turn."""
    async with book.upload("alice") as one, book.upload("alice") as two:
        await one.write(bytes(60))
        await two.write(bytes(40))
        with pytest.raises(RixinError) as refused:
            await two.write(b"x")
        assert refused.value.kind is Kind.QUOTA_EXHAUSTED
        with pytest.raises(RixinError) as refused:
            await one.write(b"x")
        assert refused.value.kind is Kind.TOO_LARGE
        with pytest.raises(RixinError) as refused:
            await send(book)
        assert refused.value.kind is Kind.QUOTA_EXHAUSTED
        await send(book, owner="bob")
    await send(book)


async def test_an_owner_has_so_many_files(book: FileBook) -> None:
    """However small they are."""
    files = [await send(book, b"x") for _ in range(3)]
    with pytest.raises(RixinError) as refused:
        await send(book, b"x")
    assert refused.value.kind is Kind.QUOTA_EXHAUSTED
    await book.delete("alice", files[0].id)
    await send(book, b"x")


async def test_a_file_ends_at_its_time(book: FileBook, clock: ManualClock, left: Left) -> None:
    """From the very instant on it is not there; the next sweep deletes it."""
    file = await send(book, wish=FileWish(shape="openai", purpose="user_data", lifetime=100.0))
    stays = await send(book)
    clock.advance(99)
    assert await book.get("alice", file.id) == file
    clock.advance(1)
    with pytest.raises(RixinError):
        await book.get("alice", file.id)
    assert await book.list("alice", ALL) == ([stays], False)
    assert left() == (2, 2)
    await book.sweep()
    assert left() == (1, 1)


async def test_bytes_that_cannot_be_deleted_are_deleted_later(book: FileBook, store: FailingBytes, left: Left) -> None:
    """Nobody has them in between."""
    file = await send(book)
    store.failing = True
    await book.delete("alice", file.id)
    assert await book.list("alice", ALL) == ([], False)
    assert left() == (1, 1)
    with pytest.raises(RixinError):
        await book.sweep()
    store.failing = False
    await book.sweep()
    assert left() == (0, 0)


async def test_bytes_that_are_gone_already_are_no_obstacle(book: FileBook, store: FailingBytes, left: Left) -> None:
    """Neither to being told so, nor to deleting the file."""
    file = await send(book)
    await store.delete(file.key)
    with pytest.raises(RixinError) as refused:
        await book.read(file)
    assert refused.value.kind is Kind.NOT_FOUND
    await book.delete("alice", file.id)
    assert left() == (0, 0)


async def test_files_of_a_deleted_key_go(book: FileBook, ring: KeyRing, left: Left) -> None:
    """Nobody could ask for them again. Who is no key, as on a server without keys, stays."""
    key = await ring.create("key")
    await send(book, owner=key.id)
    await send(book, owner="local")
    await book.sweep()
    assert left() == (2, 2)
    await ring.delete(key.id)
    await book.sweep()
    assert left() == (1, 1)


async def test_the_status_of_a_file(book: FileBook, clock: ManualClock) -> None:
    """Can be told, and when it was."""
    file = await send(book)
    clock.advance(5)
    await book.set_status("alice", file.id, "invalid")
    changed = await book.get("alice", file.id)
    assert (changed.status, changed.updated_at) == ("invalid", file.updated_at + 5)


UPLOAD = """
import asyncio, sys
from pathlib import Path
from rixin.accounts.files import FileBook
from rixin.clock import SystemClock
from rixin.settings import Files, Server, Settings
from rixin.store.database import Database
from rixin.store.file_bytes import FileBytes
from rixin.store.files import FileTable

async def main():
    folder, url = sys.argv[1:]
    database = Database.open(Settings(server=Server(database_url=url)))
    book = FileBook(FileTable(database), FileBytes.open(None, {}, Path(folder) / "files"), Files(), SystemClock())
    async with book.upload("alice") as upload:
        await upload.write(bytes(20 * 2**20))
        print("there", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
async def test_r2_an_upload_whose_process_is_killed_leaves_nothing(
    database: Database, store: FailingBytes, tmp_path: Path, left: Left
) -> None:
    """Once it can be going on no more, the next sweep finds what is left of it: here, 16 MB."""
    process = subprocess.Popen(
        [sys.executable, "-c", UPLOAD, str(tmp_path), url_of(database.place)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == "there\n"
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    assert left() == (1, 1)
    clock = ManualClock()
    [left_over] = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    now = left_over.stat().st_mtime
    book = FileBook(FileTable(database), store, Files(upload_timeout=10.0), clock)
    clock.advance(now - clock.now())
    await book.sweep()
    assert left() == (1, 1)
    clock.advance(1000)
    await book.sweep()
    assert left() == (0, 0)


@pytest.mark.parametrize("step", ["condemned", "bytes"])
async def test_r2_a_deletion_that_is_interrupted_is_ended(
    book: FileBook, database: Database, store: FailingBytes, clock: ManualClock, left: Left, step: str
) -> None:
    """After each of its steps, by whatever process."""
    file = await send(book)
    assert await FileTable(database).condemn("alice", file.key, clock.now())
    if step == "bytes":
        await store.delete(file.key)
    with pytest.raises(RixinError):
        await book.get("alice", file.id)
    await book.sweep()
    assert left() == (0, 0)


async def test_an_upload_that_was_given_up_is_no_file(book: FileBook, clock: ManualClock, left: Left) -> None:
    """A sweep that came in between wins, and no bytes stay."""
    with pytest.raises(RixinError) as refused:  # noqa: PT012 - the block is what fails
        async with book.upload("alice") as upload:
            await upload.write(b"slow")
            clock.advance(1000)
            await book.sweep()
            await upload.finish(WISH)
    assert refused.value.kind is Kind.REQUEST_TIMEOUT
    assert left() == (0, 0)
