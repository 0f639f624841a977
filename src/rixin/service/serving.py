"""What serves requests, whatever they ask for."""

from collections.abc import Callable

from msgspec import Struct

from rixin.accounts.account import Account
from rixin.accounts.request_log import RequestLog
from rixin.clock import Clock
from rixin.core.requests import Asked
from rixin.limits.base import Limit, Limiter
from rixin.moderation.moderator import Moderator
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.service.costs import Costs


class Serving(Struct, frozen=True, kw_only=True):
    """The parts that every request goes through."""

    catalog: Catalog
    """Resolves the request's model."""
    router: Router
    """Sends requests to engines."""
    limiter: Limiter
    """Admits requests within limits."""
    limits_for: Callable[[Account, Asked], tuple[Limit, ...]]
    """The limits that an account's request counts against."""
    costs: Costs
    """What requests cost."""
    requests: RequestLog
    """Takes down what became of each request."""
    clock: Clock
    moderator: Moderator | None = None
    """Looks at requests and answers, where that is wanted."""
