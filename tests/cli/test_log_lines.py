"""Lines of the log leave in order, together where they come together, and look as structlog's own."""

import asyncio
import io
import json
import logging
from collections.abc import Callable
from typing import TypeAlias

import pytest
import structlog

from rixin.cli.log_lines import LogLines, json_logger
from rixin.clock import SystemClock

Logger: TypeAlias = structlog.typing.FilteringBoundLogger


class Stream(io.StringIO):
    """Counts what is written to it."""

    writes = 0

    def write(self, text: str) -> int:
        """Takes text."""
        self.writes += 1
        return super().write(text)

    @property
    def records(self) -> list[dict[str, object]]:
        """The records that were written."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


def as_text(value: object, **_: object) -> str:
    """JSON, with whatever is none as its text."""
    return json.dumps(value, default=str)


PROCESSORS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.JSONRenderer(serializer=as_text),
]


def logger(stream: Stream, level: int = logging.INFO, *, short: bool = True) -> Logger:
    """A logger to a stream, as the server configures it; or as it would be without the short way."""
    lines = LogLines(stream)
    kind = json_logger(level, lines, SystemClock()) if short else structlog.make_filtering_bound_logger(level)
    return structlog.wrap_logger(lines, PROCESSORS, kind)


async def test_one_write_for_those_that_come_together() -> None:
    """Records of one turn of the loop are written together, after it."""
    stream = Stream()
    log = logger(stream)
    for number in range(5):
        log.info("request", number=number)
    assert stream.writes == 0
    await asyncio.sleep(0)
    assert stream.writes == 1
    assert [record["number"] for record in stream.records] == [0, 1, 2, 3, 4]


async def test_a_warning_waits_for_nobody() -> None:
    """What matters is written at once, and behind what came before it."""
    stream = Stream()
    log = logger(stream)
    log.info("first")
    log.warning("second")
    assert [record["event"] for record in stream.records] == ["first", "second"]


async def test_threads_lose_nothing() -> None:
    """What threads tell beside the loop is written too, each line whole."""
    stream = Stream()
    log = logger(stream)

    def tell(worker: int) -> None:
        for number in range(200):
            log.info("work", worker=worker, number=number)

    telling = [asyncio.create_task(asyncio.to_thread(tell, worker)) for worker in range(4)]
    for number in range(200):
        log.info("work", worker=4, number=number)
        await asyncio.sleep(0)
    await asyncio.gather(*telling)
    await asyncio.sleep(0)
    told = sorted((record["worker"], record["number"]) for record in stream.records)
    assert told == [(worker, number) for worker in range(5) for number in range(200)]


def test_without_a_loop() -> None:
    """Where no loop runs each record is written at once."""
    stream = Stream()
    log = logger(stream)
    log.info("first")
    log.info("second")
    assert [record["event"] for record in stream.records] == ["first", "second"]


RECORDS: list[Callable[[Logger], object]] = [
    lambda log: log.info("request", id="Grüße", ms=1.5, status=200, stream=False, path="/v1"),
    lambda log: log.info("request %s", "formatted"),
    lambda log: log.bind(worker=1).info("bound"),
    lambda log: log.info("odd", value=int),
]


@pytest.mark.parametrize("tell", RECORDS)
def test_the_short_way_tells_the_same(tell: Callable[[Logger], object]) -> None:
    """A record of `info` has the fields that structlog's processors give one."""
    streams = Stream(), Stream()
    for stream, short in zip(streams, (True, False), strict=True):
        tell(logger(stream, short=short))
    [record], [expected] = (stream.records for stream in streams)
    assert len(str(record.pop("timestamp"))) == len(str(expected.pop("timestamp")))
    assert record == expected


@pytest.mark.parametrize(("level", "told"), [(logging.DEBUG, 3), (logging.INFO, 2), (logging.WARNING, 1)])
def test_the_level_counts(level: int, told: int) -> None:
    """What lies below the level is not told."""
    stream = Stream()
    log = logger(stream, level)
    log.debug("a")
    log.info("b")
    log.warning("c")
    assert len(stream.records) == told
