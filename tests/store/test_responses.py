"""Stored responses, in a real database."""

from typing import Any

import pytest

from rixin.store.database import Database
from rixin.store.responses import ResponseTable, StoredRow

NOW = 1000.0
PLENTY = 10**6


def row(identity: str = "resp_1", owner: str = "alice", **values: Any) -> StoredRow:
    """A row of ten bytes that lives for a hundred seconds."""
    fields: dict[str, Any] = {"created_at": NOW, "expires_at": NOW + 100, "sealed": b"x" * 10, **values}
    return StoredRow(owner=owner, id=identity, **fields)


@pytest.fixture
def table(database: Database) -> ResponseTable:
    """The table of a database."""
    return ResponseTable(database)


async def test_a_response_is_had_by_its_owner_only(table: ResponseTable) -> None:
    """Two owners may even have one of the same id."""
    await table.put(row(), PLENTY)
    await table.put(row(owner="bob", sealed=b"other"), PLENTY)
    assert await table.get("alice", "resp_1", NOW) == b"x" * 10
    assert await table.get("bob", "resp_1", NOW) == b"other"
    assert await table.get("carol", "resp_1", NOW) is None


async def test_the_same_id_again_replaces(table: ResponseTable) -> None:
    """Clients may choose the request id that it is made of."""
    await table.put(row(), PLENTY)
    await table.put(row(sealed=b"new"), PLENTY)
    assert await table.get("alice", "resp_1", NOW) == b"new"


async def test_what_is_over_is_not_had(table: ResponseTable) -> None:
    """From the very instant on, whether it was deleted yet or not."""
    await table.put(row(), PLENTY)
    assert await table.get("alice", "resp_1", NOW + 99) is not None
    assert await table.get("alice", "resp_1", NOW + 100) is None
    assert await table.delete("alice", "resp_1", NOW + 100) is False


async def test_deleting_tells_whether_there_was_one(table: ResponseTable) -> None:
    """Of this owner."""
    await table.put(row(), PLENTY)
    assert await table.delete("bob", "resp_1", NOW) is False
    assert await table.delete("alice", "resp_1", NOW) is True
    assert await table.delete("alice", "resp_1", NOW) is False


async def test_an_owners_oldest_make_room(table: ResponseTable) -> None:
    """As many as it takes, and no one else's."""
    for number in range(5):
        await table.put(row(f"resp_{number}", created_at=NOW + number), PLENTY)
    await table.put(row(owner="bob"), PLENTY)
    assert await table.put(row("resp_new", created_at=NOW + 9, sealed=b"x" * 25), 50) == 3
    kept = [name for name in ("0", "1", "2", "3", "4", "new") if await table.get("alice", f"resp_{name}", NOW)]
    assert kept == ["3", "4", "new"]
    assert await table.get("bob", "resp_1", NOW) is not None


async def test_many_small_ones_make_room_for_a_large_one(table: ResponseTable) -> None:
    """More than are deleted in one go."""
    for number in range(250):
        await table.put(row(f"resp_{number}", created_at=NOW + number / 1000), PLENTY)
    assert await table.put(row("resp_new", created_at=NOW + 1, sealed=b"x" * 2490), 2500) == 249
    assert await table.get("alice", "resp_249", NOW) is not None


async def test_what_is_over_makes_room_first(table: ResponseTable) -> None:
    """It counts no more, although nobody swept yet."""
    await table.put(row("resp_old", expires_at=NOW + 1), PLENTY)
    await table.put(row("resp_young"), PLENTY)
    assert await table.put(row("resp_new", created_at=NOW + 2), 20) == 0
    assert await table.get("alice", "resp_young", NOW + 2) is not None


async def test_sweeping_deletes_in_portions(table: ResponseTable) -> None:
    """Those that are over, of every owner."""
    for number in range(5):
        await table.put(row(f"resp_{number}", owner=f"owner {number}", expires_at=NOW + number), PLENTY)
    assert [await table.delete_expired(NOW + 3, 3) for _ in range(3)] == [3, 1, 0]
    assert await table.get("owner 4", "resp_4", NOW) is not None
