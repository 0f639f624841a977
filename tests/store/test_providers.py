"""Providers in the store: what is kept of them, and what nobody can read there."""

import asyncio

import msgspec
import pytest

from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.errors import Kind, RixinError
from rixin.settings import ModelOverride, PlanLimit, Provider
from rixin.store.database import Database
from rixin.store.providers import ProviderTable, StoredProvider
from tests.support.databases import Place, content

SECRET = RootSecret(bytes(range(32)))
FULL = Provider(
    name="up",
    base_url="https://api.example.com/v1",
    preset="openai",
    api_keys=("sk-the-very-secret-one", "sk-another-secret"),
    models=("a", "b"),
    headers={"x-tenant": "the-secret-tenant"},
    aliases={"best": "a"},
    overrides=(ModelOverride(name="a*", context_length=1000, profile={"null_content": "omit"}),),
    profile={"drop_params": ["user"]},
    strict="opaque",
    limits=(PlanLimit(unit="requests", amount=5, window=60.0, model="a"),),
    idle_timeout=3.5,
)


@pytest.fixture
def table(database: Database) -> ProviderTable:
    """The table of a new database."""
    return ProviderTable(database, SealedBox(SECRET, "provider keys"))


async def stored(table: ProviderTable) -> list[StoredProvider]:
    """All rows."""
    return (await table.list())[0]


async def test_all_settings_come_back(table: ProviderTable) -> None:
    """A provider is read as it was stored, whatever it says, with when it was."""
    await table.add(FULL, 5.0)
    assert await stored(table) == [StoredProvider(provider=FULL, created_at=5.0, updated_at=5.0)]


async def test_keys_and_headers_cannot_be_read(table: ProviderTable, database: Database) -> None:
    """No byte of a key or a header's value is in the database's files; the address is."""
    await table.add(FULL, 5.0)
    files = content(database.place)
    assert b"api.example.com" in files
    for secret in (*FULL.api_keys, *FULL.headers, *FULL.headers.values()):
        assert secret.encode() not in files


async def test_another_root_secret_is_told(table: ProviderTable, database: Database) -> None:
    """With another root secret the provider is listed without its keys, and why is said by its name."""
    await table.add(FULL, 5.0)
    other = ProviderTable(database, SealedBox(RootSecret(bytes(range(1, 33))), "provider keys"))
    (row,) = await stored(other)
    assert (row.provider.name, row.provider.api_keys, row.provider.headers) == ("up", (), {})
    assert row.unreadable is not None
    assert row.unreadable.kind is Kind.CONFIGURATION
    assert "keys of the provider up" in row.unreadable.message
    assert "another root secret" in row.unreadable.message


async def test_keys_belong_to_their_provider(table: ProviderTable, database: Database) -> None:
    """A row that was given another row's sealed keys does not get them."""
    await table.add(FULL, 5.0)
    await table.add(Provider(name="thief", base_url="https://thief.example.com"), 6.0)
    async with database.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE providers SET sealed = (SELECT sealed FROM providers WHERE name = 'up') WHERE name = 'thief'"
        )
    thief = (await stored(table))[1]
    assert thief.unreadable is not None
    assert thief.provider.api_keys == ()


async def test_settings_that_nobody_knows_are_told(table: ProviderTable, database: Database) -> None:
    """A row that another version of the program wrote is listed with what is wrong, and the others as they are."""
    await table.add(FULL, 5.0)
    await table.add(Provider(name="other", base_url="https://b.example.com"), 6.0)
    async with database.begin() as connection:
        await connection.exec_driver_sql("UPDATE providers SET options = '{\"speed\": 1}' WHERE name = 'up'")
    up, other = await stored(table)
    assert (up.provider.name, other.unreadable) == ("up", None)
    assert up.unreadable is not None
    assert "unknown field `speed`" in up.unreadable.message


async def test_a_name_is_given_once(table: ProviderTable) -> None:
    """A second provider of a name is refused by name, and the first one stays."""
    await table.add(FULL, 5.0)
    with pytest.raises(RixinError, match="named up already") as caught:
        await table.add(Provider(name="up", base_url="https://other.example.com"), 6.0)
    assert caught.value.kind is Kind.CONFLICT
    assert [row.provider.base_url for row in await stored(table)] == [FULL.base_url]


async def test_of_two_at_the_same_time_one_succeeds(table: ProviderTable) -> None:
    """Those who add the same name at once are one and a conflict."""
    done = await asyncio.gather(*(table.add(FULL, float(at)) for at in range(2)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in done) == ["NoneType", "RixinError"]


async def test_a_provider_is_replaced_and_removed(table: ProviderTable) -> None:
    """A change keeps the place in the order; what is not there is not changed."""
    await table.add(FULL, 5.0)
    await table.add(Provider(name="later", base_url="https://b.example.com"), 6.0)
    assert await table.replace(msgspec.structs.replace(FULL, api_keys=()), 7.0)
    rows = await stored(table)
    assert [(row.provider.name, row.provider.api_keys, row.created_at, row.updated_at) for row in rows] == [
        ("up", (), 5.0, 7.0),
        ("later", (), 6.0, 6.0),
    ]
    assert await table.remove("up")
    assert not await table.remove("up")
    assert not await table.replace(FULL, 8.0)
    assert [row.provider.name for row in await stored(table)] == ["later"]


async def test_every_change_raises_the_revision(table: ProviderTable, place: Place) -> None:
    """Another process that asks for the revision hears of each change."""
    other = Database(place)
    seen = [await ProviderTable(other, SealedBox(SECRET, "provider keys")).revision()]
    for change in (table.add(FULL, 5.0), table.replace(FULL, 6.0), table.remove("up")):
        await change
        seen.append(await ProviderTable(other, SealedBox(SECRET, "provider keys")).revision())
    await other.aclose()
    assert seen == sorted(set(seen))
