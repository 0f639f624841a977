"""Facts about the database itself, one text for each name."""

from sqlalchemy import insert, select

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
