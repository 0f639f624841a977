"""Migrated databases of every kind that Rixin stores in, one for each test.

Tests take the fixtures `database` or `place` of `tests.support.store_fixtures`, and run once for each kind. A test of
one kind says so: `@pytest.mark.parametrize("place", ["sqlite"], indirect=True)`.

Real servers that tests start store in SQLite. With `RIXIN_TEST_DATABASE=postgresql` everything is in PostgreSQL.
"""

import asyncio
import atexit
import functools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from sqlalchemy import URL

from rixin.store.database import FILE_NAME, Database
from tests.support import postgresql

Kind: TypeAlias = Literal["sqlite", "postgresql"]
Place: TypeAlias = Path | URL
"""What `Database` is made of: of the same place it can be made again, as in another process."""

SECRET = bytes(range(32)).hex()
_ON_POSTGRESQL = os.environ.get("RIXIN_TEST_DATABASE") == "postgresql"

KINDS: tuple[Kind, ...] = ("postgresql",) if _ON_POSTGRESQL else ("sqlite", "postgresql")


@contextmanager
def new_place(kind: Kind, folder: Path, *, migrated: bool = True) -> Generator[Place]:
    """Where a new database of a kind is.

    Args:
        kind: Of the database.
        folder: Of the test; there a SQLite file is `rixin.db`.
        migrated: Whether it has the tables, and no row in them; otherwise there is nothing.
    """
    if kind == "sqlite":
        path = folder / FILE_NAME
        if migrated:
            shutil.copy(_sqlite_template(), path)
        yield path
        return
    server = postgresql.server()
    url = server.create(_postgresql_template()) if migrated else server.create()
    try:
        yield url
    finally:
        server.drop(url)


def served_place(data_dir: Path) -> Place:
    """Where the server of a data directory stores: in its file, or in a PostgreSQL database that is there for it."""
    return _served(data_dir) if _ON_POSTGRESQL else data_dir / FILE_NAME


def served_environment(data_dir: Path) -> dict[str, str]:
    """What tells the server of a data directory of its database, where that is not its file."""
    return environment_of(_served(data_dir)) if _ON_POSTGRESQL else {}


def environment_of(place: Place) -> dict[str, str]:
    """What tells a server of a database, and of the root secret that all of its servers have."""
    return {"RIXIN_DATABASE_URL": url_of(place), "RIXIN_SECRET_KEY": SECRET}


@functools.cache
def _served(data_dir: Path) -> URL:
    return postgresql.server().create(_postgresql_template())


@contextmanager
def outage(place: Place, table: str) -> Generator[None]:
    """Has a store fail for a while.

    Args:
        place: Of the store. A PostgreSQL database throws everybody out and lets nobody in.
        table: What a SQLite file is without: one that every statement of the test needs.
    """
    if isinstance(place, URL):
        with postgresql.server().closed(place):
            yield
        return
    execute(place, f"ALTER TABLE {table} RENAME TO {table}_away")
    try:
        yield
    finally:
        execute(place, f"ALTER TABLE {table}_away RENAME TO {table}")


def url_of(place: Place) -> str:
    """What a server is told of where its database is."""
    return place.render_as_string(hide_password=False) if isinstance(place, URL) else f"sqlite:///{place}"


def execute(place: Place, statement: str) -> list[tuple[Any, ...]]:
    """Runs a statement behind the back of whoever uses the database. Returns its rows, where it has any."""
    if isinstance(place, URL):
        assert place.database is not None
        return postgresql.server().execute(statement, place.database)
    with closing(sqlite3.connect(place, timeout=50)) as connection, connection:
        return connection.execute(statement).fetchall()


def tables(place: Place) -> set[str]:
    """The names of all tables but those that keep the books for the database itself."""
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    if isinstance(place, URL):
        named = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    return {name for (name,) in execute(place, named)}


def content(place: Place) -> bytes:
    """Every byte of every text and value that is in a database; of a SQLite file whatever it holds besides."""
    values = [value for name in tables(place) for row in execute(place, f'SELECT * FROM "{name}"') for value in row]
    found = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
    if isinstance(place, Path):
        found += b"".join(file.read_bytes() for file in place.parent.glob(f"{place.name}*"))
    return found


@functools.cache
def _sqlite_template() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="rixin-sqlite-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / FILE_NAME
    _migrate(path)
    return path


@functools.cache
def _postgresql_template() -> str:
    url = postgresql.server().create()
    _migrate(url)
    assert url.database is not None
    return url.database


def _migrate(place: Place) -> None:
    async def migrate() -> None:
        database = Database(place)
        await database.migrate()
        await database.aclose()

    # In a thread, since this one may have a loop that runs already.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, migrate()).result()
