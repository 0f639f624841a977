"""Transactions, locks, and the errors that the database's border lets through."""

import asyncio
import logging
import stat
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from rixin.errors import Kind, RixinError
from rixin.settings import Server, Settings
from rixin.store.bulk_insert import insert_new
from rixin.store.database import Database
from rixin.store.postgresql import Postgresql
from rixin.store.schema import meta, revision
from tests.support.databases import Place

OFTEN = 15
"""Times that a connection is asked: from the sixth on the question is prepared, and five times planned then."""


async def _names(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(select(meta.c.name).order_by(meta.c.name))).scalars())


async def test_a_transaction_commits_at_the_end_of_its_block(database: Database) -> None:
    """What a block wrote is there for the next one."""
    async with database.begin() as connection:
        await connection.execute(insert(meta).values(name="a", value="1"))
    assert await _names(database) == ["a"]


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    """An exception in the block takes back all that it wrote, and comes out unchanged."""

    async def fail() -> None:
        async with database.begin() as connection:
            await connection.execute(insert(meta).values(name="a", value="1"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await _names(database) == []


async def test_a_reader_has_one_view(database: Database) -> None:
    """A read transaction sees the database as it was at its first statement, and waits for no writer."""
    async with database.read() as reading:
        assert (await reading.execute(select(meta))).all() == []
        async with database.begin() as writing:
            await writing.execute(insert(meta).values(name="a", value="1"))
        assert (await reading.execute(select(meta))).all() == []
    assert await _names(database) == ["a"]


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
async def test_a_question_is_planned_for_what_it_asks(database: Database) -> None:
    """However often it was asked before: the best way to a busy key is the worst to one that hardly ever asks."""
    for _ in range(Postgresql.readers * OFTEN):
        async with database.read() as connection:
            await connection.execute(select(meta.c.value).where(meta.c.name == "a"))
    plans = text("SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement LIKE '%FROM meta%'")
    async with database.read() as connection:
        [(planned, planned_for_any)] = (await connection.execute(plans)).all()
    assert planned > 0
    assert planned_for_any == 0


async def test_writers_of_two_processes_take_turns(database: Database) -> None:
    """Read-then-write in many transactions over two connections loses no increment."""
    other = Database(database.place)

    async def raise_by_one(through: Database) -> None:
        async with through.begin() as connection:
            value = (await connection.execute(select(revision.c.value))).scalar_one()
            await connection.execute(update(revision).values(value=value + 1))

    await asyncio.gather(*(raise_by_one(through) for through in (database, other) * 25))
    async with database.read() as connection:
        assert (await connection.execute(select(revision.c.value))).scalar_one() == 50
    await other.aclose()


async def test_a_lock_that_is_not_given_up_is_overload(database: Database) -> None:
    """Who waits for the write lock in vain gets OVERLOADED with a time to retry, and succeeds once it is free."""
    other = Database(database.place, busy_timeout=0.05)
    async with database.begin():
        with pytest.raises(RixinError) as caught:
            async with other.begin():
                pytest.fail("two writers at once")
    assert caught.value.kind is Kind.OVERLOADED
    assert caught.value.retry_after == 1.0
    assert "lock" in (caught.value.detail or "")
    async with other.begin() as connection:
        await connection.execute(insert(meta).values(name="a", value="1"))
    await other.aclose()


async def test_waiting_for_the_only_writer_of_this_process_ends_as_well(place: Place) -> None:
    """The wait for another transaction of the same process is bounded like that for another process."""
    database = Database(place, busy_timeout=0.05)
    await database.migrate()
    async with database.begin():
        with pytest.raises(RixinError) as caught:
            async with database.begin():
                pytest.fail("two writers at once")
    assert caught.value.kind is Kind.OVERLOADED
    await database.aclose()


async def test_a_broken_unique_constraint_is_a_conflict(database: Database) -> None:
    """A second row with the same name is a CONFLICT, whose detail does not hold the values."""
    async with database.begin() as connection:
        await connection.execute(insert(meta).values(name="canary-name", value="1"))
    with pytest.raises(RixinError) as caught:
        async with database.begin() as connection:
            await connection.execute(insert(meta).values(name="canary-name", value="2"))
    assert caught.value.kind is Kind.CONFLICT
    assert "canary-name" not in f"{caught.value.message} {caught.value.detail} {caught.value.__cause__}"


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_full_disk_is_overload_and_passes(database: Database) -> None:
    """When no page can be added, the write fails closed and undone; with room again, it works without a restart."""

    async def add(name: str) -> None:
        async with database.begin() as connection:
            await connection.execute(insert(meta).values(name=name, value="x" * 100_000))

    async with database.begin() as connection:
        await connection.execute(text("PRAGMA max_page_count = 20"))
    with pytest.raises(RixinError) as caught:
        await add("a")
    assert caught.value.kind is Kind.OVERLOADED
    assert await _names(database) == []
    async with database.begin() as connection:
        await connection.execute(text("PRAGMA max_page_count = 100000"))
    await add("b")
    assert await _names(database) == ["b"]


async def test_cancelling_a_transaction_anywhere_frees_the_lock(database: Database) -> None:
    """Cancelled after any number of steps, a transaction is there or not there, and the next one waits for nothing."""

    async def add(name: str) -> None:
        async with database.begin() as connection:
            await connection.execute(insert(meta), [{"name": name, "value": "1"}, {"name": f"{name}+", "value": "2"}])

    steps, cancelled = 0, 0
    while True:
        before = await _names(database)
        name = f"{steps:06}"
        task = asyncio.create_task(add(name))
        for _ in range(steps):
            await asyncio.sleep(0)
        done = task.done()
        task.cancel()
        await asyncio.wait([task])
        async with database.begin() as connection:
            await connection.execute(select(meta))
        assert await _names(database) in ([*before, name, f"{name}+"], before)
        if done:
            break
        cancelled += 1
        steps += 1 + steps // 8
    assert cancelled >= 10


async def test_no_value_reaches_a_log(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Even where every logger is at debug level, statements are logged without their values, or not at all."""
    with caplog.at_level(logging.DEBUG):
        async with database.begin() as connection:
            await connection.execute(insert(meta).values(name="canary", value="canary"))
            await insert_new(connection, meta, [("canary-2", "1"), ("canary-3", "1")])
    assert "canary" not in caplog.text


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """The data directory, the database and the files beside it admit nobody else, whatever the umask."""
    database = Database.open(Settings(server=Server(data_dir=tmp_path / "data")))
    await database.migrate()
    async with database.begin() as connection:
        await connection.execute(insert(meta).values(name="a", value="1"))
    files = sorted((tmp_path / "data").iterdir())
    assert [file.name for file in files] == ["rixin.db", "rixin.db-shm", "rixin.db-wal"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data", *files)] == [0o700, 0o600, 0o600, 0o600]
    await database.aclose()


async def test_a_closed_database_opens_no_connection(database: Database) -> None:
    """After `aclose` a transaction is refused, rather than opening a connection that nobody closes."""
    await database.aclose()
    for transaction in (database.begin, database.read):
        with pytest.raises(RixinError) as caught:
            async with transaction():
                pytest.fail("a transaction began")
        assert caught.value.kind is Kind.SHUTTING_DOWN


def test_a_url_names_the_file(tmp_path: Path) -> None:
    """`server.database_url` of a SQLite file wins over the data directory."""
    server = Server(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/other.db")
    assert Database.open(Settings(server=server)).place == tmp_path / "other.db"


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("mysql://user:canary@host/name", "PostgreSQL"),
        ("postgresql://user:canary@host", "database"),
        ("sqlite://", "file"),
        ("sqlite:///:memory:", "file"),
        ("sqlite:////tmp/a.db?mode=ro", "file"),
        ("canary", "URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, word: str) -> None:
    """Every other URL is a configuration error that says what may be written, and repeats no password."""
    with pytest.raises(RixinError) as caught:
        Database.open(Settings(server=Server(database_url=url)))
    assert caught.value.kind is Kind.CONFIGURATION
    assert word in caught.value.message
    assert "canary" not in caught.value.message
