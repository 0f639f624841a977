"""Instants as people type them: `30d`, `12h`, `2027-01-31`."""

import re
from datetime import datetime

from rixin.errors import Kind, RixinError

_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"([1-9]\d{0,5})([mhdw])")


def parse_expiry(text: str, now: float) -> float:
    """When something expires, in seconds since the epoch.

    Args:
        text: A time from now (`90m`, `12h`, `30d`, `8w`) or a date or instant by ISO 8601, local where it has no zone.
        now: The current instant.

    Raises:
        RixinError: `INVALID_REQUEST` for anything else, and for an instant that has passed.
    """
    instant = _instant(text, now, 1)
    if instant is None:
        message = f"{text!r} is no time: write 12h, 30d or 8w from now, or a date such as 2030-12-31"
        raise RixinError(Kind.INVALID_REQUEST, message, param="expires")
    if instant <= now:
        raise RixinError(Kind.INVALID_REQUEST, f"{text} has passed already", param="expires")
    return instant


def parse_past(text: str, now: float, param: str) -> float:
    """When something was, in seconds since the epoch; times as of `parse_expiry`, but before now.

    Raises:
        RixinError: `INVALID_REQUEST` naming `param` for anything else, and for an instant before 1970.
    """
    instant = _instant(text, now, -1)
    if instant is None or instant < 0:
        message = f"{text!r} is no time: write 12h, 30d or 8w for so long ago, or a date such as 2026-12-31"
        raise RixinError(Kind.INVALID_REQUEST, message, param=param)
    return instant


def _instant(text: str, now: float, sign: int) -> float | None:
    if found := _DURATION.fullmatch(text):
        return now + sign * int(found[1]) * _SECONDS[found[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
