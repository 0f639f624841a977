"""What makes an answer ours."""

from rixin.clock import Clock
from rixin.dialects.base import Stamp


def make_stamp(request_id: str, clock: Clock) -> Stamp:
    """The stamp of the answer to a request; its ids are made from the request's."""
    plain, made = request_id.replace("-", ""), 0

    def new_id(prefix: str) -> str:
        nonlocal made
        made += 1
        return f"{prefix}{plain}" if made == 1 else f"{prefix}{plain}{made}"

    def now() -> int:
        return int(clock.now())

    return Stamp(request_id=request_id, created=now(), new_id=new_id, now=now)
