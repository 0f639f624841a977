"""`/health` says that the process lives, `/readyz` that it can answer."""

from collections.abc import Awaitable, Callable

import msgspec

from rixin import __version__
from rixin.accounts.account import Account
from rixin.errors import RixinError
from rixin.limits.headers import retry_after
from rixin.web.exchange import Exchange


class HealthHandler:
    """Always answers."""

    async def __call__(self, exchange: Exchange, _account: Account, _rest: str) -> None:
        """Answers an exchange."""
        await exchange.respond(200, msgspec.json.encode({"status": "ok", "version": __version__}))


class ReadyHandler:
    """Answers 200 once requests can be served, 503 with the reason until then.

    Args:
        obstacle: Why requests cannot be served yet, or None.
        stores_obstacle: The same of the stores, which must be asked.
    """

    def __init__(
        self,
        obstacle: Callable[[], RixinError | None],
        stores_obstacle: Callable[[], Awaitable[RixinError | None]],
    ) -> None:
        self._obstacle = obstacle
        self._stores_obstacle = stores_obstacle

    async def __call__(self, exchange: Exchange, _account: Account, _rest: str) -> None:
        """Answers an exchange."""
        error = self._obstacle() or await self._stores_obstacle()
        if error is None:
            await exchange.respond(200, b'{"status":"ready"}')
            return
        if error.retry_after is not None:
            exchange.extra_headers.append((b"retry-after", retry_after(error.retry_after).encode()))
        body = msgspec.json.encode({"status": error.kind.value, "message": error.message})
        await exchange.respond(error.status, body)
