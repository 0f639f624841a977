"""Routes of a platform that this server knows of and does not serve."""

from rixin.accounts.account import Account
from rixin.errors import Kind, RixinError
from rixin.web.exchange import Exchange

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


async def refuse(exchange: Exchange, _account: Account, _rest: str) -> None:
    """Says so. Raises `NOT_IMPLEMENTED`."""
    raise RixinError(Kind.NOT_IMPLEMENTED, f"{exchange.method} {exchange.path[:200]} is not implemented here.")
