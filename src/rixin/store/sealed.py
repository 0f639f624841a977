"""What is sealed in the database, whoever sealed it: found and replaced without knowing what it is."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from sqlalchemy import Column, Row, Table, and_, func, select, tuple_, update

from rixin.store.database import Database


class SealedColumn(Struct, frozen=True):
    """A column of sealed values."""

    column: Column[bytes]
    purpose: str
    """What its values are sealed for."""
    owner: Callable[[Row[*tuple[object, ...]]], str]
    """For whom the value of a row is sealed."""

    @property
    def table(self) -> Table:
        """Whose column it is."""
        return self.column.table  # pyright: ignore[reportReturnType] - a column of a table has a table


class SealedValue(Struct, frozen=True):
    """One value, and where it is."""

    key: tuple[object, ...]
    """The row's primary key."""
    owner: str
    sealed: bytes


class SealedTable:
    """The values of one column, in the order of its table's primary key."""

    def __init__(self, database: Database, column: SealedColumn) -> None:
        self._database = database
        self._column = column
        self._key = tuple(column.table.primary_key.columns)

    async def page(self, head: bytes, after: tuple[object, ...] | None, limit: int) -> Sequence[SealedValue]:
        """Values that do not begin with certain bytes.

        Args:
            head: These bytes.
            after: The primary key to go on from.
            limit: At most so many.
        """
        column = self._column.column
        query = select(self._column.table).where(column.is_not(None), func.substr(column, 1, len(head)) != head)
        if after is not None:
            query = query.where(tuple_(*self._key) > tuple_(*after))
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(*self._key).limit(limit))
            return [
                SealedValue(
                    tuple(getattr(row, key.name) for key in self._key),
                    self._column.owner(row),
                    getattr(row, column.name),
                )
                for row in rows
            ]

    async def replace(self, values: Sequence[tuple[SealedValue, bytes]]) -> None:
        """Puts other values in the place of those that were found; of one that is there no more nothing comes."""
        column = self._column.column
        async with self._database.begin() as connection:
            for value, sealed in values:
                this = (key == part for key, part in zip(self._key, value.key, strict=True))
                unchanged = and_(column == value.sealed, *this)
                await connection.execute(update(self._column.table).where(unchanged).values({column: sealed}))
