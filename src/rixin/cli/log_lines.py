"""The log's lines on their way to a stream: those of one turn of the event loop leave in one write."""

import asyncio
import atexit
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
import structlog

from rixin.clock import Clock

_encode = msgspec.json.Encoder(enc_hook=str).encode


def as_json(record: object) -> str:
    """A record as JSON, what is none as its text."""
    return _encode(record).decode()


class LogLines:
    """Writes lines to a stream.

    What is told while an event loop runs is written when the loop has done what it was about; what matters more than
    speed (`msg` and its likes, which structlog calls) is written at once, after what came before it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: deque[str] = deque()
        """One and the same all along: what a thread adds while another one writes stays in it."""
        self._writing = threading.Lock()
        atexit.register(self.flush)

    def add(self, line: str) -> None:
        """Takes a line that is written soon."""
        self._lines.append(line)
        if len(self._lines) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self.flush)
        except RuntimeError:
            self.flush()

    def msg(self, message: str) -> None:
        """Writes a line now."""
        self._lines.append(message)
        self.flush()

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg

    def flush(self) -> None:
        """Writes what has not been written."""
        with self._writing:
            lines: list[str] = []
            while self._lines:
                lines.append(self._lines.popleft())
            if lines:
                self._stream.write("\n".join([*lines, ""]))
                self._stream.flush()


def json_logger(level: int, lines: LogLines, clock: Clock) -> type[structlog.typing.FilteringBoundLogger]:
    """A logger whose records are JSON, and whose `info`, of which there is one for every request, is short.

    Args:
        level: Of the least that is told.
        lines: Where records go.
        clock: Time.
    """
    base: Any = structlog.make_filtering_bound_logger(level)

    class JsonLogger(base):
        """What is not overridden goes through structlog's processors, and comes to the same."""

        def info(self, event: str, *args: object, **fields: object) -> None:
            """Tells what is in order; as the processors would, in one step."""
            if args or self._context or "exc_info" in fields:
                base.info(self, event, *args, **fields)
                return
            fields["event"] = event
            fields["level"] = "info"
            fields["timestamp"] = datetime.fromtimestamp(clock.now(), UTC).isoformat().replace("+00:00", "Z")
            lines.add(as_json(fields))

    # Below the level structlog has one method for all, which does nothing.
    return base if base.info is base.debug else JsonLogger
