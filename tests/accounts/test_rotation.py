"""A new root secret for a database in which everything is sealed with the old one."""

import pytest
from sqlalchemy import LargeBinary

from rixin.accounts import root_secret, rotation
from rixin.accounts.key_rules import KeyWish
from rixin.accounts.keys import KeyRing
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.rotation import Rotated, rotate
from rixin.accounts.unlock import unlock
from rixin.cli.conversations import session_book, stored_response_book
from rixin.cli.provider_book import provider_table
from rixin.cli.sealed_columns import SEALED_COLUMNS
from rixin.conversations.stored_responses import StoredResponse
from rixin.errors import Kind, RixinError
from rixin.settings import Provider, Settings
from rixin.store.database import Database
from rixin.store.meta import MetaTable
from rixin.store.schema import metadata
from tests.accounts.manual_clock import ManualClock

OLD, NEW, OTHER = (RootSecret(bytes(range(first, first + 32))) for first in (0, 50, 100))
PLAIN = {"digest", "vector", "record"}
"""Columns of bytes that are not sealed: what nobody can go back from, what can be made again, and counts."""


class House:
    """Whatever seals, in one database."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database, self.clock = database, clock

    async def fill(self, secret: RootSecret) -> tuple[str, str]:
        """Has something of each kind sealed. Returns an API key, and the token of an access key."""
        ring = KeyRing(self.database, secret, self.clock)
        key = await ring.create("plain")
        pair = await ring.create_access_key(KeyWish(name="pair"))
        token = (await ring.mint_token(pair.access_key_id)).token
        provider = Provider(name="up", base_url="https://api.example.com/v1", api_keys=("sk-up",))
        await provider_table(self.database, secret).add(provider, 1.0)
        responses = stored_response_book(Settings(), self.database, secret, self.clock)
        assert responses is not None
        await responses.put("alice", "resp_1", StoredResponse.of(b"{}", [{"role": "user", "content": "Why?"}]))
        sessions = session_book(Settings(), self.database, secret, self.clock)
        assert sessions is not None
        await sessions.begin("alice", ())
        await ring.aclose()
        return key.key, token

    async def check(self, secret: RootSecret, key: str, token: str) -> None:
        """All of it can be read with a secret."""
        unlocked = await unlock(secret, MetaTable(self.database))
        ring = KeyRing(self.database, unlocked, self.clock)
        assert (await ring.authenticate(key, None)).name == "plain"
        assert (await ring.authenticate(token, None)).name == "pair"
        [[stored], _] = await provider_table(self.database, unlocked).list()
        assert stored.provider.api_keys == ("sk-up",)
        responses = stored_response_book(Settings(), self.database, unlocked, self.clock)
        assert responses is not None
        assert await responses.get("alice", "resp_1") is not None
        await ring.aclose()


@pytest.fixture
def house(database: Database, clock: ManualClock) -> House:
    """An empty one."""
    return House(database, clock)


def test_every_sealed_column_is_known() -> None:
    """Whoever adds one is told to add it to those that are sealed anew."""
    of_bytes = {
        str(column)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name not in PLAIN
    }
    assert of_bytes == {str(sealed.column) for sealed in SEALED_COLUMNS}


async def test_all_goes_on_under_the_new_secret(house: House) -> None:
    """Keys, tokens, upstreams' keys and stored answers; under the old one the database is refused."""
    await root_secret.check(OLD, MetaTable(house.database))
    kept = await house.fill(OLD)
    assert await rotate(house.database, OLD, NEW, SEALED_COLUMNS) == Rotated(resealed=4, unreadable=0)
    await house.check(NEW, *kept)
    with pytest.raises(RixinError) as caught:
        await unlock(OLD, MetaTable(house.database))
    assert caught.value.kind is Kind.CONFIGURATION


async def test_keys_outlive_two_rotations(house: House) -> None:
    """Digests stay those of the first secret, whose keys go on sealed with each that follows."""
    kept = await house.fill(OLD)
    await rotate(house.database, OLD, NEW, SEALED_COLUMNS)
    await rotate(house.database, NEW, OTHER, SEALED_COLUMNS)
    await house.check(OTHER, *kept)


async def test_an_interrupted_rotation_is_ended(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then no server takes the database, with either secret; only the same two end it."""
    kept = await house.fill(OLD)
    monkeypatch.setattr(rotation, "_AT_ONCE", 1)
    done: list[str] = []

    def interrupt(table: str, _done: Rotated) -> None:
        done.append(table)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rotate(house.database, OLD, NEW, SEALED_COLUMNS, interrupt)
    for secret in (OLD, NEW):
        with pytest.raises(RixinError, match="rotate-secret"):
            await unlock(secret, MetaTable(house.database))
    for wrong in ((OLD, OTHER), (OTHER, NEW)):
        with pytest.raises(RixinError) as caught:
            await rotate(house.database, *wrong, SEALED_COLUMNS)
        assert caught.value.kind is Kind.CONFIGURATION
    assert await rotate(house.database, OLD, NEW, SEALED_COLUMNS) == Rotated(resealed=1, unreadable=0)
    assert await rotate(house.database, OLD, NEW, SEALED_COLUMNS) == Rotated(resealed=0, unreadable=0)
    await house.check(NEW, *kept)
