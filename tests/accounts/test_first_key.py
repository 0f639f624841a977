"""The first key of a new server."""

import asyncio
import os
from pathlib import Path

import pytest

from rixin.accounts import first_key
from rixin.accounts.keys import KeyRing
from rixin.errors import Kind, RixinError
from rixin.store.database import Database
from tests.support.databases import outage


async def test_a_person_is_shown_it(ring: KeyRing, tmp_path: Path) -> None:
    """Where there is no key, one is made that may infer and administer; no file is written."""
    created = await first_key.ensure(ring, None)
    assert created is not None
    account = await ring.authenticate(created.key, None)
    assert (account.name, account.scopes) == ("first", {"inference", "admin"})
    assert not list(tmp_path.glob("*first*"))


async def test_a_program_finds_it_in_a_file(ring: KeyRing, tmp_path: Path) -> None:
    """The file holds the key and a line end, and only its owner may read it."""
    before = os.umask(0)
    try:
        created = await first_key.ensure(ring, tmp_path / "first-key")
    finally:
        os.umask(before)
    assert created is not None
    assert (tmp_path / "first-key").read_text() == created.key + "\n"
    assert (tmp_path / "first-key").stat().st_mode & 0o777 == 0o600
    await ring.authenticate(created.key, None)


async def test_there_is_no_second_first_key(ring: KeyRing, tmp_path: Path) -> None:
    """Where there is any key, even a disabled one, none is made, and the file stays as it is."""
    created = await ring.create("name")
    await ring.disable(created.id)
    assert await first_key.ensure(ring, None) is None
    assert await first_key.ensure(ring, tmp_path / "first-key") is None
    assert [path for path in tmp_path.iterdir() if "rixin.db" not in path.name] == []
    assert len(await ring.list()) == 1


async def test_those_who_start_together_make_one(ring: KeyRing, other_ring: KeyRing, tmp_path: Path) -> None:
    """Of many processes on a new database, one makes the key, and its key is the one in the file."""
    file = tmp_path / "first-key"
    made = await asyncio.gather(*(first_key.ensure(one, file) for one in (ring, other_ring) * 5))
    created = [one for one in made if one is not None]
    assert len(created) == 1
    assert file.read_text() == created[0].key + "\n"
    assert len(await ring.list()) == 1


async def test_without_a_place_for_the_file_there_is_no_key(ring: KeyRing, tmp_path: Path) -> None:
    """A key that nobody could read is not made."""
    (tmp_path / "file").touch()
    with pytest.raises(RixinError) as caught:
        await first_key.ensure(ring, tmp_path / "file" / "first-key")
    assert caught.value.kind is Kind.CONFIGURATION
    assert await ring.list() == []


async def test_without_the_store_there_is_no_file(ring: KeyRing, tmp_path: Path, database: Database) -> None:
    """A file with a key that was never stored would only mislead."""
    with outage(database.place, "keys"), pytest.raises(RixinError):
        await first_key.ensure(ring, tmp_path / "first-key")
    assert not list(tmp_path.glob("first-key*"))
