"""`GET` where others speak WebSocket: answered at once, so that clients that try it first go on with HTTP."""

from rixin.accounts.account import Account
from rixin.clock import Clock
from rixin.dialects.base import Dialect
from rixin.errors import Kind, RixinError
from rixin.web.exchange import Exchange
from rixin.web.stamp import make_stamp

_UPGRADE_REQUIRED = 426
_INSTEAD = [(b"upgrade", b"HTTP/1.1")]
"""What such an answer must name (RFC 9110, section 15.5.22)."""


class UpgradeRefusal:
    """Says that requests of a dialect are posted."""

    def __init__(self, dialect: Dialect, clock: Clock) -> None:
        self._dialect = dialect
        self._clock = clock

    async def __call__(self, exchange: Exchange, _account: Account, _rest: str) -> None:
        """Answers an exchange."""
        error = RixinError(Kind.METHOD_NOT_ALLOWED, f"{exchange.path[:200]} takes POST over HTTP, and no WebSocket.")
        if exchange.headers.get("upgrade", "").lower() != "websocket":
            raise error
        reply = self._dialect.render_error(error, make_stamp(exchange.request_id, self._clock))
        await exchange.respond(_UPGRADE_REQUIRED, reply.body, _INSTEAD)
