"""The header `server-timing` (https://www.w3.org/TR/server-timing/): where the time before an answer's begin went."""

from typing import Final

from rixin.core.observer import QUEUE
from rixin.engines.trace import UPSTREAM, Trace

HEADER: Final = b"server-timing"


def server_timing(trace: Trace, queued: float) -> bytes:
    """The header's value. Durations are milliseconds.

    `body`, `queue`, `retrieval`, `media` and `moderation` are what the request waited for, `upstream` all of its calls.
    `rixin` is what is left, our own time, and `total` the sum. `ttfb` is of the last call: from its begin, connecting
    included, to the head of its answer.

    Args:
        trace: Of a request whose answer begins now.
        queued: Seconds that it waited for its turn within the engine that answers.
    """
    times, total = trace.times(), trace.elapsed()
    ours = max(0.0, total - sum(times.values()))
    if queued and UPSTREAM in times:
        times[QUEUE] = times.get(QUEUE, 0.0) + queued * 1000
        times[UPSTREAM] = max(0.0, times[UPSTREAM] - queued * 1000)
    if trace.attempts and (answered := trace.attempts[-1].answered) is not None:
        times["ttfb"] = answered - trace.attempts[-1].began
    times |= {"rixin": ours, "total": total}
    return ", ".join(f"{name};dur={duration:.2f}" for name, duration in times.items()).encode()
