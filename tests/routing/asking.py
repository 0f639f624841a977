"""Small requests, and an upstream that refuses their fields, which the tests of healing share."""

from typing import Any

from tests.profiles.strict_upstream import Rules
from tests.upstreams.strict import StrictUpstream

HI = {"role": "user", "content": "Hi"}
OBJECT = {"type": "json_object"}


def asked(model: str = "m", **fields: Any) -> dict[str, Any]:
    """A small request."""
    return {"model": model, "messages": [HI], **fields}


def opaque(*refused: str) -> StrictUpstream:
    """An upstream that refuses some fields of the model `m`, and does not say so."""
    return StrictUpstream({"m": Rules(refused=frozenset(refused))})
