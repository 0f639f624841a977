"""Limits as one record a counter, which several processes may lease from."""

import itertools
from collections.abc import Iterator

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_SLOTS = 60
_TIMELINE = "timeline"
_FOREVER = 2**62

_Row = dict[str, str | int | bytes]


class _Record(msgspec.Struct, omit_defaults=True):
    slots: dict[int, int] = {}
    instant: int | None = None
    """Of the timeline only."""
    offset: int = 0


def upgrade() -> None:
    """Makes the records of what was counted; what ran at the same time runs no more."""
    rows = op.get_bind().execute(sa.text("SELECT limit_key, slot, amount FROM counters ORDER BY limit_key, slot"))
    records = list(_records([(str(key), int(slot), int(amount)) for key, slot, amount in rows]))
    op.drop_table("claims")
    op.drop_table("counters")
    table = op.create_table(
        "counters",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
    )
    op.create_index("counters_by_end", "counters", ["ends_at"])
    op.bulk_insert(table, records)


def downgrade() -> None:
    """Makes a row of every slot again."""
    stored = op.get_bind().execute(
        sa.text("SELECT name, record FROM counters WHERE name LIKE '%|%' OR name = 'timeline'")
    )
    rows = [row for name, record in stored for row in _rows(name, msgspec.json.decode(record, type=_Record))]
    op.drop_table("counters")
    table = op.create_table(
        "counters",
        sa.Column("limit_key", sa.Text, primary_key=True),
        sa.Column("slot", sa.BigInteger, primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "claims",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("limit_key", sa.Text, nullable=False),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    op.create_index("claims_by_limit", "claims", ["limit_key", "expires_at"])
    op.bulk_insert(table, rows)


def _records(rows: list[tuple[str, int, int]]) -> Iterator[_Row]:
    for name, group in itertools.groupby(rows, key=lambda row: row[0]):
        slots = {slot: amount for _, slot, amount in group}
        if name == _TIMELINE:
            record, end = _Record(instant=slots[0], offset=slots[0] - slots[1]), _FOREVER
        else:
            length = -(-round(float(name.rpartition("|")[2]) * 1_000_000) // _SLOTS)
            record, end = _Record(slots), (max(slots) + _SLOTS + 1) * length
        yield {"name": name, "record": msgspec.json.encode(record), "ends_at": end}


def _rows(name: str, record: _Record) -> Iterator[_Row]:
    slots = record.slots
    if record.instant is not None:
        slots = {0: record.instant, 1: record.instant - record.offset, 2: 0}
    for slot, amount in slots.items():
        yield {"limit_key": name, "slot": slot, "amount": amount}
