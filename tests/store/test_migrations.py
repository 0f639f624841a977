"""The history of the schema: up, down, at the same time, and not at all."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from rixin.errors import Kind, RixinError
from rixin.store import database as database_module
from rixin.store.database import Database
from rixin.store.schema import FULL_TEXT, REVISIONS, metadata
from tests.support import postgresql
from tests.support.databases import KINDS, Place, execute, new_place, tables, url_of

MIGRATE = """
import asyncio, sys
from rixin.settings import Server, Settings
from rixin.store.database import Database

async def main():
    database = Database.open(Settings(server=Server(database_url=sys.argv[1])))
    backup = await database.migrate()
    await database.aclose()
    print(backup, "alembic" in sys.modules)

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(main())
"""


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Place]:
    """Where a database is that has nothing in it yet, of each kind in turn."""
    with new_place(request.param, tmp_path, migrated=False) as place:
        yield place


def _migrating_processes(place: Place, count: int) -> list[str]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, url_of(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=100)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * count
    return [output.strip() for output in outputs]


async def test_the_scripts_make_the_schema(database: Database) -> None:
    """The migrated database has exactly the tables, columns and indexes that the code believes in."""

    def is_ours(name: str | None, _kind: str, _parents: object) -> bool:
        return name is None or not name.startswith(FULL_TEXT)  # a virtual table and its own tables

    def differences(connection: Connection) -> object:
        opts = {"compare_type": True, "include_name": is_ours}
        return compare_metadata(MigrationContext.configure(connection, opts=opts), metadata)

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


def test_the_code_knows_every_script() -> None:
    """`REVISIONS` lists the scripts of the package, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(Path(database_module.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == REVISIONS


async def test_up_down_up(empty: Place) -> None:
    """A database can be taken down to nothing and up again, by every revision on the way."""
    database = Database(empty)
    await database.migrate()
    latest = tables(empty)
    assert {"keys", "usage", "requests", "revision", "meta", "counters"} < latest
    for to in (*reversed(REVISIONS[:-1]), None):
        await database.migrate(to)
        assert await database.revision() == to
    assert tables(empty) == {"alembic_version"}
    for to in REVISIONS:
        await database.migrate(to)
        assert await database.revision() == to
    assert tables(empty) == latest
    await database.aclose()


async def test_a_new_database_is_not_copied(tmp_path: Path) -> None:
    """Where there is nothing to lose, no copy is made."""
    database = Database(tmp_path / "rixin.db")
    assert await database.migrate() is None
    await database.aclose()
    assert [path.name for path in tmp_path.iterdir()] == ["rixin.db"]


async def test_a_copy_is_made_before_a_migration(tmp_path: Path) -> None:
    """The copy holds what the database held, the last commit included, and nobody else may read it."""
    database = Database(tmp_path / "rixin.db")
    await database.migrate()
    execute(database.place, "INSERT INTO meta VALUES ('a', 'kept')")
    backup = await database.migrate(None)
    await database.aclose()
    assert backup is not None
    assert backup == tmp_path / f"rixin-{REVISIONS[-1]}.backup.db"
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT value FROM meta").fetchall() == [("kept",)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(REVISIONS[-1],)]


async def test_a_migration_that_fails_changes_nothing(empty: Place) -> None:
    """A table in the way stops the migration with its name, and what was made before it is taken back."""
    execute(empty, "CREATE TABLE meta (theirs TEXT)")
    database = Database(empty)
    with pytest.raises(RixinError) as caught:
        await database.migrate()
    await database.aclose()
    assert caught.value.kind is Kind.CONFIGURATION
    assert "meta" in caught.value.message
    assert tables(empty) == {"meta"}


async def test_a_newer_database_is_refused(database: Database) -> None:
    """A revision that this program does not know is refused by name, and the database is left as it is."""
    execute(database.place, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(RixinError) as caught:
        await database.migrate()
    assert caught.value.kind is Kind.CONFIGURATION
    assert "9999" in caught.value.message
    assert "newer" in caught.value.message
    assert await database.revision() == "9999"


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Something else under the database's name is a configuration error that names the file, and it is not touched."""
    path = tmp_path / "rixin.db"
    path.write_bytes(b"not a database at all" * 100)
    database = Database(path)
    with pytest.raises(RixinError) as caught:
        await database.migrate()
    await database.aclose()
    assert caught.value.kind is Kind.CONFIGURATION
    assert str(path) in caught.value.message
    assert path.read_bytes() == b"not a database at all" * 100


async def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A data directory below a file is a configuration error."""
    (tmp_path / "file").touch()
    database = Database(tmp_path / "file" / "rixin.db")
    with pytest.raises(RixinError) as caught:
        await database.migrate()
    await database.aclose()
    assert caught.value.kind is Kind.CONFIGURATION


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_a_postgresql_of_another_encoding_is_refused(encoding: str) -> None:
    """Where texts of every language do not fit, neither a server nor an upgrade starts; both say what does."""
    name = f"of_{encoding.lower()}"
    server = postgresql.server()
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    database = Database(server.url(name))
    for use in (database.prepare, database.migrate):
        with pytest.raises(RixinError, match=f"has the encoding {encoding}.*--encoding=UTF8") as caught:
            await use()
        assert caught.value.kind is Kind.CONFIGURATION
    await database.aclose()
    server.drop(server.url(name))


def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    """Of several processes on a new file, all succeed, and the file is whole, in write-ahead mode."""
    path = tmp_path / "rixin.db"
    _migrating_processes(path, 4)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(REVISIONS[-1],)]
    assert not list(tmp_path.glob("*.draft"))


def test_processes_on_an_empty_postgresql_migrate_once(tmp_path: Path) -> None:
    """Of several processes that upgrade a shared database at once, all succeed, one after the other."""
    with new_place("postgresql", tmp_path, migrated=False) as place:
        assert {output.split()[0] for output in _migrating_processes(place, 3)} == {"None"}
        assert execute(place, "SELECT version_num FROM alembic_version") == [(REVISIONS[-1],)]


async def test_a_shared_schema_is_upgraded_only_when_it_is_told_to(tmp_path: Path) -> None:
    """PostgreSQL that is empty or behind refuses a server, saying the command; brought up to date, it takes one."""
    with new_place("postgresql", tmp_path, migrated=False) as place:
        database = Database(place)
        for revision in (None, REVISIONS[-2]):
            await database.migrate(revision)
            with pytest.raises(RixinError) as caught:
                await database.prepare()
            assert caught.value.kind is Kind.CONFIGURATION
            assert "rixin db upgrade" in caught.value.message
            assert await database.revision() == revision
        await database.migrate()
        await database.prepare()
        await database.aclose()


def test_one_of_the_processes_makes_the_copy(tmp_path: Path) -> None:
    """Of several processes on a file that holds something, one copies and migrates, and the others find it done."""
    path = tmp_path / "rixin.db"
    execute(path, "PRAGMA journal_mode = WAL")
    execute(path, "CREATE TABLE theirs (id TEXT)")
    outputs = _migrating_processes(path, 3)
    copies = [output for output in outputs if not output.startswith("None")]
    assert copies == [f"{tmp_path / 'rixin-foreign.backup.db'} True"]


async def test_a_start_without_a_migration_imports_no_alembic(database: Database) -> None:
    """Alembic takes longer to import than a start may take, so that an up-to-date database does without."""
    output = await asyncio.to_thread(_migrating_processes, database.place, 1)
    assert output == ["None False"]
