"""The people of a server: made, changed and removed here, and nowhere else.

Whatever is changed of a user ends their logins where it takes something from them, and counts for their keys in every
process within seconds.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.accounts.account import Account
from rixin.accounts.audit import OPERATOR, Act, Actor, AuditLog
from rixin.accounts.key_rules import check_name, check_plan
from rixin.accounts.logins import Logins
from rixin.accounts.passwords import Passwords, check_password
from rixin.accounts.roles import Role
from rixin.accounts.user_rules import (
    UserChange,
    UserWish,
    check_change,
    check_may,
    last_owner,
    no_user,
    normalize_email,
)
from rixin.clock import Clock, uuid7
from rixin.errors import Kind, RixinError, invalid
from rixin.store import keys, revisions
from rixin.store import users as store
from rixin.store.database import Database
from rixin.store.schema import users as columns
from rixin.store.users import User, UserTable

MAX_LISTED = 1000
_ID = re.compile(r"usr_[0-9a-f]{32}")


class UserBook:
    """The users of one database.

    Args:
        database: Where they are stored.
        logins: Theirs.
        audit: Where every change is written down.
        passwords: What makes and checks hashes.
        clock: Time.
    """

    def __init__(self, database: Database, logins: Logins, audit: AuditLog, passwords: Passwords, clock: Clock) -> None:
        self._database = database
        self._table = UserTable(database)
        self._logins = logins
        self._audit = audit
        self._passwords = passwords
        self._clock = clock

    async def list(self, *, search: str | None = None, after: str | None = None, limit: int = MAX_LISTED) -> list[User]:
        """Users in the order of their making.

        Args:
            search: What the name or the e-mail address must contain, whatever its case.
            after: The id of the last user of the page before this one.
            limit: At most so many, up to 1000.

        Raises:
            RixinError: `INVALID_REQUEST` naming the argument; `OVERLOADED` when the store cannot be used.
        """
        if search is not None:
            check_name(search)
        if after is not None and not _ID.fullmatch(after):
            raise invalid("after must be the id of a user", "after")
        if not 1 <= limit <= MAX_LISTED:
            raise invalid(f"limit must lie between 1 and {MAX_LISTED}", "limit")
        return await self._table.list(search=search, after=after, limit=limit)

    async def find(self, user_id: str) -> User:
        """A user. Raises `NOT_FOUND`."""
        async with self._database.read() as connection:
            return await _found(connection, user_id)

    async def any_there(self) -> bool:
        """Whether there is a user at all."""
        async with self._database.read() as connection:
            return await store.any_there(connection)

    async def create(self, wish: UserWish, by: Actor = OPERATOR, *, creator: Account | None = None) -> User:
        """Makes a user.

        Args:
            wish: What they shall be.
            by: Who does it, for the audit log.
            creator: Who does it, where it is not the machine's operator: nobody makes what is more than they are.

        Raises:
            RixinError: `INVALID_REQUEST` naming what is wrong with the wish; `PERMISSION_DENIED`; `CONFLICT` where the
                e-mail address is somebody's already.
        """
        check_may(creator, wish.role)
        draft = await self.draft(wish)
        async with self.changing() as connection:
            return await self.add(connection, draft, by)

    async def change(
        self, user_id: str, change: UserChange, by: Actor = OPERATOR, *, creator: Account | None = None
    ) -> User:
        """Changes a user. Another role, or being disabled, ends their logins. As `create`, and raises `NOT_FOUND`."""
        check_change(change)
        values: dict[str, object] = {
            name: value for name, value in asdict(change).items() if value is not UNSET and name != "disabled"
        }
        if change.email is not UNSET:
            values["email"] = normalize_email(change.email)
        async with self.changing() as connection:
            user = await _found(connection, user_id)
            check_may(creator, role_of(user), *(() if change.role is UNSET else (change.role,)))
            if change.disabled is not UNSET:
                values["disabled_at"] = (user.disabled_at or self._clock.now()) if change.disabled else None
            if change.disabled is True or change.role not in (UNSET, "owner"):
                await _leave_an_owner(connection, user)
            if "email" in values and values["email"] != user.email:
                await _check_free(connection, str(values["email"]))
            if values:
                await store.change(connection, user_id, **values)
            if change.disabled is True or change.role not in (UNSET, user.role):
                await self._logins.end_others(connection, user_id)
            told = {name: value for name, value in asdict(change).items() if value is not UNSET}
            await self._audit.append(connection, Act(actor=by, action="user.change", target=user_id, detail=told))
            return await _found(connection, user_id)

    async def set_password(
        self,
        user_id: str,
        password: str,
        by: Actor = OPERATOR,
        *,
        creator: Account | None = None,
        keep: str | None = None,
    ) -> None:
        """Gives a user a password, and ends their logins. As `change`.

        Args:
            user_id: Whose.
            password: The new one.
            by: Who does it, for the audit log.
            creator: Who does it; None for the machine's operator, or the user.
            keep: The token of a login that goes on.
        """
        user = await self.find(user_id)
        check_password(password, email=user.email)
        made = await self._passwords.hash(password)
        async with self.changing() as connection:
            check_may(creator, role_of(await _found(connection, user_id)))
            await store.change(connection, user_id, password=made)
            await self._logins.end_others(connection, user_id, keep)
            await self._audit.append(connection, Act(actor=by, action="user.password", target=user_id))

    async def delete(self, user_id: str, by: Actor = OPERATOR, *, creator: Account | None = None) -> None:
        """Removes a user with their keys, logins and memberships; what they used stays on record. As `change`."""
        async with self.changing() as connection:
            user = await _found(connection, user_id)
            check_may(creator, role_of(user))
            await _leave_an_owner(connection, user)
            await store.remove(connection, user_id)
            detail = {"email": user.email, "role": user.role}
            await self._audit.append(connection, Act(actor=by, action="user.delete", target=user_id, detail=detail))

    async def draft(self, wish: UserWish) -> "Draft":
        """What is stored of a new user; it takes a while where they have a password. Raises `INVALID_REQUEST`."""
        email = normalize_email(wish.email)
        check_name(wish.name)
        check_plan(wish.plan)
        password = None
        if wish.password is not None:
            check_password(wish.password, email=email)
            password = await self._passwords.hash(wish.password)
        now = self._clock.now()
        user_id = "usr_" + uuid7(now).replace("-", "")
        user = User(id=user_id, name=wish.name, email=email, role=wish.role, plan=wish.plan, created_at=now)
        return Draft(user, password)

    async def add(self, connection: AsyncConnection, draft: "Draft", by: Actor) -> User:
        """Adds a user in a transaction of `changing`. Raises `CONFLICT` where the e-mail address is taken."""
        user = draft.user
        await _check_free(connection, user.email)
        await store.add(connection, user, draft.password)
        detail = {"email": user.email, "name": user.name, "role": user.role, "plan": user.plan}
        await self._audit.append(connection, Act(actor=by, action="user.create", target=user.id, detail=detail))
        return user

    @asynccontextmanager
    async def changing(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that changes users: one at a time, of which every process hears."""
        async with self._database.begin() as connection:
            await revisions.bump(connection, keys.REVISION)
            yield connection


class Draft(Struct, frozen=True):
    """A user who is not stored yet, and the hash of their password."""

    user: User
    password: str | None


def role_of(user: User) -> Role:
    """A user's role."""
    return msgspec.convert(user.role, Role)


async def _found(connection: AsyncConnection, user_id: str) -> User:
    user = await store.find(connection, columns.c.id == user_id) if _ID.fullmatch(user_id) else None
    if user is None:
        raise no_user()
    return user


async def _check_free(connection: AsyncConnection, email: str) -> None:
    if await store.find(connection, columns.c.email == email) is not None:
        raise RixinError(Kind.CONFLICT, "There is a user with this e-mail address already.", param="email")


async def _leave_an_owner(connection: AsyncConnection, user: User) -> None:
    """Raises `CONFLICT` where a user is the last owner who counts."""
    is_owner = user.role == "owner" and user.disabled_at is None
    if is_owner and not await store.other_owners(connection, user.id):
        raise last_owner()
