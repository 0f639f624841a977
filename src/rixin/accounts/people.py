"""All that has to do with people, put together. Importing it takes a while (Argon2), so only who needs it does."""

from typing import Self

from msgspec import Struct

from rixin.accounts.audit import AuditLog
from rixin.accounts.login_throttle import Admit, LoginThrottle
from rixin.accounts.logins import Logins
from rixin.accounts.passwords import Passwords
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sign_in import SignIn
from rixin.accounts.teams import TeamBook
from rixin.accounts.users import UserBook
from rixin.clock import Clock
from rixin.store.database import Database


class People(Struct, frozen=True):
    """The people of a server, and what they do."""

    users: UserBook
    teams: TeamBook
    logins: Logins
    sign_in: SignIn
    audit: AuditLog

    @classmethod
    def open(cls, database: Database, root_secret: RootSecret, logins: Logins, admit: Admit, clock: Clock) -> Self:
        """The people of a database.

        Args:
            database: Where they are stored.
            root_secret: Of the server.
            logins: Theirs.
            admit: Counts tries to log in.
            clock: Time.
        """
        audit = AuditLog(database, root_secret, clock)
        passwords = Passwords()
        users = UserBook(database, logins, audit, passwords, clock)
        throttle = LoginThrottle(admit)
        sign_in = SignIn(database, root_secret, users, logins, audit, passwords, throttle, clock)
        return cls(users, TeamBook(database, audit, clock), logins, sign_in, audit)
