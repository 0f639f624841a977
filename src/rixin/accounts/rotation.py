"""Changing the root secret of a database: everything sealed is sealed anew, and keys and digests go on.

It may be interrupted anywhere, and is ended by doing it again with the same two secrets: what is sealed tells with
which secret, and the database tells to which one it is changing. Until that is done no server takes the database.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from rixin.accounts import unlock
from rixin.accounts.root_secret import META_NAME, NEXT_NAME, RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.errors import Kind, RixinError
from rixin.store.database import Database
from rixin.store.meta import MetaTable
from rixin.store.sealed import SealedColumn, SealedTable, SealedValue

_AT_ONCE = 100
"""Values that are replaced in one transaction."""


class Rotated(Struct, frozen=True):
    """What became of what was sealed."""

    resealed: int
    unreadable: int
    """Values that the old secret does not open either, which stay as they are."""


async def rotate(
    database: Database,
    old: RootSecret,
    new: RootSecret,
    columns: Sequence[SealedColumn],
    tell: Callable[[str, Rotated], None] = lambda _table, _done: None,
) -> Rotated:
    """Changes the secret of a database. No server may use it meanwhile.

    Args:
        database: Whose.
        old: The secret that it has.
        new: The one that it gets.
        columns: All that is sealed in it.
        tell: Told of each table what became of it.

    Raises:
        RixinError: `CONFIGURATION` when the database has another secret than the old one, or is on its way to another
            one than the new one; `OVERLOADED` when it cannot be used.
    """
    meta = MetaTable(database)
    known, following = await meta.settle(META_NAME, old.key_id), await meta.get(NEXT_NAME)
    if known == new.key_id and following is None:
        return Rotated(0, 0)
    if known != old.key_id:
        raise RixinError(
            Kind.CONFIGURATION, f"the database has the root secret {known}; the one to be replaced is {old.key_id}"
        )
    if await meta.settle(NEXT_NAME, new.key_id) != new.key_id:
        raise RixinError(
            Kind.CONFIGURATION,
            f"the database is on its way to the root secret {following}, and this one is {new.key_id}. Give that one.",
        )
    resealed = unreadable = 0
    for column in columns:
        done = await _reseal(SealedTable(database, column), old, new, column.purpose)
        resealed, unreadable = resealed + done.resealed, unreadable + done.unreadable
        tell(column.table.name, done)
    lasting = unlock.with_lasting(old, await meta.get(unlock.LASTING_NAME))
    await meta.put({META_NAME: new.key_id, NEXT_NAME: None, unlock.LASTING_NAME: unlock.seal_lasting(new, lasting)})
    return Rotated(resealed, unreadable)


async def _reseal(table: SealedTable, old: RootSecret, new: RootSecret, purpose: str) -> Rotated:
    before, after = SealedBox(old, purpose), SealedBox(new, purpose)
    resealed = unreadable = 0
    last: tuple[object, ...] | None = None
    while page := await table.page(after.head, last, _AT_ONCE):
        values: list[tuple[SealedValue, bytes]] = []
        for value in page:
            try:
                values.append((value, after.seal(before.open(value.sealed, value.owner), value.owner)))
            except RixinError:
                unreadable += 1
        await table.replace(values)
        resealed += len(values)
        last = page[-1].key
    return Rotated(resealed, unreadable)
