"""Many rows at once, given as tuples: half of what SQLAlchemy takes for a dict each."""

from collections.abc import Sequence

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_new(connection: AsyncConnection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Inserts rows; one whose primary key is there already is left out.

    Args:
        connection: In whose transaction.
        table: Where they belong.
        rows: Their values, in the order of the table's columns, as the driver takes them; at least one.
    """
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    columns = ", ".join(connection.dialect.identifier_preparer.format_column(column) for column in table.columns)
    marks = ", ".join([mark] * len(table.columns))
    statement = f"INSERT INTO {table.name} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 - of names of ours
    await connection.exec_driver_sql(statement, list(rows))
