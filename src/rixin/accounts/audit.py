"""The audit log: who did what to which part of the server, in rows that nobody can change unseen.

Every row holds the hash of the one before, and the head of this chain is sealed with a key that is derived from the
root secret: who can write into the database but does not know the secret can change, remove or insert nothing that
`verify` does not find. An act and its row are written in one transaction.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.accounts.account import Account
from rixin.accounts.root_secret import RootSecret
from rixin.clock import Clock
from rixin.store import audit as store
from rixin.store.audit import AuditFilter, AuditRow, AuditTable, Head
from rixin.store.database import Database

MAX_PROBLEMS = 20
"""Problems that a verification tells; where there are more, the chain is broken anyway."""

Tampering: TypeAlias = Literal["changed", "removed", "inserted", "replaced", "unsealed"]


class Actor(Struct, frozen=True, kw_only=True):
    """Who does something."""

    id: str
    """Of a user or a key, or `operator` for whoever has the machine's command line."""
    name: str
    address: str | None = None
    """From where."""

    @classmethod
    def of(cls, account: Account, address: str | None) -> "Actor":
        """Who asks, by the user if there is one, else by the key."""
        return cls(id=account.user or account.id, name=account.name, address=address)


OPERATOR: Final = Actor(id="operator", name="operator")
NOBODY: Final = Actor(id="nobody", name="nobody")
"""Who has not said yet who they are, or in vain."""


class Act(Struct, frozen=True, kw_only=True):
    """Something that was done."""

    actor: Actor
    action: str
    target: str | None = None
    detail: Mapping[str, object] = {}
    """What else there is to know. Never a secret."""


class Problem(Struct, frozen=True):
    """Something in the log that is not as it was written."""

    sequence: int
    tampering: Tampering
    message: str


class Verdict(Struct, frozen=True):
    """What a verification found."""

    rows: int
    head: str
    """The hash of the last row. Who keeps it elsewhere can tell later whether the whole log was put back to an earlier
    state."""
    problems: tuple[Problem, ...]


class AuditLog:
    """The audit log of one database.

    Args:
        database: Where it is.
        root_secret: What its head is sealed with.
        clock: Time.
    """

    def __init__(self, database: Database, root_secret: RootSecret, clock: Clock) -> None:
        self._database = database
        self._table = AuditTable(database)
        self._key = root_secret.derive("audit log head")
        self._clock = clock

    async def append(self, connection: AsyncConnection, act: Act) -> None:
        """Writes an act down in the transaction that does it. Say it last: others wait for it from then on."""
        head = await store.lock_head(connection)
        row = AuditRow(
            sequence=head.sequence + 1,
            time=self._clock.now(),
            actor=act.actor.id,
            actor_name=act.actor.name,
            address=act.actor.address,
            action=act.action,
            target=act.target,
            detail=msgspec.json.encode(act.detail, order="sorted").decode(),
            previous=head.hash,
            hash="",
        )
        row = msgspec.structs.replace(row, hash=_hash(row))
        await store.append(connection, row, self._seal(row.sequence, row.hash))

    async def record(self, act: Act) -> None:
        """Writes down an act that no transaction does. Raises `OVERLOADED` when the store cannot be used."""
        async with self._database.begin() as connection:
            await self.append(connection, act)

    async def list(self, wanted: AuditFilter, *, before: int | None = None, limit: int = 100) -> list[AuditRow]:
        """As `AuditTable.list`."""
        return await self._table.list(wanted, before=before, limit=limit)

    async def verify(self) -> Verdict:
        """Goes through the whole log as it is at this moment."""
        head = Head(0, "", "")
        problems: list[Problem] = []
        rows, last, last_hash = 0, 0, ""
        async for row in self._table.all():
            if isinstance(row, Head):
                head = row
                continue
            rows += 1
            problems += _problems(row, last, last_hash, head)
            last, last_hash = row.sequence, row.hash
        if last < head.sequence:
            problems.append(_removed(last + 1, head.sequence))
        elif last == head.sequence and last_hash != head.hash:
            text = f"Row {last} is not the one that was sealed: it was replaced, or rows up to it were written anew."
            problems.append(Problem(last, "replaced", text))
        if head.sequence and not hmac.compare_digest(head.seal, self._seal(head.sequence, head.hash)):
            text = f"The seal of row {head.sequence} was not made by this server."
            problems.append(Problem(head.sequence, "unsealed", text))
        return Verdict(rows, last_hash, tuple(problems[:MAX_PROBLEMS]))

    def _seal(self, sequence: int, row_hash: str) -> str:
        return hmac.new(self._key, f"{sequence} {row_hash}".encode(), "sha256").hexdigest()


def _problems(row: AuditRow, last: int, last_hash: str, head: Head) -> list[Problem]:
    """What is wrong with a row that comes after row `last`."""
    sequence = row.sequence
    if sequence < 1 or sequence > head.sequence:
        return [Problem(sequence, "inserted", f"Row {sequence} was inserted: the server has written none there.")]
    problems: list[Problem] = []
    if sequence > last + 1:
        problems.append(_removed(last + 1, sequence - 1))
    elif row.previous != last_hash and last:
        problems.append(Problem(last, "replaced", f"Row {last} was replaced: row {sequence} followed another one."))
    if row.hash != _hash(row) or (sequence == 1 and row.previous):
        problems.append(Problem(sequence, "changed", f"Row {sequence} was changed."))
    return problems


def _removed(first: int, last: int) -> Problem:
    text = f"Row {first} was removed." if first == last else f"Rows {first} to {last} were removed."
    return Problem(first, "removed", text)


def _hash(row: AuditRow) -> str:
    fields = [getattr(row, name) for name in AuditRow.__struct_fields__ if name != "hash"]
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()
