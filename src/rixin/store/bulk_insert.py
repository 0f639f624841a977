"""Many rows at once, given as tuples: half of what SQLAlchemy takes for a dict each."""

from collections.abc import Sequence

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_new(connection: AsyncConnection, table: Table, rows: Sequence[tuple[object, ...]]) -> int:
    """Inserts rows; one whose primary key is there already is left out.

    Args:
        connection: In whose transaction.
        table: Where they belong.
        rows: Their values, in the order of the table's columns, as the driver takes them; at least one.

    Returns:
        How many were inserted.
    """
    return await _insert(connection, table, rows, "ON CONFLICT DO NOTHING")


async def put(connection: AsyncConnection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Inserts rows, each in the place of the one that has its primary key. Arguments as of `insert_new`."""
    changes = [f"{column.name} = excluded.{column.name}" for column in table.columns if not column.primary_key]
    await _upsert(connection, table, rows, changes)


async def add_up(connection: AsyncConnection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Inserts rows, or adds their numbers to those of the row that has their primary key; its texts they replace.

    Args:
        connection: In whose transaction.
        table: Where they belong. Its columns hold numbers and texts, but for those of the primary key.
        rows: As of `insert_new`.
    """
    changes: list[str] = []
    for column in table.columns:
        if not column.primary_key:
            old = "" if column.type.python_type is str else f"{table.name}.{column.name} + "
            changes.append(f"{column.name} = {old}excluded.{column.name}")
    await _upsert(connection, table, rows, changes)


async def _upsert(
    connection: AsyncConnection, table: Table, rows: Sequence[tuple[object, ...]], changes: list[str]
) -> None:
    key = ", ".join(column.name for column in table.primary_key.columns)
    await _insert(connection, table, rows, f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(changes)}")


async def _insert(connection: AsyncConnection, table: Table, rows: Sequence[tuple[object, ...]], conflict: str) -> int:
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    columns = ", ".join(connection.dialect.identifier_preparer.format_column(column) for column in table.columns)
    marks = ", ".join([mark] * len(table.columns))
    statement = f"INSERT INTO {table.name} ({columns}) VALUES ({marks}) {conflict}"  # noqa: S608 - of names of ours
    return (await connection.exec_driver_sql(statement, list(rows))).rowcount
