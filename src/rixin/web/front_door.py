"""`/`: browsers are led to the console, and everybody else is told that the server lives."""

from collections.abc import Callable

from rixin.accounts.account import Account
from rixin.web import console_files
from rixin.web.exchange import Exchange
from rixin.web.health import HealthHandler
from rixin.web.wanted_page import wants_page


class FrontDoor:
    """Answers `GET /`.

    Args:
        is_built: Whether there is a console to be led to.
    """

    def __init__(self, is_built: Callable[[], bool] = console_files.is_built) -> None:
        self._is_built = is_built
        self._health = HealthHandler()

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange."""
        exchange.extra_headers.append((b"vary", b"accept"))
        if wants_page(exchange.headers.get("accept", "")) and self._is_built():
            headers = [(b"location", console_files.PATH.encode()), (b"cache-control", b"no-store")]
            await exchange.respond(303, b"", headers)
        else:
            await self._health(exchange, account, rest)
