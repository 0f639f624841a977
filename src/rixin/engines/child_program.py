"""What all engine children do alike: statuses on stdout, a configuration and a life line on stdin, a socket."""

import faulthandler
import logging
import math
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TextIO

from rixin.engines.child.status import Status, encode_status
from rixin.server.asgi import Asgi
from rixin.server.asgi_app import serving
from rixin.server.limits import Limits
from rixin.server.server import Server

NICENESS = 2
"""The servers that wait for tokens go a little before what makes them, and everybody else not much."""

STDIN, STDOUT, STDERR = 0, 1, 2
_log = logging.getLogger(__name__)


def child_server(app: Asgi) -> Server:
    """The HTTP server of an engine child: whoever asks decides how long it waits, and for whom."""
    return Server(serving(app), limits=Limits(silence=math.inf, stuck=math.inf))


def own_stdout() -> Callable[[Status], None]:
    """Keeps stdout for statuses: what else writes there, the library too, comes out on stderr."""
    pipe: BinaryIO = os.fdopen(os.dup(STDOUT), "wb", buffering=0)
    os.dup2(STDERR, STDOUT)
    return lambda status: _write(pipe, encode_status(status))


def _write(pipe: BinaryIO, data: bytes) -> None:
    try:
        pipe.write(data)
    except BrokenPipeError:
        _log.warning("nobody reads the status any more")


def first_line() -> bytes:
    """The first line of stdin, and not a byte more."""
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(STDIN, 1)):
        line += byte
    return bytes(line)


def start_log(level: str) -> TextIO:
    """Begins to log to stderr, at a level of the settings. Gives the stream."""
    stream = os.fdopen(os.dup(STDERR), "w", buffering=1)
    logging.basicConfig(stream=stream, level=level.upper(), format="%(levelname)s %(message)s")
    faulthandler.enable(stream)
    return stream


def watch_life_line(path: Path) -> None:
    """Ends the process at once when stdin ends, because then the parent has died."""

    def watch() -> None:
        while os.read(STDIN, 4096):
            pass
        path.unlink(missing_ok=True)
        os._exit(0)

    threading.Thread(target=watch, name="life line", daemon=True).start()


def listen(path: Path) -> socket.socket:
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
