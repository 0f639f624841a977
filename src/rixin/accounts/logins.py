"""Logins: what a person holds who has proven who they are, until it is ended here on the server.

A login is known by a keyed digest of its token only, and the store is asked for it at each request: once it is ended,
by a logout, a new password, another role or a disabled user, it counts nowhere.
"""

import asyncio
import hmac
from typing import Literal, TypeAlias

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.accounts.account import Account
from rixin.accounts.miss_limit import MissLimit
from rixin.accounts.roles import ROLE_SCOPES, Role
from rixin.accounts.root_secret import RootSecret
from rixin.clock import Clock, random_text
from rixin.errors import Kind, RixinError
from rixin.store import logins as store
from rixin.store.database import Database
from rixin.store.logins import FoundLogin, Login, LoginTable

TOKEN_PREFIX = "lg-rx-"  # noqa: S105 - what every token begins with
TOKEN_BYTES = 32
IDLE = 12 * 3600.0
"""Seconds without a request after which a login ends."""
LONGEST = 7 * 86400.0
"""Seconds after which it ends in any case."""
TOUCH_INTERVAL = 60.0
"""Seconds between two writings of when it was last used."""
SWEEP_INTERVAL = 3600.0
MAX_SEEN = 10_000
_ID_BYTES = 12

Method: TypeAlias = Literal["password", "oidc", "setup"]

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class NewLogin(Struct, frozen=True, kw_only=True):
    """A login that has just begun. Its token can be seen here, and never again."""

    token: str
    expires_at: float
    """Seconds since the epoch."""

    def __repr__(self) -> str:
        return f"NewLogin(expires_at={self.expires_at})"


class KnownLogin(Struct, frozen=True, kw_only=True):
    """A login as its user sees it. Instants are seconds since the epoch."""

    id: str
    """By which it can be ended; nobody can log in with it."""
    method: Method
    created_at: float
    used_at: float
    """To the minute."""
    expires_at: float
    """When it ends at the latest; it also ends when it is not used for half a day."""
    current: bool
    """Whether it is the one that asks."""


class Logins:
    """The logins of one database.

    Args:
        database: Where they are stored.
        root_secret: What their digests are made with.
        clock: Time.
    """

    def __init__(self, database: Database, root_secret: RootSecret, clock: Clock) -> None:
        self._table = LoginTable(database)
        self._digest_key = root_secret.derive("login digest")
        self._clock = clock
        self._misses = MissLimit(clock)
        self._seen: set[bytes] = set()  # those that were once in order: asking for them is no guessing

    async def authenticate(self, token: str, address: str | None) -> Account:
        """Who has logged in.

        Args:
            token: As the client sent it.
            address: Where the client is.

        Raises:
            RixinError: `UNAUTHENTICATED` where the login has ended or never was; `RATE_LIMITED` when too many such came
                from the address; `OVERLOADED` when the store cannot be asked.
        """
        digest = self._digest(token)
        found = await self._find(digest, address)
        now = self._clock.now()
        if found is None or found.disabled_at is not None or _has_ended(found, now):
            raise RixinError(Kind.UNAUTHENTICATED, "You are not logged in, or not any more. Log in again.")
        if now - found.used_at >= TOUCH_INTERVAL:
            await self._table.touch(digest, now)
        role = msgspec.convert(found.role, Role)
        return Account(
            id=found.user_id,
            name=found.name,
            scopes=ROLE_SCOPES[role],
            user=found.user_id,
            user_plan=found.plan,
            role=role,
        )

    async def begin(self, connection: AsyncConnection, user_id: str, method: Method) -> NewLogin:
        """Logs a user in, in a transaction that has made sure who they are."""
        token = TOKEN_PREFIX + random_text(TOKEN_BYTES)
        now = self._clock.now()
        login = Login(
            digest=self._digest(token),
            user_id=user_id,
            method=method,
            created_at=now,
            used_at=now,
            expires_at=now + LONGEST,
        )
        await store.add(connection, login)
        return NewLogin(token=token, expires_at=login.expires_at)

    async def of_user(self, user_id: str, token: str) -> list[KnownLogin]:
        """The logins of a user that count, the one that was used last first; `token` is of the one that asks."""
        now, mine = self._clock.now(), self._digest(token)
        return [
            KnownLogin(
                id=_id(login.digest),
                method=msgspec.convert(login.method, Method),
                created_at=login.created_at,
                used_at=login.used_at,
                expires_at=login.expires_at,
                current=login.digest == mine,
            )
            for login in await self._table.of_user(user_id)
            if not _has_ended(login, now)
        ]

    async def end_one(self, user_id: str, id: str) -> bool:  # noqa: A002 - it is the id
        """Ends the login of a user that has an id; tells whether there was one."""
        found = [login.digest for login in await self._table.of_user(user_id) if _id(login.digest) == id]
        for digest in found:
            await self._table.end(digest)
        return bool(found)

    async def end(self, token: str) -> None:
        """Ends a login. One that has ended already is no error."""
        await self._table.end(self._digest(token))

    async def end_others(self, connection: AsyncConnection, user_id: str, token: str | None = None) -> None:
        """Ends all logins of a user but the one with this token."""
        await store.end_all(connection, user_id, but=None if token is None else self._digest(token))

    async def sweep(self) -> None:
        """Removes those that have ended. Raises `OVERLOADED` when the store cannot be used."""
        now = self._clock.now()
        await self._table.sweep(expired=now, unused=now - IDLE)

    async def run(self) -> None:
        """Sweeps each hour, until it is cancelled."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            try:
                await self.sweep()
            except RixinError as error:
                log.warning("Logins that have ended could not be removed", detail=error.detail or error.message)

    async def _find(self, digest: bytes, address: str | None) -> FoundLogin | None:
        if digest in self._seen:
            return await self._table.find(digest)
        self._misses.take(address)
        found = await self._table.find(digest)
        if found is not None:
            self._misses.give_back(address)
            if len(self._seen) >= MAX_SEEN:
                self._seen.clear()
            self._seen.add(digest)
        return found

    def _digest(self, token: str) -> bytes:
        return hmac.digest(self._digest_key, token.encode("utf-8", "surrogatepass"), "sha256")


def _id(digest: bytes) -> str:
    """What a login is called: a beginning of its digest, from which neither that nor the token can be had."""
    return digest[:_ID_BYTES].hex()


def _has_ended(login: FoundLogin | Login, now: float) -> bool:
    return login.expires_at <= now or login.used_at + IDLE <= now
