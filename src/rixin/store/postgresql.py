"""Rows in a PostgreSQL database, which any number of servers may share. Imported only by who uses one."""

import asyncio
import os
import select
import shutil
from hashlib import blake2b
from pathlib import Path
from typing import cast

from psycopg import AsyncConnection
from psycopg.abc import Buffer
from psycopg.types.string import StrDumper
from sqlalchemy import URL, PoolProxiedConnection, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from rixin.errors import Kind, RixinError
from rixin.store import private_files
from rixin.store.backend import begin_as_told

_CONNECT_TIMEOUT = 5
"""Seconds for a connection to be made; the least that libpq takes is 2."""
_SILENCE = 10_000
"""Milliseconds after which a server that acknowledges nothing any more is taken for dead."""


class Postgresql:
    """One database, as `Backend` says.

    Args:
        url: Where it is. What follows the question mark goes to libpq (`sslmode`, `host` with a socket's directory).
    """

    # Each process of a server has so many connections at most. They are never used up by those who wait for a lock:
    # who only reads waits for none.
    writers = 4
    readers = 4
    upgrades_itself = False
    # By itself PostgreSQL soon answers a question that comes often by one plan for all that may be asked: a list of a
    # key that seldom fails is then sought among the failures of all keys.
    reading = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan"

    def __init__(self, url: URL) -> None:
        self._url = url
        self.name = url.render_as_string(hide_password=True)

    def writing(self, topic: str) -> str:
        """Takes the topic's lock. What a later statement sees was committed when it began, so nothing of it is old."""
        lock = int.from_bytes(blake2b(topic.encode(), digest_size=8).digest(), signed=True)
        return f"BEGIN; SELECT pg_advisory_xact_lock({lock})"

    def engine(self, size: int, patience: float) -> AsyncEngine:
        """Makes connections, as they are needed."""
        engine = create_async_engine(
            self._url.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": _CONNECT_TIMEOUT, "tcp_user_timeout": _SILENCE},
            pool_size=size,
            max_overflow=0,
            pool_timeout=patience,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",  # transactions begin with a statement of ours
        )

        def on_connect(connection: PoolProxiedConnection, _record: object) -> None:
            _driver(connection).adapters.register_dumper(str, _Text)
            cursor = connection.cursor()
            cursor.execute(f"SET lock_timeout = {round(patience * 1000)}")
            cursor.close()

        # First of all: in some encodings SQLAlchemy cannot read what it asks of a new server.
        event.listen(engine.sync_engine, "connect", self._check_encoding, insert=True)
        event.listen(engine.sync_engine, "connect", on_connect)
        event.listen(engine.sync_engine, "checkout", _on_checkout)
        event.listen(engine.sync_engine, "begin", begin_as_told)
        return engine

    async def create(self) -> None:
        """Nothing: whoever has the server makes databases."""

    async def back_up(self, to: Path) -> None:
        """Has `pg_dump` copy the database, in the format of `pg_restore`."""
        program = shutil.which("pg_dump")
        if program is None:
            raise RixinError(Kind.CONFIGURATION, "`pg_dump` is not installed here; it copies a PostgreSQL database")
        # A password in a command line could be read by everybody on the machine.
        environment = dict(os.environ)
        if self._url.password is not None:
            environment["PGPASSWORD"] = self._url.password
        target = self._url.set(password=None).render_as_string()
        try:
            with private_files.draft(to) as draft:
                process = await asyncio.create_subprocess_exec(
                    *(program, "--format=custom", "--no-password", f"--file={draft}", f"--dbname={target}"),
                    env=environment,
                    stderr=asyncio.subprocess.PIPE,
                )
                _, said = await process.communicate()
                if process.returncode:
                    raise RixinError(Kind.CONFIGURATION, f"cannot copy {self.name}: {said.decode().strip()}")
                draft.replace(to)
        except OSError as error:
            raise RixinError(Kind.CONFIGURATION, f"cannot copy {self.name}: {error}") from error

    def backup_path(self, revision: str | None) -> None:
        """Nowhere: who shares a database has a way to copy it."""

    def _check_encoding(self, connection: PoolProxiedConnection, _record: object) -> None:
        encoding = _driver(connection).info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise RixinError(
                Kind.CONFIGURATION,
                f"the database {self.name} has the encoding {encoding}, and Rixin's texts need UTF8. "
                "Make another one: createdb --template=template0 --encoding=UTF8 NAME",
            )


class _Text(StrDumper):
    """PostgreSQL has no text with a NUL in it, and clients send names with one: it becomes the replacement sign."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _on_checkout(connection: PoolProxiedConnection, _record: object, _proxy: object) -> None:
    # On a connection that nobody uses nothing arrives but the server's farewell. Seen before a transaction begins, it
    # costs nobody an error that the server was restarted, and nobody a question to it each time.
    farewell = select.poll()
    farewell.register(_driver(connection).fileno(), select.POLLIN)
    if farewell.poll(0):
        raise InvalidatePoolError


def _driver(connection: PoolProxiedConnection) -> AsyncConnection:
    return cast("AsyncConnection", connection.driver_connection)
