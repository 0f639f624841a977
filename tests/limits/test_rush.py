"""Many processes that want what is left of a limit, on each store that they can share."""

import asyncio
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from rixin.clock import SystemClock
from rixin.limits.base import Limit
from rixin.limits.shared import SharedLimiter
from tests.limits import rusher
from tests.limits.conftest import SHARED
from tests.support.databases import new_place, url_of

ROOT = Path(__file__).parents[2]
PROCESSES = 4
REQUESTS = 500
"""Of each process, at the same time."""


class Process:
    """One that takes part."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "tests.limits.rusher", url]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, amount: int, requests: int) -> None:
        """Has it begin to ask for calls."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{amount} {requests}\n")
        self._process.stdin.flush()

    def ready(self) -> None:
        """Waits until it can begin."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def hear(self) -> tuple[int, int]:
        """How many calls it got, and how many more it had leased by then."""
        assert self._process.stdout is not None
        admitted, leased = self._process.stdout.readline().split()
        return int(admitted), int(leased)

    def kill(self) -> None:
        """Ends it by SIGKILL."""
        with self._process:
            self._process.kill()


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store of each kind in turn, in which nobody has counted yet."""
    if request.param == "redis":
        redis = request.getfixturevalue("redis")
        redis.forget()
        yield redis.url
    else:
        with new_place(request.param, tmp_path) as place:
            yield url_of(place)


@contextmanager
def processes(url: str) -> Generator[list[Process]]:
    """All that take part, ready, and each known to the others."""
    with ExitStack() as stack:
        running = [Process(url) for _ in range(PROCESSES)]
        for process in running:
            stack.callback(process.kill)
        for process in running:
            process.ready()
        yield running


async def spend(url: str, amount: int, calls: int) -> None:
    """Uses up some calls of the limit, and ends well."""
    limiter = SharedLimiter(rusher.open_store(url), SystemClock())
    assert await rusher.take(limiter, Limit("key:1", "requests", amount, 18000), calls) == calls
    await limiter.aclose()


def test_one_call_left_and_four_processes_who_want_it(url: str) -> None:
    """Of 500 requests in each of four processes at the same time exactly one gets the last call."""
    amount = 1500
    asyncio.run(spend(url, amount, amount - 1))
    with processes(url) as running:
        for process in running:
            process.tell(amount, REQUESTS)
        assert sum(process.hear()[0] for process in running) == 1


def test_all_processes_together_get_the_amount_and_no_more(url: str) -> None:
    """Whatever each of them has leased, what one does not need is there for the others.

    Where the machine is busy that may be after they have been refused, so they ask again.
    """
    amount, admitted = 1500, 0
    with processes(url) as running:
        while admitted < amount:
            for process in running:
                process.tell(amount, REQUESTS)
            admitted += sum(process.hear()[0] for process in running)
        assert admitted == amount


def test_a_process_that_is_killed_while_it_holds_a_lease_gives_nobody_too_much(url: str) -> None:
    """What it had leased is spent, whether used or not: all others together get exactly the rest."""
    amount = 1600
    with processes(url) as running:
        victim, *others = running
        victim.tell(amount, 1)
        admitted, leased = victim.hear()
        assert leased
        victim.kill()
        for process in others:
            process.tell(amount, 2 * REQUESTS)
        assert admitted + leased + sum(process.hear()[0] for process in others) == amount
