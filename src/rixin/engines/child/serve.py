"""The program's life: read the configuration, load the model, serve until told to end."""

import asyncio
import faulthandler
import fcntl
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

import uvicorn
import uvloop

from rixin.clock import SystemClock
from rixin.engines.child.admission import Admission
from rixin.engines.child.answer import Answers
from rixin.engines.child.app import ChildApp
from rixin.engines.child.config import ChildConfig, read_config
from rixin.engines.child.llama import Llama, model_files
from rixin.engines.child.queue import Queue
from rixin.engines.child.read_ahead import read_ahead
from rixin.engines.child.status import Status, encode_status
from rixin.engines.gguf import read_header
from rixin.engines.process import Failed, Loading
from rixin.errors import RixinError

NICENESS = 2
"""The servers that wait for tokens go a little before what makes them, and everybody else not much."""

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_log = logging.getLogger(__name__)


def main() -> int:
    """Runs the program. Gives its exit code."""
    statuses = _own_stdout()
    try:
        config = read_config(_first_line())
        log = _start_log(config.log_level)
        _watch_life_line(config.socket)
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
    server = _Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
        )
    )
    loop = asyncio.get_running_loop()

    def end() -> None:
        if server.should_exit:
            app.expire()
        app.drain()
        server.should_exit = True
        loop.call_later(config.shutdown_grace, app.expire)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    listener = _listen(config.socket)
    try:
        tell(ready)
        _log.info("%s answers on %s", config.name, config.socket.name)
        await server.serve(sockets=[listener])
    finally:
        config.socket.unlink(missing_ok=True)
        llama.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which end the process by the signal once more when all is done."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves the signals to `_serve`."""
        yield


def _own_stdout() -> Callable[[Status], None]:
    """Keeps stdout for statuses: what else writes there, the library too, comes out on stderr."""
    pipe: BinaryIO = os.fdopen(os.dup(_STDOUT), "wb", buffering=0)
    os.dup2(_STDERR, _STDOUT)
    return lambda status: _write(pipe, encode_status(status))


def _write(pipe: BinaryIO, data: bytes) -> None:
    try:
        pipe.write(data)
    except BrokenPipeError:
        _log.warning("nobody reads the status any more")


def _first_line() -> bytes:
    """The first line of stdin, and not a byte more."""
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(_STDIN, 1)):
        line += byte
    return bytes(line)


def _start_log(level: str) -> TextIO:
    stream = os.fdopen(os.dup(_STDERR), "w", buffering=1)
    logging.basicConfig(stream=stream, level=level.upper(), format="%(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    faulthandler.enable(stream)
    return stream


def _silence_library(log: TextIO) -> None:
    """Sends what the library still prints nowhere: it quotes from requests when it complains about them."""
    log.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (_STDOUT, _STDERR):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _watch_life_line(path: Path) -> None:
    """Ends the process at once when stdin ends, because then the parent has died."""

    def watch() -> None:
        while os.read(_STDIN, 4096):
            pass
        path.unlink(missing_ok=True)
        os._exit(0)

    threading.Thread(target=watch, name="life line", daemon=True).start()


@contextmanager
def _killed_while_deaf() -> Generator[None, None, None]:
    """Lets the kernel end the process when stdin ends, or by SIGTERM, while loading keeps the interpreter's lock.

    No thread and no handler of ours runs then. SIGIO ends a process unless it is handled; systems that ignore it
    instead end this one when loading is done.
    """
    flags = fcntl.fcntl(_STDIN, fcntl.F_GETFL)
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        fcntl.fcntl(_STDIN, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(_STDIN, fcntl.F_SETFL, flags | os.O_ASYNC)
    try:
        yield
    finally:
        fcntl.fcntl(_STDIN, fcntl.F_SETFL, flags)
        signal.signal(signal.SIGTERM, handler)


def _listen(path: Path) -> socket.socket:
    """A socket that only this user reaches, in place of whatever a process that died left there."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(1024)
    listener.setblocking(False)
    return listener
