"""The database: its transactions, its schema's revision, and the border where its errors become ours.

What is written here holds wherever the rows are. What differs is told by a `Backend`: `sqlite` or `postgresql`.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Inspector, inspect, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rixin.errors import Kind, RixinError
from rixin.settings import Settings
from rixin.store.backend import BEGIN, Backend
from rixin.store.schema import REVISIONS
from rixin.store.sqlite import Sqlite

FILE_NAME = "rixin.db"
PATIENCE = 5.0
"""Seconds that a transaction waits for others."""
MIGRATION_PATIENCE = 120.0
"""Seconds that a process waits while another one migrates."""
_SILENCE = 3.0
"""Seconds beyond those after which a database that says nothing is taken for dead."""
_AWAY = "The server cannot use its database at the moment. Try again shortly."
_MIGRATION = "migration"

_BORDER: tuple[tuple[type[SQLAlchemyError], Kind, str], ...] = (
    # The first row that fits counts; whatever fits none is a statement of ours that cannot work.
    (IntegrityError, Kind.CONFLICT, "This exists already."),
    (DataError, Kind.INTERNAL, "The server made a mistake in using its database."),
    (ProgrammingError, Kind.INTERNAL, "The server made a mistake in using its database."),
    (NotSupportedError, Kind.INTERNAL, "The server made a mistake in using its database."),
    (DBAPIError, Kind.OVERLOADED, _AWAY),
    (PoolTimeoutError, Kind.OVERLOADED, _AWAY),
    (SQLAlchemyError, Kind.INTERNAL, "The server made a mistake in using its database."),
)


class Database:
    """The SQL database of one server, or of several.

    Args:
        place: A SQLite file, made when it is first needed; or the URL of a PostgreSQL database.
        busy_timeout: Seconds that a transaction waits for others, be they in this process or elsewhere.
    """

    def __init__(self, place: Path | URL, *, busy_timeout: float = PATIENCE) -> None:
        self.place = place
        self._backend = _backend(place)
        self._patience = busy_timeout
        self._writer = self._backend.engine(self._backend.writers, busy_timeout)
        self._reader = self._backend.engine(self._backend.readers, busy_timeout)
        self._closed = False

    @classmethod
    def open(cls, settings: Settings) -> "Database":
        """The database that the settings name; nothing is read or written yet.

        Raises:
            RixinError: `CONFIGURATION` where `server.database_url` is none that can be used.
        """
        return cls(_place(settings))

    @property
    def name(self) -> str:
        """What messages call it; it holds no password."""
        return self._backend.name

    @asynccontextmanager
    async def begin(self, topic: str = "") -> AsyncGenerator[AsyncConnection]:
        """A transaction that may write. Committed at the end of the block, rolled back when the block raises.

        Args:
            topic: What it is about. Transactions on the same topic take turns, in all processes: what one of them reads
                stays true until it commits, unless another topic writes it. In SQLite there is one topic.

        Raises:
            RixinError: `OVERLOADED` when the database cannot be used or stays locked; `CONFLICT` when a row breaks a
                unique constraint.
        """
        begin = self._backend.writing(topic)
        async with _transaction(self._open_engine(self._writer), begin, self._patience) as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that only reads: one unchanging view of the database, held up by no writer.

        Raises:
            RixinError: `OVERLOADED` when the database cannot be used.
        """
        begin = self._backend.reading
        async with _transaction(self._open_engine(self._reader), begin, self._patience) as connection:
            yield connection

    async def revision(self) -> str | None:
        """The schema's revision; None before the first migration."""
        async with self.read() as connection:
            return await _revision(connection)

    async def prepare(self) -> None:
        """Makes sure that the schema is this program's, and brings it up to date where that may be done unasked.

        Raises:
            RixinError: `CONFIGURATION` when it is not, and what to do.
        """
        if self._backend.upgrades_itself:
            await self.migrate()
            return
        with self._told():
            current = await self.revision()
        _check_known(self.name, current)
        if current != REVISIONS[-1]:
            raise RixinError(
                Kind.CONFIGURATION,
                f"the database {self.name} has revision {current or 'none'}, and this program needs {REVISIONS[-1]}. "
                "Make a copy of it, then run: rixin db upgrade",
            )

    async def migrate(self, to: str | None = REVISIONS[-1]) -> Path | None:
        """Brings the schema to a revision, None being the empty database.

        Safe in several processes at once.

        Returns:
            The copy of the database that was made first, where there was one to copy.

        Raises:
            RixinError: `CONFIGURATION` when the database cannot be used, or was made by a newer program.
        """
        with self._told():
            await self._backend.create()
            with _translated():
                await self._connect()
            current = await self.revision()
            _check_known(self.name, current)
            return None if current == to else await self._migrate(to)

    async def back_up(self, to: Path) -> None:
        """Copies the database into a file. Raises `CONFIGURATION` where that cannot be done, and why."""
        await self._backend.back_up(to)

    async def aclose(self) -> None:
        """Closes every connection. Transactions are refused from now on."""
        self._closed = True
        await self._writer.dispose()
        await self._reader.dispose()

    def _open_engine(self, engine: AsyncEngine) -> AsyncEngine:
        # A disposed engine would silently open new connections.
        if self._closed:
            raise RixinError(Kind.SHUTTING_DOWN, "The server is shutting down.", retry_after=1.0)
        return engine

    @contextmanager
    def _told(self) -> Generator[None]:
        """Whatever is wrong with a database at the start is told with its name, to whoever configured it."""
        try:
            yield
        except RixinError as error:
            if error.kind is Kind.CONFIGURATION:
                raise
            raise RixinError(Kind.CONFIGURATION, f"cannot use the database {self.name}: {error.detail}") from error

    async def _connect(self) -> None:
        # All connections at once, while nobody is there to cancel it: one that is given up half open is never closed.
        async with AsyncExitStack() as stack:
            for engine, size in ((self._writer, self._backend.writers), (self._reader, self._backend.readers)):
                for _ in range(size):
                    await stack.enter_async_context(self._open_engine(engine).connect())

    async def _migrate(self, to: str | None) -> Path | None:
        # Alembic takes a third of a second to import, and most starts need none of it.
        from rixin.store.migrations.apply import apply  # noqa: PLC0415 - see above

        engine = self._backend.engine(1, MIGRATION_PATIENCE)
        try:
            begin = self._backend.writing(_MIGRATION)
            async with _transaction(engine, begin, MIGRATION_PATIENCE) as connection:
                # The lock is ours now; another process may have migrated while we waited for it.
                current = await _revision(connection)
                _check_known(self.name, current)
                if current == to:
                    return None
                backup = self._backend.backup_path(current)
                if backup is not None:
                    if await connection.run_sync(_has_tables):
                        await self._backend.back_up(backup)
                    else:
                        backup = None
                await connection.run_sync(apply, current, to)
                return backup
        finally:
            await engine.dispose()


