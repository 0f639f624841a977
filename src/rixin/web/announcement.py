"""What headers tell of a request besides its answer: who served it, what was done to it, how its limits stand, and
where its time went.
"""

from rixin.clock import Clock
from rixin.core.requests import Draw, Embed, Generate
from rixin.limits.headers import rate_limit_headers, remaining_headers
from rixin.service.served import Served, changes_text
from rixin.web.exchange import Exchange
from rixin.web.server_timing import HEADER as SERVER_TIMING
from rixin.web.server_timing import server_timing


def announce(exchange: Exchange, served: Served[Generate] | Served[Embed] | Served[Draw], clock: Clock) -> None:
    """Puts it among the headers of an answer that has not begun."""
    headers = exchange.extra_headers
    if served.served_by is not None:
        headers.append((b"x-rixin-model", served.served_by.encode("ascii", "replace")))
        headers.append((b"x-rixin-attempts", str(served.attempts).encode()))
        headers.extend(remaining_headers(served.upstream_standings, "x-rixin-upstream-remaining"))
    if served.changes:
        headers.append((b"x-rixin-changes", changes_text(served.changes).encode("ascii", "replace")))
    headers.extend(rate_limit_headers(served.standings, clock.monotonic()))
    headers.append((SERVER_TIMING, server_timing(served.trace, 0.0 if served.sign is None else served.sign.queued)))
