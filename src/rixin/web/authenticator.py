"""The one place where a request's credential becomes an account, whatever form it has and wherever it leads."""

from collections.abc import Mapping

from rixin.accounts import credentials
from rixin.accounts.account import Account
from rixin.accounts.keys import KeyRing
from rixin.accounts.logins import Logins
from rixin.accounts.networks import admits
from rixin.errors import Kind, RixinError
from rixin.settings import Server
from rixin.web import same_origin
from rixin.web.login_cookie import LoginCookie


class Authenticator:
    """Recognises who asks.

    Args:
        keys: Recognises API keys and the tokens that access keys sign.
        logins: Recognises people who have logged in; None where nobody can.
        settings: The server's.
    """

    def __init__(self, keys: KeyRing, logins: Logins | None, settings: Server) -> None:
        self._keys = keys
        self._logins = logins
        self._public_url = settings.public_url
        self.cookie = LoginCookie(settings.public_url)

    async def account(
        self, method: str, headers: Mapping[str, str], address: str | None, query: Mapping[str, str] | None = None
    ) -> Account:
        """Who asks.

        Args:
            method: Of the request.
            headers: By lower-case name; a header that came twice holds both values.
            address: Where the client is.
            query: The fields of a query that may hold a credential; None where none may.

        Raises:
            RixinError: `UNAUTHENTICATED` where no credential is in order; `PERMISSION_DENIED` for one that another
                site's page has a browser send, or that may not be used from this address; `RATE_LIMITED` after too many
                unknown ones; `OVERLOADED` when the store cannot be asked.
        """
        token = None if self._logins is None else self.cookie.token(headers)
        credential = credentials.read(headers, query, cookie=token)
        if self._logins is not None and credential == token:
            same_origin.check(method, headers, self._public_url)
            return await self._logins.authenticate(credential, address)
        account = await self._keys.authenticate(credential, address)
        if account.networks and not admits(account.networks, address):
            raise RixinError(Kind.PERMISSION_DENIED, "This key may not be used from this address.")
        return account
