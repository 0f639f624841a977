"""The wire routes that count: a prompt to the number of its tokens, and nothing is generated."""

from rixin.accounts.account import Account
from rixin.clock import Clock
from rixin.core.requests import Count
from rixin.dialects.base import Dialect
from rixin.errors import Kind, RixinError
from rixin.service.count import Counter
from rixin.web.exchange import Exchange, header_pairs
from rixin.web.intake import Intake
from rixin.web.stamp import make_stamp


class CountHandler:
    """Answers one route of a dialect.

    Raises:
        ValueError: The dialect cannot tell a count.
    """

    def __init__(self, dialect: Dialect, intake: Intake, counter: Counter, clock: Clock) -> None:
        if dialect.render_count is None:
            raise ValueError(f"{dialect.name} has no answer to a count")
        self._dialect = dialect
        self._render = dialect.render_count
        self._intake = intake
        self._counter = counter
        self._clock = clock

    async def __call__(self, exchange: Exchange, account: Account, rest: str) -> None:
        """Answers an exchange; `rest` is the model, where the path names it."""
        request = await self._intake.parse(exchange, await self._intake.read(exchange), account, rest)
        if not isinstance(request, Count):
            raise RixinError(Kind.NOT_IMPLEMENTED, "This route does not count.")
        exchange.log_fields["model"] = request.request.model
        stamp = make_stamp(exchange.request_id, self._clock)
        body = self._render(await self._counter.count(request), stamp)
        headers = self._dialect.response_headers
        await exchange.respond(200, body, header_pairs(headers(stamp)) if headers else [])
