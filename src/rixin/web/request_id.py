"""The id that an answer, its log records and its row are known by."""

import re

from rixin.clock import uuid7

_SAFE = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def request_id(wished: str | None, now: float) -> str:
    """What a client wishes in `x-request-id`, where that is safe to repeat, else a new UUID version 7.

    Args:
        wished: The header's value, or None.
        now: In seconds since the epoch.
    """
    return wished if wished is not None and _SAFE.fullmatch(wished) else uuid7(now)
