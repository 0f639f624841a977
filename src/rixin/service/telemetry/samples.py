"""What is true of a worker, and of its server, at this moment."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Final

from rixin import __version__
from rixin.engines.base import Load
from rixin.engines.control import ModelStatus
from rixin.routing.breaker import State
from rixin.routing.gate import Gate
from rixin.service.store_watch import StoreWatch
from rixin.service.telemetry.metrics import Sample
from rixin.settings import LOCAL

PATIENCE: Final = 2.0
"""Seconds that anybody who is asked may take."""
_STATES: Final = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


def of_upstreams(gates: Iterable[Gate]) -> Iterator[Sample]:
    """How this worker sees upstreams. Engines of our own have neither keys nor breakers, and their own line."""
    for gate in gates:
        if gate.name.startswith(f"{LOCAL}/"):
            continue
        now = gate.now()
        yield Sample("rixin_upstream_requests_waiting", gate.waiting, (gate.name,))
        for model, breaker in gate.breakers.items():
            resting = sum(key.free_at(model, now) > now for key in gate.pool.keys)
            yield Sample("rixin_upstream_breaker_state", _STATES[breaker.state(now)], (gate.name, model))
            yield Sample("rixin_upstream_keys_resting", resting, (gate.name, model))


async def of_server(
    models: Mapping[str, ModelStatus],
    load_of: Callable[[str], Awaitable[Load | None]],
    stores: StoreWatch,
) -> list[Sample]:
    """What no worker needs to be asked for.

    Args:
        models: The local models, as the supervisor tells of them.
        load_of: How busy one of them is; None where it is not there.
        stores: Those of the server.
    """
    samples = [Sample("rixin_build_info", 1, (__version__,))]
    engines = [_of_engine(status, load_of) for status in models.values()]
    for found in await asyncio.gather(_of_stores(stores), *engines):
        samples += found
    return samples


async def _of_engine(status: ModelStatus, load_of: Callable[[str], Awaitable[Load | None]]) -> list[Sample]:
    name = (status.model,)
    samples = [Sample("rixin_engine_state", 1, (status.model, status.state))]
    if status.memory is not None:
        samples.append(Sample("rixin_engine_memory_bytes", status.memory, name))
    load = None
    try:
        async with asyncio.timeout(PATIENCE):
            load = await load_of(status.model)
    except TimeoutError:
        pass  # it is too busy to say so
    if load is not None and load.slots:
        samples += [
            Sample("rixin_engine_slots", load.slots, name),
            Sample("rixin_engine_slots_busy", load.running, name),
            Sample("rixin_engine_requests_waiting", load.waiting, name),
        ]
    return samples


async def _of_stores(stores: StoreWatch) -> list[Sample]:
    samples: list[Sample] = []
    for name, seconds in (await stores.look()).items():
        samples.append(Sample("rixin_store_up", int(seconds is not None), (name,)))
        if seconds is not None:
            samples.append(Sample("rixin_store_response_seconds", seconds, (name,)))
    return samples
