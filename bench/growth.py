"""What a request costs when there is more: stored keys, and processes that share exact limits."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
from sqlalchemy import insert

from bench.measure import Loader, Measurement, median
from bench.scenarios import LIMITED, SCENARIOS
from bench.targets import ALL_CORES, LIMITS, SERVER_CORE, RixinServer, Target, in_turns, provider_configuration
from rixin.store.database import FILE_NAME, Database
from rixin.store.schema import keys

CONNECTIONS, KEYS, PROCESSES = "connections", "stored keys", "processes with shared limits"
"""What there is more of."""
FEW_KEYS, MANY_KEYS = 10, 100_000
_PORTION = 10_000
_BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """The same load twice, in turns."""

    what: str
    few: str
    many: str
    measurements: list[Measurement]
    """Of targets that are called so."""

    def cpu_us(self, target: str) -> float:
        """The processor time of a request, the median of the rounds."""
        return median([each.cpu_us for each in self.measurements if each.target == target])

    @property
    def ratio(self) -> float:
        """How many times as much it takes where there is more."""
        return self.cpu_us(self.many) / self.cpu_us(self.few)


def with_connections(measurements: list[Measurement], target: str) -> Growth | None:
    """From 1 connection to 1,000, out of what has been measured anyway; None where it has not."""
    few, many = (
        [each for each in measurements if (each.scenario, each.target) == (name, target)]
        for name in ("whole-1", "whole-1000")
    )
    if not few or not many:
        return None
    named = [msgspec.structs.replace(each, target="1") for each in few]
    named += [msgspec.structs.replace(each, target="1,000") for each in many]
    return Growth(what=CONNECTIONS, few="1", many="1,000", measurements=named)


def with_keys(
    loader: Loader, port: int, folder: Path, rounds: int, tell: Callable[[str], None], *, many: int = MANY_KEYS
) -> Growth:
    """From 10 stored keys to `many`, one server each, at 16 connections."""
    with contextlib.ExitStack() as stack:
        targets: list[Target] = []
        for count in (FEW_KEYS, many):
            server = RixinServer(folder / f"keys-{count}", provider_configuration(port))
            process, _ = stack.enter_context(server.run(SERVER_CORE))
            targets.append(server.target(process, f"{count:,}"))
            asyncio.run(add_keys(server.data_dir / FILE_NAME, count - 1))
        return _compare(KEYS, targets, "whole-16", loader, rounds, tell)


def with_processes(loader: Loader, port: int, folder: Path, rounds: int, tell: Callable[[str], None]) -> Growth:
    """From one process to two, which share the windows of two rates and a quota; both on all cores, 64 connections."""
    with contextlib.ExitStack() as stack:
        targets: list[Target] = []
        for workers in (1, 2):
            configuration = provider_configuration(port) + LIMITS
            server = RixinServer(folder / f"workers-{workers}", configuration, workers=workers)
            process, _ = stack.enter_context(server.run(ALL_CORES))
            targets.append(server.target(process, str(workers)))
        return _compare(PROCESSES, targets, "whole-64", loader, rounds, tell, model=LIMITED)


def _compare(
    what: str,
    targets: list[Target],
    name: str,
    loader: Loader,
    rounds: int,
    tell: Callable[[str], None],
    model: str = "mock",
) -> Growth:
    scenario = replace(_BY_NAME[name], name=what.replace(" ", "-"), model=model)
    for target in targets:
        loader.warm(target, scenario)
    measurements: list[Measurement] = []
    for number in range(rounds):
        for target in in_turns(targets, number):
            measured = loader.measure(target, scenario, number)
            measurements.append(measured)
            tell(f"round {number + 1}, {target.name} {what}: {measured.cpu_us:.0f} us a request")
    few, many = targets
    return Growth(what=what, few=few.name, many=many.name, measurements=measurements)


async def add_keys(file: Path, count: int) -> None:
    """Stores keys that nobody has the secret of."""
    database = Database(file)
    try:
        for first in range(0, count, _PORTION):
            rows = [_row(number) for number in range(first, min(first + _PORTION, count))]
            async with database.begin() as connection:
                await connection.execute(insert(keys), rows)
    finally:
        await database.aclose()


def _row(number: int) -> dict[str, object]:
    return {
        "id": f"key_{number:032x}",
        "name": f"key {number}",
        "digest": number.to_bytes(32, "big"),
        "prefix": "sk-rx-0000",
        "scopes": ["inference"],
        "models": [],
        "created_at": 1_790_000_000.0,
    }
