"""`/metrics`: what Prometheus reads."""

from collections.abc import Awaitable, Callable

from rixin.accounts.account import Account
from rixin.errors import RixinError
from rixin.settings import LOOPBACK_HOSTS
from rixin.web import local_only
from rixin.web.exchange import Exchange

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers by which proxies say that somebody else asks."""


class MetricsHandler:
    """Tells all metrics.

    Args:
        scrape: Gives them, and their content type, in the form that an `accept` header asks for.
    """

    def __init__(self, scrape: Callable[[str], Awaitable[tuple[bytes, str]]]) -> None:
        self._scrape = scrape

    async def __call__(self, exchange: Exchange, _account: Account, _rest: str) -> None:
        """Answers an exchange."""
        text, content_type = await self._scrape(exchange.headers.get("accept", ""))
        await exchange.respond(200, text, content_type=content_type.encode())


def from_this_machine(exchange: Exchange) -> bool:
    """Whether a program of this machine asks, and neither a page nor, as far as proxies tell, somebody elsewhere."""
    if exchange.client not in LOOPBACK_HOSTS or any(name in exchange.headers for name in _FORWARDED):
        return False
    try:
        local_only.check(exchange.headers)
    except RixinError:
        return False
    return True
