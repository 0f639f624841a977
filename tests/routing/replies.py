"""How upstreams answer, and how they fail, which the router's tests share."""

import json
from typing import Any

from tests.upstreams.scripted import DONE, Reply, answer, completion_events, stream

GOLDEN = stream([*completion_events(), DONE])
BEGUN = completion_events()[:2]


def error(status: int, message: str, **fields: Any) -> Reply:
    """An error of the SenseNova token platform's form; `retry_after` is a header."""
    wait = fields.pop("retry_after", None)
    headers = {} if wait is None else {"retry_after": str(wait)}
    return answer(json.dumps({"error": {"message": message, **fields}}), status=status, **headers)


RATE = error(429, "rpm exhausted", type="quota_exceeded_error", code="8")
QUOTA = error(429, "token plan entitlement exhausted", type="quota_exceeded_error", code="8")
