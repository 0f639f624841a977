"""Rows in a SQLite file, in write-ahead mode."""

import asyncio
import logging
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, ExceptionContext, PoolProxiedConnection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from rixin.errors import Kind, RixinError
from rixin.store import private_files
from rixin.store.backend import begin_as_told

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # A crash of the program loses nothing; a power cut may lose the last moments, and never breaks the file.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 67108864",
)
# At debug level the driver logs every statement with its values.
logging.getLogger("aiosqlite").setLevel(logging.INFO)


class Sqlite:
    """One file, as `Backend` says; readable by its owner only."""

    writers = 1
    readers = 3
    upgrades_itself = True
    reading = "BEGIN"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)

    def writing(self, topic: str) -> str:  # noqa: ARG002 - there is one write lock for all of them
        """Takes the write lock of the file."""
        return "BEGIN IMMEDIATE"

    def engine(self, size: int, patience: float) -> AsyncEngine:
        """Makes connections, each with a thread of its own."""
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(self._path)),
            # The driver's own BEGIN comes too late to give a reader one view, and a writer the lock that it checks
            # under.
            connect_args={"timeout": patience, "isolation_level": None},
            pool_size=size,
            max_overflow=0,
            pool_timeout=patience,
            hide_parameters=True,
        )
        event.listen(engine.sync_engine, "connect", _on_connect)
        event.listen(engine.sync_engine, "begin", begin_as_told)
        event.listen(engine.sync_engine, "handle_error", _on_error)
        return engine

    async def create(self) -> None:
        """Makes the file."""
        with self._translated():
            await asyncio.to_thread(_create_file, self._path)

    async def back_up(self, to: Path) -> None:
        """Copies the file as of one instant, while others use it."""
        with self._translated():
            await asyncio.to_thread(_copy, self._path, to)

    def backup_path(self, revision: str | None) -> Path:
        """Beside the file."""
        return self._path.with_name(f"{self._path.stem}-{revision or 'foreign'}.backup{self._path.suffix}")

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise RixinError(Kind.CONFIGURATION, f"cannot use the database {self.name}: {error}") from error


def _on_connect(connection: PoolProxiedConnection, _record: object) -> None:
    cursor = connection.cursor()
    try:
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()
    except BaseException:
        connection.close()  # the pool forgets a connection that fails here
        raise


def _on_error(context: ExceptionContext) -> None:
    # Cancelled, SQLAlchemy would close the connection while its thread is at work. SQLite keeps such a connection,
    # and its write lock, until the last cursor is collected. Rolled back, it is as good as before: the thread
    # works one thing off after the other, so the rollback comes after whatever was cancelled.
    if isinstance(context.original_exception, asyncio.CancelledError):
        context.is_disconnect = False


def _create_file(path: Path) -> None:
    # Changing a file to write-ahead mode fails where two try it at once, so the file comes into being with it.
    if path.exists():
        return
    with private_files.draft(path) as draft:
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        private_files.place_new(draft, path)


def _copy(path: Path, to: Path) -> None:
    path.stat()  # SQLite would make one
    with private_files.draft(to) as draft:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
        draft.replace(to)
