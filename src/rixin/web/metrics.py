"""`/metrics`: what Prometheus reads."""

from collections.abc import Awaitable, Callable

from rixin.accounts.account import Account
from rixin.settings import LOOPBACK_HOSTS
from rixin.web import local_only
from rixin.web.exchange import Exchange


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
    headers = exchange.headers
    return exchange.client in LOOPBACK_HOSTS and not local_only.was_forwarded(headers) and local_only.is_local(headers)
