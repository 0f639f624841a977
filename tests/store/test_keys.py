"""Keys as they are stored."""

import asyncio

import msgspec
import pytest
from sqlalchemy import URL

from rixin.errors import Kind, RixinError
from rixin.store.database import Database
from rixin.store.keys import FoundKey, Key, KeyTable

NASTY = [
    "'; DROP TABLE keys; --",
    '" OR ""="',
    "' OR '1'='1' /*",
    "a\x00b",
    "😀 日新 \u202e",
    "%",
    "_",
    "\\",
    "[a-z]*",
    "x" * 10_240,
    "",
    "?1 :id $1 %s {0}",
]


def _key(number: int, name: str = "name") -> Key:
    return Key(
        id=f"key_{number:032x}",
        name=name,
        prefix="sk-rx-abcd",
        scopes=("admin", "inference"),
        models=("gpt-*",),
        plan="free",
        created_at=1.5,
        expires_at=2.5,
        creator="key_0",
    )


async def test_a_key_comes_back_as_it_was(database: Database) -> None:
    """Every field survives, and the key is found by its digest alone, with the revision."""
    table = KeyTable(database)
    await table.add(_key(1), b"\x00" * 32)
    assert await table.find(b"\x00" * 32) == (FoundKey(key=_key(1)), 1)
    assert await table.find(b"\x01" * 32) == (None, 1)


async def test_an_access_key_comes_back_with_its_secret(database: Database) -> None:
    """What is sealed is given to who looks the key up, and is in no list."""
    table = KeyTable(database)
    access = msgspec.structs.replace(_key(1), kind="access")
    await table.add(access, b"1", b"sealed")
    assert await table.find(b"1") == (FoundKey(key=access, sealed=b"sealed"), 1)
    assert await table.list() == [access]


@pytest.mark.parametrize("text", NASTY)
async def test_any_text_is_only_text(database: Database, text: str) -> None:
    """Quotes, NUL, wildcards, emoji and 10 kB mean nothing to the database, wherever they stand."""
    table = KeyTable(database)
    await table.add(_key(1), b"1")
    nasty = Key(id=text, name=text, prefix=text, scopes=(text,), models=(text, text), plan=text, created_at=0.0)
    await table.add(nasty, text.encode())
    if isinstance(database.place, URL):  # PostgreSQL has no text with a NUL in it
        kept = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        nasty = msgspec.structs.replace(nasty, id=kept, name=kept, prefix=kept, plan=kept)
    assert (await table.find(text.encode()))[0] == FoundKey(key=nasty)
    assert nasty in await table.list()
    assert await table.set_disabled(text, 3.0)
    await table.touch({text: 4.0})
    found, _ = await table.find(text.encode())
    assert found is not None
    assert (found.key.disabled_at, found.key.last_used_at) == (3.0, 4.0)
    assert await table.delete(text)
    assert await table.list() == [_key(1)]


@pytest.mark.parametrize(
    ("search", "found"),
    [("%", ["50%"]), ("_", ["a_b"]), ("\\", ["a\\b"]), ("/", ["a/b"]), ("A", ["a/b", "a\\b", "a_b", "axb"]), ("'", [])],
)
async def test_a_search_has_no_wildcards(database: Database, search: str, found: list[str]) -> None:
    """A search finds names that contain its very characters, whatever their case."""
    table = KeyTable(database)
    for number, name in enumerate(["50%", "a_b", "axb", "a\\b", "a/b"]):
        await table.add(_key(number, name), name.encode())
    assert sorted(key.name for key in await table.list(search=search)) == found


async def test_pages_join_without_gap_or_overlap(database: Database) -> None:
    """Going on from the last id of each page shows every key once, in the order of their ids."""
    table = KeyTable(database)
    for number in reversed(range(7)):
        await table.add(_key(number), bytes([number]))
    seen: list[Key] = []
    while page := await table.list(after=seen[-1].id if seen else None, limit=3):
        seen += page
    assert seen == [_key(number) for number in range(7)]


async def test_every_change_raises_the_revision(database: Database) -> None:
    """Adding, disabling, enabling and deleting are heard of by other processes; noting a use is not worth it."""
    table = KeyTable(database)
    await table.add(_key(1), b"1")
    assert await table.revision() == 1
    await table.set_disabled(_key(1).id, 3.0)
    assert await table.revision() == 2
    await table.set_disabled(_key(1).id, None)
    assert await table.revision() == 3
    await table.touch({_key(1).id: 4.0})
    assert await table.revision() == 3
    await table.delete(_key(1).id)
    assert await table.revision() == 4


async def test_what_is_not_there_cannot_be_changed(database: Database) -> None:
    """Disabling and deleting say whether there was such a key; noting the use of none is nothing."""
    table = KeyTable(database)
    assert not await table.set_disabled("key_0", 1.0)
    assert not await table.delete("key_0")
    await table.touch({"key_0": 1.0})
    await table.touch({})


async def test_a_digest_is_stored_once(database: Database) -> None:
    """A second key with the same digest is a CONFLICT and leaves no trace, not even in the revision."""
    table = KeyTable(database)
    await table.add(_key(1), b"1")
    with pytest.raises(RixinError) as caught:
        await table.add(_key(2), b"1")
    assert caught.value.kind is Kind.CONFLICT
    assert await table.list() == [_key(1)]
    assert await table.revision() == 1


async def test_a_use_is_never_put_back(database: Database) -> None:
    """Of the uses that several processes note, the latest stays."""
    table = KeyTable(database)
    await table.add(_key(1), b"1")
    await table.touch({_key(1).id: 20.0})
    await table.touch({_key(1).id: 10.0})
    assert (await table.list())[0].last_used_at == 20.0


async def test_there_is_one_first_key(database: Database) -> None:
    """Of many processes that add the first key, one succeeds, and none after it."""
    other = Database(database.place)
    added = await asyncio.gather(
        *(
            KeyTable(through).add_first(_key(number), bytes([number]))
            for number, through in enumerate((database, other) * 4)
        )
    )
    assert added.count(True) == 1
    assert len(await KeyTable(database).list()) == 1
    assert not await KeyTable(database).add_first(_key(99), b"99")
    await other.aclose()
