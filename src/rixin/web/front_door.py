"""`/`: browsers are led to the console, and everybody else is told that the server lives."""

from collections.abc import Callable

from rixin.accounts.account import Account
from rixin.web import console_files
from rixin.web.exchange import Exchange
from rixin.web.health import HealthHandler

_PAGE = "text/html"


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
        if _wants_page(exchange.headers.get("accept", "")) and self._is_built():
            headers = [(b"location", console_files.PATH.encode()), (b"cache-control", b"no-store")]
            await exchange.respond(303, b"", headers)
        else:
            await self._health(exchange, account, rest)


def _wants_page(accept: str) -> bool:
    """Whether an `accept` header names pages, as browsers do when somebody goes to an address (RFC 9110, 12.5.1)."""
    ranges = (part.partition(";") for part in accept.lower().split(","))
    return any(kind.strip() == _PAGE and weight.strip() not in ("q=0", "q=0.0") for kind, _, weight in ranges)
