"""Weights on their way here, while requests ask for them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec import Struct

from rixin.engines.background_pull import BackgroundPull, PullProgress
from rixin.errors import Kind, RixinError
from tests.support.hang import HANG

FILE = Path("weights.gguf")


class Progress(Struct, frozen=True):
    """How far it has come."""

    done: int
    total: int


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.instant = 1000.0

    def now(self) -> float:
        """The instant it was set to."""
        return self.instant

    def monotonic(self) -> float:
        """The instant it was set to."""
        return self.instant


class Source:
    """Gives a file when the test says so, to a pull whose news it keeps."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.tries = 0
        self.changes = 0
        self.lines: list[str] = []
        self.begun = asyncio.Event()
        self.outcome: asyncio.Future[Path] = asyncio.get_running_loop().create_future()
        self.on_progress: Callable[[PullProgress], None] = lambda _: None
        self.pull = BackgroundPull(
            "local", self.fetch, clock=self.clock, log=self.lines.append, on_change=self.count_change
        )

    def count_change(self) -> None:
        """Counts the news."""
        self.changes += 1

    async def fetch(self, on_progress: Callable[[PullProgress], None]) -> Path:
        """Waits for the outcome."""
        self.tries += 1
        self.on_progress = on_progress
        self.begun.set()
        return await asyncio.shield(self.outcome)


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    """A source, whose pull is over after the test."""
    source = Source()
    yield source
    await source.pull.aclose()


async def test_file_that_is_here_is_given_at_once(source: Source) -> None:
    """A request that begins the pull gets a file that needs no download."""
    source.outcome.set_result(FILE)
    assert await source.pull.require() == FILE
    assert await source.pull.require() == FILE
    assert source.tries == 1
    assert not source.pull.running


async def test_requests_during_a_download_hear_its_progress(source: Source) -> None:
    """STARTING names the share, and the seconds that the rest takes at the speed so far."""
    waiting = asyncio.create_task(source.pull.wait())
    await source.begun.wait()
    source.clock.instant += 10.0
    source.on_progress(Progress(25, 100))
    with pytest.raises(RixinError, match=r"`local` is being downloaded \(25%\)") as caught:
        await source.pull.require()
    assert (caught.value.kind, caught.value.retry_after) == (Kind.STARTING, 30.0)
    source.outcome.set_result(FILE)
    assert await waiting == FILE
    assert source.tries == 1


async def test_long_rest_is_asked_for_within_a_minute(source: Source) -> None:
    """The seconds to wait are never more than a minute and never nothing."""
    waiting = asyncio.create_task(source.pull.wait())
    await source.begun.wait()
    source.clock.instant += 100.0
    source.on_progress(Progress(1, 100))
    assert source.pull.retry_after == 60.0
    source.on_progress(Progress(100, 100))
    assert source.pull.retry_after == 1.0
    waiting.cancel()


async def test_failure_is_told_until_the_next_try_comes_further(source: Source) -> None:
    """A failed try is OVERLOADED with its reason as detail; the log says when the next one comes."""
    source.outcome.set_exception(RixinError(Kind.UPSTREAM_UNREACHABLE, "no network"))
    with pytest.raises(RixinError, match="cannot be fetched") as caught:
        await source.pull.require()
    error = caught.value
    assert (error.kind, error.detail) == (Kind.OVERLOADED, "no network")
    assert error.retry_after
    assert error.retry_after >= 1.0
    assert [line.split(";")[0] for line in source.lines] == ["no network"]
    source.on_progress(Progress(1, 100))
    assert source.pull.error is None
    assert source.pull.running


async def test_cancelled_request_leaves_the_pull_running(source: Source) -> None:
    """A client that goes away does not stop the download for the others."""
    request = asyncio.create_task(source.pull.wait())
    await source.begun.wait()
    request.cancel()
    await asyncio.wait({request})
    assert source.pull.running
    source.outcome.set_result(FILE)
    assert await asyncio.wait_for(source.pull.wait(), HANG) == FILE
