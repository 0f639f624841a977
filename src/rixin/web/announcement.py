"""What headers tell of a request besides its answer: who served it, what was done to it, and how its limits stand."""

from typing import Protocol

from rixin.clock import Clock
from rixin.core.requests import Change
from rixin.limits.base import Standing
from rixin.limits.headers import rate_limit_headers, remaining_headers
from rixin.service.generate import changes_text
from rixin.web.exchange import Exchange


class Told(Protocol):
    """What there is to tell; see `Served`."""

    standings: tuple[Standing, ...]

    @property
    def served_by(self) -> str | None: ...  # noqa: D102 - as `Served` has it
    @property
    def attempts(self) -> int: ...  # noqa: D102 - as `Served` has it
    @property
    def changes(self) -> tuple[Change, ...]: ...  # noqa: D102 - as `Served` has it
    @property
    def upstream_standings(self) -> tuple[Standing, ...]: ...  # noqa: D102 - as `Served` has it


def announce(exchange: Exchange, told: Told, clock: Clock) -> None:
    """Puts it among the headers of an answer that has not begun."""
    headers = exchange.extra_headers
    if told.served_by is not None:
        headers.append((b"x-rixin-model", told.served_by.encode("ascii", "replace")))
        headers.append((b"x-rixin-attempts", str(told.attempts).encode()))
        headers.extend(remaining_headers(told.upstream_standings, "x-rixin-upstream-remaining"))
    if told.changes:
        headers.append((b"x-rixin-changes", changes_text(told.changes).encode("ascii", "replace")))
    headers.extend(rate_limit_headers(told.standings, clock.monotonic()))
