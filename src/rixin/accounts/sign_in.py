"""How people come in: as the first owner of a new server, by a password, and out again."""

from rixin.accounts import setup_token
from rixin.accounts.account import Account
from rixin.accounts.audit import NOBODY, Act, Actor, AuditLog
from rixin.accounts.login_throttle import LoginThrottle
from rixin.accounts.logins import Logins, NewLogin
from rixin.accounts.passwords import LONGEST, Passwords
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.user_rules import UserWish
from rixin.accounts.users import UserBook
from rixin.clock import Clock
from rixin.errors import Kind, RixinError
from rixin.store import users as store
from rixin.store.database import Database
from rixin.store.schema import users as columns
from rixin.store.users import User

SETUP = "setup"
"""The name that tries of the set-up token count under."""


class SignIn:
    """Logs people in.

    Args:
        database: Where everything is stored.
        root_secret: What the set-up token is derived from.
        users: The users.
        logins: Their logins.
        audit: Where logins and failed ones are written down.
        passwords: What checks them.
        throttle: How often one may try.
        clock: Time.
    """

    def __init__(
        self,
        database: Database,
        root_secret: RootSecret,
        users: UserBook,
        logins: Logins,
        audit: AuditLog,
        passwords: Passwords,
        throttle: LoginThrottle,
        clock: Clock,
    ) -> None:
        self._database = database
        self._root_secret = root_secret
        self._users = users
        self._logins = logins
        self._audit = audit
        self._passwords = passwords
        self._throttle = throttle
        self._clock = clock

    async def set_up(self, token: str, *, email: str, name: str, password: str, address: str | None) -> NewLogin:
        """Makes the first owner, and logs them in. Of several who try at once, one succeeds.

        Raises:
            RixinError: `UNAUTHENTICATED` for a wrong token; `CONFLICT` where there are users already;
                `INVALID_REQUEST` naming what is wrong; `RATE_LIMITED` after too many wrong tokens.
        """
        forgive = await self._throttle.take(SETUP, address)
        if not setup_token.is_right(self._root_secret, token):
            raise RixinError(Kind.UNAUTHENTICATED, "This is not the set-up token that the server has shown.")
        forgive()
        draft = await self._users.draft(UserWish(email=email, name=name, role="owner", password=password))
        by = Actor(id=draft.user.id, name=name, address=address)
        async with self._users.changing() as connection:
            if await store.any_there(connection):
                raise RixinError(Kind.CONFLICT, "This server is set up already. Log in, or ask one of its owners.")
            user = await self._users.add(connection, draft, by)
            return await self._logins.begin(connection, user.id, "setup")

    async def log_in(self, email: str, password: str, address: str | None) -> NewLogin:
        """Logs somebody in by their password.

        Raises:
            RixinError: `UNAUTHENTICATED` where they are unknown or disabled, have no password, or it is another one:
                the same words after the same time; `RATE_LIMITED` after too many failures.
        """
        known_as = email.strip().lower()
        forgive = await self._throttle.take(known_as, address)
        while True:
            async with self._database.read() as connection:
                user = await store.find(connection, columns.c.email == known_as)
                kept = None if user is None else await store.password_of(connection, user.id)
            right = await self._passwords.fits(password[: LONGEST + 1], kept)
            if user is None or kept is None or user.disabled_at is not None or not right:
                await self._note_failure(user, address)
                raise RixinError(Kind.UNAUTHENTICATED, "The e-mail address or the password is wrong.")
            forgive()
            login = await self._begin(user, kept, password, address)
            if login is not None:
                return login

    async def change_password(self, account: Account, token: str, old: str, new: str, address: str | None) -> None:
        """Gives somebody who has logged in another password; their other logins end.

        Args:
            account: Who.
            token: Of their login, which goes on.
            old: The password that they have, if they have one.
            new: The one that they want.
            address: Where they are.

        Raises:
            RixinError: `PERMISSION_DENIED` where the old one is wrong; `INVALID_REQUEST` for a new one that is none;
                `RATE_LIMITED` after too many wrong ones.
        """
        user = await self._users.find(account.user or "")
        async with self._database.read() as connection:
            kept = await store.password_of(connection, user.id)
        if kept is not None:
            forgive = await self._throttle.take(user.email, address)
            if not await self._passwords.fits(old[: LONGEST + 1], kept):
                raise RixinError(Kind.PERMISSION_DENIED, "Your password is another one.", param="old_password")
            forgive()
        await self._users.set_password(user.id, new, Actor.of(account, address), keep=token)

    async def log_out(self, account: Account, token: str, address: str | None) -> None:
        """Ends a login."""
        await self._logins.end(token)
        await self._audit.record(Act(actor=Actor.of(account, address), action="logout", target=account.user))

    async def end_login(self, account: Account, id: str, address: str | None) -> None:  # noqa: A002 - it is the id
        """Ends one of somebody's own logins.

        Raises:
            RixinError: `NOT_FOUND` where they have none with this id.
        """
        if account.user is None or not await self._logins.end_one(account.user, id):
            raise RixinError(Kind.NOT_FOUND, "You have no login with this id.")
        await self._audit.record(Act(actor=Actor.of(account, address), action="login.end", target=account.user))

    async def end_other_logins(self, account: Account, token: str, address: str | None) -> None:
        """Ends all of somebody's own logins but the one with this token."""
        async with self._database.begin() as connection:
            await self._logins.end_others(connection, account.user or "", token)
            act = Act(actor=Actor.of(account, address), action="login.end_others", target=account.user)
            await self._audit.append(connection, act)

    async def _begin(self, user: User, kept: str, password: str, address: str | None) -> NewLogin | None:
        """Begins the login of somebody whose password fits what is kept of it.

        Returns:
            The login; None where something else is kept by now: it was changed while it was checked, and all logins
            were ended, or another login has hashed it anew.
        """
        renewed = await self._passwords.hash(password) if self._passwords.is_old(kept) else None
        async with self._database.begin() as connection:
            if await store.password_of(connection, user.id, lock=True) != kept:
                return None
            values = {} if renewed is None else {"password": renewed}
            await store.change(connection, user.id, last_login_at=self._clock.now(), **values)
            login = await self._logins.begin(connection, user.id, "password")
            by = Actor(id=user.id, name=user.name, address=address)
            await self._audit.append(connection, Act(actor=by, action="login", target=user.id))
        return login

    async def _note_failure(self, user: User | None, address: str | None) -> None:
        # What was typed is not told: it may be a password in the wrong field.
        actor = Actor(id=NOBODY.id, name=NOBODY.name, address=address)
        act = Act(actor=actor, action="login.failed", target=None if user is None else user.id)
        await self._audit.record(act)
