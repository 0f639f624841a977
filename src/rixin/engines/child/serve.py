"""The program's life: read the configuration, load the model, serve until told to end."""

import asyncio
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO

import uvloop

from rixin.clock import SystemClock
from rixin.engines.child.admission import Admission
from rixin.engines.child.answer import Answers
from rixin.engines.child.app import ChildApp
from rixin.engines.child.config import ChildConfig, read_config
from rixin.engines.child.llama import Llama, model_files
from rixin.engines.child.queue import Queue
from rixin.engines.child.read_ahead import read_ahead
from rixin.engines.child.status import Status
from rixin.engines.child_program import (
    NICENESS,
    STDERR,
    STDIN,
    STDOUT,
    child_server,
    first_line,
    listen,
    own_stdout,
    start_log,
    watch_life_line,
)
from rixin.engines.gguf import read_header
from rixin.engines.process import Failed, Loading
from rixin.errors import RixinError

_log = logging.getLogger(__name__)


def main() -> int:
    """Runs the program. Gives its exit code."""
    statuses = own_stdout()
    try:
        config = read_config(first_line())
        log = start_log(config.log_level)
        watch_life_line(config.socket)
        os.nice(NICENESS)
        statuses(Loading())
        headers = [read_header(path) for path in model_files(config)]
        read_ahead(model_files(config), lambda part: statuses(Loading(part)))
        statuses(Loading())
        with _killed_while_deaf():
            llama = Llama(config, headers[0])
    except RixinError as error:
        statuses(Failed(error.message))
        return 1
    _silence_library(log)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config, llama, statuses))
    return 0


async def _serve(config: ChildConfig, llama: Llama, tell: Callable[[Status], None]) -> None:
    ready, clock = llama.ready, SystemClock()
    answers = Answers(llama, await llama.traits(), native_calls=config.tool_format == "native")
    queue = Queue(Admission(ready.slots, ready.pool, config.queue), config.queue_deadline, clock)
    app = ChildApp(config.name, ready, answers, queue, clock)
    server = child_server(app)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        if stopping.is_set():
            app.expire()
        app.drain()
        stopping.set()
        loop.call_later(config.shutdown_grace, app.expire)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    listener = listen(config.socket)
    try:
        await server.start([listener])
        tell(ready)
        _log.info("%s answers on %s", config.name, config.socket.name)
        await stopping.wait()
        await server.aclose()
    finally:
        config.socket.unlink(missing_ok=True)
        llama.close()


def _silence_library(log: TextIO) -> None:
    """Sends what the library still prints nowhere: it quotes from requests when it complains about them."""
    log.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (STDOUT, STDERR):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


@contextmanager
def _killed_while_deaf() -> Generator[None, None, None]:
    """Lets the kernel end the process when stdin ends, or by SIGTERM, while loading keeps the interpreter's lock.

    No thread and no handler of ours runs then. SIGIO ends a process unless it is handled; systems that ignore it
    instead end this one when loading is done.
    """
    flags = fcntl.fcntl(STDIN, fcntl.F_GETFL)
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        fcntl.fcntl(STDIN, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(STDIN, fcntl.F_SETFL, flags | os.O_ASYNC)
    try:
        yield
    finally:
        fcntl.fcntl(STDIN, fcntl.F_SETFL, flags)
        signal.signal(signal.SIGTERM, handler)
