"""Facts about the database itself, one text for each name."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from rixin.store.database import Database
from rixin.store.schema import meta


class MetaTable:
    """The names and their texts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """The text of a name, or None."""
        async with self._database.read() as connection:
            return (await connection.execute(select(meta.c.value).where(meta.c.name == name))).scalar_one_or_none()

    async def settle(self, name: str, value: str) -> str:
        """Gives a name its text unless it has one. Returns the text that it has now, whoever gave it."""
        found = await self.get(name)
        if found is not None:
            return found
        async with self._database.begin("meta") as connection:
            query = select(meta.c.value).where(meta.c.name == name)
            found = (await connection.execute(query)).scalar_one_or_none()
            if found is None:
                await connection.execute(insert(meta).values(name=name, value=value))
        return value if found is None else found

    async def put(self, values: Mapping[str, str | None]) -> None:
        """Gives names their texts, whatever they had, all of them at once; None takes a name's text away."""
        async with self._database.begin("meta") as connection:
            await connection.execute(delete(meta).where(meta.c.name.in_(values)))
            given = [{"name": name, "value": value} for name, value in values.items() if value is not None]
            if given:
                await connection.execute(insert(meta), given)
