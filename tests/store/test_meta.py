"""Facts about the database."""

import asyncio

from rixin.store.database import Database
from rixin.store.meta import MetaTable


async def test_a_name_without_a_text_has_none(database: Database) -> None:
    """What nobody has said is None."""
    assert await MetaTable(database).get("a") is None


async def test_the_first_text_stays(database: Database) -> None:
    """A name keeps the text that it was given first, and later givers learn it."""
    table = MetaTable(database)
    assert await table.settle("a", "first") == "first"
    assert await table.settle("a", "second") == "first"
    assert await table.get("a") == "first"


async def test_of_many_givers_one_wins(database: Database) -> None:
    """Those that give a text at the same time, from two processes, all learn the same one."""
    other = Database(database.place)
    answers = await asyncio.gather(
        *(MetaTable(through).settle("a", str(number)) for number, through in enumerate((database, other) * 5))
    )
    assert len(set(answers)) == 1
    await other.aclose()