def _backend(place: Path | URL) -> Backend:
    if isinstance(place, Path):
        return Sqlite(place)
    # The driver takes a tenth of a second and some megabytes, which a server on SQLite is spared.
    from rixin.store.postgresql import Postgresql  # noqa: PLC0415 - see above

    return Postgresql(place)


def _place(settings: Settings) -> Path | URL:
    given = settings.server.database_url
    if given is None:
        return settings.server.data_dir / FILE_NAME
    try:
        url = make_url(given)
    except ArgumentError:
        raise RixinError(
            Kind.CONFIGURATION,
            "server.database_url is not a URL such as sqlite:////path/file or postgresql://user@host/name",
        ) from None
    if url.drivername in ("postgresql", "postgres"):
        if not url.database:
            raise RixinError(Kind.CONFIGURATION, "server.database_url names no database: postgresql://user@host/name")
        return url.set(drivername="postgresql")
    if url.drivername != "sqlite":
        raise RixinError(
            Kind.CONFIGURATION,
            f"server.database_url names {url.drivername}; Rixin stores in SQLite or PostgreSQL. Write "
            "sqlite:////path/file or postgresql://user@host/name, or leave it out to keep a file in server.data_dir.",
        )
    if not url.database or url.database == ":memory:" or url.query:
        raise RixinError(Kind.CONFIGURATION, "server.database_url must name a file and nothing else: sqlite:////path")
    return Path(url.database)


@asynccontextmanager
async def _transaction(engine: AsyncEngine, begin: str, patience: float) -> AsyncGenerator[AsyncConnection]:
    with _translated():
        connection = await engine.connect()
        try:
            await connection.execution_options(**{BEGIN: begin})
            async with AsyncExitStack() as stack:
                await _answered(stack.enter_async_context(connection.begin()), patience + _SILENCE)
                yield connection
        finally:
            returning = asyncio.create_task(connection.close())
            try:
                await asyncio.shield(returning)
            except asyncio.CancelledError:
                # Cancelled while it gives the connection back, it does so all the same: whoever closes the database
                # afterwards finds every connection in its pool.
                await asyncio.wait([returning])
                raise


async def _answered(begun: Awaitable[object], within: float) -> None:
    try:
        async with asyncio.timeout(within):
            await begun
    except TimeoutError:
        raise RixinError(Kind.OVERLOADED, _AWAY, retry_after=1.0, detail="the database does not answer") from None


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        kind, message = next((kind, message) for cause, kind, message in _BORDER if isinstance(error, cause))
        cause = error.orig if isinstance(error, DBAPIError) else error
        retry_after = 1.0 if kind is Kind.OVERLOADED else None
        # Beyond the first line PostgreSQL tells the values of the row, which no log may hold: nor may the cause.
        detail = next(iter(str(cause).splitlines()), "")
        raise RixinError(kind, message, retry_after=retry_after, detail=detail) from None


async def _revision(connection: AsyncConnection) -> str | None:
    if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
        return None
    return (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()


def _has_tables(connection: Connection) -> bool:
    inspector: Inspector = inspect(connection)
    return bool(set(inspector.get_table_names()) - {"alembic_version"})


def _check_known(name: str, revision: str | None) -> None:
    if revision is not None and revision not in REVISIONS:
        raise RixinError(
            Kind.CONFIGURATION,
            f"the database {name} has revision {revision}, and this program knows none later than {REVISIONS[-1]}: "
            "a newer Rixin made it. Start that one, or put back the copy that was made before it migrated.",
        )
