"""Conversations that clients have us keep: sealed, each one its owner's only, for a while, within a size.

Whoever goes on with one claims it first, for as long as that takes. A claim is a number that nobody gets twice, and so
is its end: a claim that was lost changes nothing any more, and what was read before one ended cannot be claimed.
"""

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update

from rixin.store.database import Database
from rixin.store.room import delete_expired, make_room, topic_of
from rixin.store.schema import sessions

LEAST = 4096
"""Bytes that a session counts at least, so that empty ones are bounded, too."""


class Use(Struct, frozen=True, kw_only=True):
    """A use of a session, by which it lives on. Instants are seconds since the epoch."""

    owner: str
    id: str
    used_at: float
    expires_at: float


class SessionRow(Use, frozen=True, kw_only=True):
    """A session."""

    sealed: bytes


class Content(Struct, frozen=True):
    """What a session holds, and the number of the last claim on it or of its end."""

    sealed: bytes
    claim: int


class SessionTable:
    """The sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, row: SessionRow, max_bytes: int) -> int:
        """Stores a new session. The sessions that its owner used least lately make room for it.

        Args:
            row: The session.
            max_bytes: What all of its owner's sessions may take, this one included.

        Returns:
            How many others had to go before their time.

        Raises:
            RixinError: `OVERLOADED` when the database cannot be used.
        """
        size, mine = max(len(row.sealed), LEAST), sessions.c.owner == row.owner
        async with self._database.begin(topic_of(sessions, row.owner)) as connection:
            await connection.execute(delete(sessions).where(mine, sessions.c.expires_at <= row.used_at))
            evicted = await make_room(connection, sessions, mine, sessions.c.used_at, max_bytes - size)
            await connection.execute(insert(sessions).values(**msgspec.structs.asdict(row), size=size, claim=0))
        return evicted

    async def get(self, owner: str, identity: str, now: float) -> Content | None:
        """What was sealed; None where the owner has no such session at this instant."""
        query = select(sessions.c.sealed, sessions.c.claim).where(_one(owner, identity), sessions.c.expires_at > now)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Content(row.sealed, row.claim)

    async def claim(self, use: Use, after: int, until: float) -> int | None:
        """Claims a session for oneself.

        Args:
            use: Of which session, and when.
            after: `Content.claim` when the session was read.
            until: When the claim ends, unless it is renewed.

        Returns:
            The claim; None where somebody else holds one, or held one since the session was read.
        """
        query = (
            update(sessions)
            .where(
                _one(use.owner, use.id),
                sessions.c.claim == after,
                or_(sessions.c.claimed_until.is_(None), sessions.c.claimed_until <= use.used_at),
            )
            .values(claim=after + 1, claimed_until=until, used_at=use.used_at, expires_at=use.expires_at)
        )
        async with self._database.begin(topic_of(sessions, use.owner)) as connection:
            return after + 1 if (await connection.execute(query)).rowcount else None

    async def renew(self, owner: str, identity: str, claim: int, until: float) -> bool:
        """Has a claim end at another instant, and tells whether it is held."""
        query = update(sessions).where(_held(owner, identity, claim)).values(claimed_until=until)
        async with self._database.begin(topic_of(sessions, owner)) as connection:
            return (await connection.execute(query)).rowcount > 0

    async def save(self, row: SessionRow, claim: int, max_bytes: int) -> bool:
        """Stores what a claimed session has become and ends the claim; tells whether it was held.

        Args:
            row: The session.
            claim: On it.
            max_bytes: What all of its owner's sessions may take; others make room as for a new one.
        """
        size = max(len(row.sealed), LEAST)
        query = (
            update(sessions)
            .where(_held(row.owner, row.id, claim))
            .values(sealed=row.sealed, size=size, used_at=row.used_at, expires_at=row.expires_at, **_ended(claim))
        )
        others = and_(sessions.c.owner == row.owner, sessions.c.id != row.id)
        async with self._database.begin(topic_of(sessions, row.owner)) as connection:
            if not (await connection.execute(query)).rowcount:
                return False
            await make_room(connection, sessions, others, sessions.c.used_at, max_bytes - size)
        return True

    async def release(self, owner: str, identity: str, claim: int) -> None:
        """Ends a claim, if it is held."""
        query = update(sessions).where(_held(owner, identity, claim)).values(**_ended(claim))
        async with self._database.begin(topic_of(sessions, owner)) as connection:
            await connection.execute(query)

    async def delete_expired(self, now: float, limit: int) -> int:
        """Deletes at most `limit` sessions whose time is over, and tells how many they were."""
        return await delete_expired(self._database, sessions, now, limit)


def _one(owner: str, identity: str) -> ColumnElement[bool]:
    return and_(sessions.c.owner == owner, sessions.c.id == identity)


def _held(owner: str, identity: str, claim: int) -> ColumnElement[bool]:
    """The session, as long as the claim on it is the last one and was not given back."""
    return and_(_one(owner, identity), sessions.c.claim == claim, sessions.c.claimed_until.is_not(None))


def _ended(claim: int) -> dict[str, int | None]:
    return {"claim": claim + 1, "claimed_until": None}
