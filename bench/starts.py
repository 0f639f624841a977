"""How long this server takes to start, and its memory: at rest, and with a thousand streams."""

import compileall
import contextlib
import subprocess
import threading
import time
from pathlib import Path

import msgspec

from bench.asks import CHAT, Ask
from bench.build import HOME
from bench.measure import Loader
from bench.processes import memory_mb, tree
from bench.scenarios import SLOW
from bench.targets import RIXIN, SERVER_CORE, RixinServer, Target, provider_configuration

STREAMS = 1000
_STARTS = 3
_LOOK = 0.5
"""Seconds between two looks at the memory."""


class Starts(msgspec.Struct, frozen=True, kw_only=True):
    """Times to start, in seconds, and memory, in MB."""

    version_seconds: float
    first_start_seconds: float
    """With a fresh data directory."""
    start_seconds: float
    idle_memory_mb: float
    streams: int
    streams_memory_mb: float
    """The most while so many streams were open."""


def measure_starts(
    loader: Loader, upstream_port: int, folder: Path, *, streams: int = STREAMS, model: str = SLOW
) -> Starts:
    """Starts a server several times, and then opens streams; the quickest counts, what the program takes at least.

    Args:
        loader: Loads the server.
        upstream_port: Of the scripted upstream.
        folder: For the server.
        streams: How many are open at a time.
        model: Which paces them; they last as long as it takes to open all of them, or longer.
    """
    # As where it is installed, or was started before: some environments keep Python from writing down what it compiles.
    compileall.compile_dir(HOME.parent / "src", quiet=1)
    server = RixinServer(folder / "starts", provider_configuration(upstream_port))
    with server.run(SERVER_CORE) as (_, first):
        pass
    seconds: list[float] = []
    for _ in range(_STARTS - 1):
        with server.run(SERVER_CORE) as (_, took):
            seconds.append(took)
    with server.run(SERVER_CORE) as (process, took):
        target = server.target(process)
        idle = memory_mb(tree(process.pid))
        most = _memory_with(streams, loader, target, model)
    return Starts(
        version_seconds=_version_seconds(),
        first_start_seconds=first,
        start_seconds=min(*seconds, took),
        idle_memory_mb=idle,
        streams=streams,
        streams_memory_mb=most,
    )


def _memory_with(streams: int, loader: Loader, target: Target, model: str) -> float:
    """The most that a server takes while so many streams are open."""
    body = loader.folder / "streams.json"
    body.write_bytes(msgspec.json.encode(CHAT.body(Ask(model, stream=True))))
    most, over = 0.0, threading.Event()

    def look() -> None:
        nonlocal most
        while not over.wait(_LOOK):
            most = max(most, memory_mb(tree(target.process.pid)))

    looker = threading.Thread(target=look)
    looker.start()
    with contextlib.ExitStack() as stack:
        stack.callback(looker.join)
        stack.callback(over.set)
        load = loader.run(target, ["-b", str(body), "-c", str(streams), "-d", "2", "-s", "-S", "2000"])
    if load.errors or load.completed < streams:
        raise RuntimeError(f"{load.completed} of {streams} streams were whole: {load.first_error}")
    return most


def _version_seconds() -> float:
    seconds: list[float] = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([RIXIN, "--version"], check=True, capture_output=True)
        seconds.append(time.monotonic() - began)
    return min(seconds)
