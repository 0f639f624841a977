"""`python -m bench.cycles`: what answering a request leaves to Python's collector, since it knows itself in a circle.

What knows itself is not gone when the request is over, but when the collector comes by: until then hundreds of requests
stay in memory, bodies and all, and then everyone waits while the collector looks at them. So a request leaves nothing.
"""

import gc
import json
from collections import Counter
from collections.abc import Mapping

from bench.in_process import CASES, Case, Client, Connect, with_server

WARM_UP, REQUESTS = 30, 100


async def _left(client: Client, case: Case) -> Counter[str]:
    """How many objects of which type the collector finds after some requests."""
    for _ in range(WARM_UP):
        await client.ask(case)
    gc.collect()
    gc.disable()
    try:
        for _ in range(REQUESTS):
            await client.ask(case)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return Counter(type(found).__qualname__ for found in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def measure() -> dict[str, Mapping[str, float]]:
    """What one request of each case leaves: objects by type; once in a process."""
    left: dict[str, Mapping[str, float]] = {}

    async def work(connect: Connect) -> None:
        for name, case in CASES.items():
            found = await _left(connect(), case)
            left[name] = {kind: count / REQUESTS for kind, count in found.most_common()}

    with_server(work)
    return left


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
