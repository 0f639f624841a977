"""The audit log as it is stored: rows that are only ever added, and its head, which names the last of them."""

from collections.abc import AsyncGenerator

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store.database import Database
from rixin.store.schema import audit, audit_head

CHUNK = 1000
"""Rows that are read at a time where all are."""


class AuditRow(Struct, frozen=True, kw_only=True):
    """One act."""

    sequence: int
    """From 1, without gaps."""
    time: float
    """Seconds since the epoch."""
    actor: str
    """The id of who did it: a user, a key, or `operator`."""
    actor_name: str
    address: str | None
    """From where."""
    action: str
    """Such as `key.create`."""
    target: str | None
    """The id of what it was done to."""
    detail: str
    """What else there is to know, as a JSON object. No secrets."""
    previous: str
    """The hash of the row before."""
    hash: str


class Head(Struct, frozen=True):
    """The last row, and the seal that only this server can make of it."""

    sequence: int
    hash: str
    seal: str


class AuditFilter(Struct, frozen=True, kw_only=True):
    """What rows to list; None means all."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None


async def lock_head(connection: AsyncConnection) -> Head:
    """The head, which nobody else changes until this transaction ends."""
    columns = (audit_head.c.sequence, audit_head.c.hash, audit_head.c.seal)
    query = select(*columns).where(audit_head.c.id == 1).with_for_update()
    return Head(*(await connection.execute(query)).one())


async def append(connection: AsyncConnection, row: AuditRow, seal: str) -> None:
    """Adds a row, and makes it the head."""
    await connection.execute(insert(audit).values(**msgspec.structs.asdict(row)))
    head = update(audit_head).where(audit_head.c.id == 1)
    await connection.execute(head.values(sequence=row.sequence, hash=row.hash, seal=seal))


class AuditTable:
    """The rows, to be read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, wanted: AuditFilter, *, before: int | None = None, limit: int = 100) -> list[AuditRow]:
        """Rows that fit, the latest first.

        Args:
            wanted: Which.
            before: The sequence to go on from.
            limit: At most so many.
        """
        conditions: list[ColumnElement[bool]] = [
            audit.columns[name] == value for name, value in msgspec.structs.asdict(wanted).items() if value is not None
        ]
        if before is not None:
            conditions.append(audit.c.sequence < before)
        query = select(audit).where(*conditions).order_by(audit.c.sequence.desc()).limit(limit)
        async with self._database.read() as connection:
            return [msgspec.convert(row, AuditRow, from_attributes=True) for row in await connection.execute(query)]

    async def all(self) -> AsyncGenerator[AuditRow | Head]:
        """The head, and then every row in its order, as of one moment."""
        async with self._database.read() as connection:
            columns = (audit_head.c.sequence, audit_head.c.hash, audit_head.c.seal)
            yield Head(*(await connection.execute(select(*columns))).one())
            last = None
            while True:
                query = select(audit).order_by(audit.c.sequence).limit(CHUNK)
                rows = (await connection.execute(query if last is None else query.where(audit.c.sequence > last))).all()
                for row in rows:
                    yield msgspec.convert(row, AuditRow, from_attributes=True)
                if len(rows) < CHUNK:
                    return
                last = rows[-1].sequence
