"""A web worker: one process that serves the address, started by the supervisor as `python -m rixin.cli.worker`."""

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import msgspec
from msgspec import Struct

from rixin.cli import logs, worker_config
from rixin.cli.compose import compose
from rixin.cli.welcome import make_first_key, make_setup_token
from rixin.cli.worker_config import WorkerConfig, WorkerReady
from rixin.clock import SystemClock
from rixin.engines.process import Failed
from rixin.errors import RixinError
from rixin.server.limits import Limits
from rixin.server.server import Server
from rixin.settings import Server as ServerSettings
from rixin.web.app import App

if sys.platform != "win32":
    import uvloop

_AFTER_DRAIN = 5
"""Seconds for the last bytes to go out once every request has been ended."""
_COLLECTED_AFTER = 20_000
"""Objects after whose making the collector looks for cycles: requests leave few, and looking costs them a fifth."""
_LONGER = 30
"""Seconds by which the server waits longer for a body than those who answer, so that these can say what is late."""


def main() -> None:
    """Reads the configuration from the first line of the standard input, and serves until SIGTERM or its end."""
    config = worker_config.decode(sys.stdin.buffer.readline())
    logs.configure(config.settings.server.log_level, config.log_format)
    threading.Thread(target=_watch_parent, daemon=True).start()
    # What a library prints by mistake must not be read as a status.
    status = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)

    def tell(line: Struct) -> None:
        status.write(msgspec.json.encode(line) + b"\n")

    try:
        with asyncio.Runner(loop_factory=_new_event_loop) as runner:
            runner.run(_serve(config, tell))
    except RixinError as error:
        tell(Failed(error.message))
        sys.exit(1)


async def _serve(config: WorkerConfig, tell: Callable[[Struct], None]) -> None:
    settings = config.settings
    config_file = None if config.config_file is None else Path(config.config_file)
    async with compose(settings, Path(config.control_socket), SystemClock(), config_file, index=config.index) as worker:
        key = await make_first_key(worker, settings, shown=config.show_first_key) if config.first else None
        token = await make_setup_token(worker, settings, shown=config.show_first_key) if config.first else None
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            _on_signal(loop, number, stopping.set)
        if sys.platform != "win32":
            _on_signal(loop, signal.SIGHUP, worker.read_configuration)
        server = http_server(worker.app, settings.server)
        await server.start([socket.socket(fileno=number) for number in config.listeners])
        # What was made so far lives as long as the process: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECTED_AFTER, 10, 10)
        providers = tuple((entry.name, entry.provider.base_url) for entry in worker.providers.served)
        tell(WorkerReady(first_key=key, setup_token=token, providers=providers))
        await stopping.wait()
        await server.drain()
        await worker.app.drain(settings.server.shutdown_grace)
        await server.aclose(_AFTER_DRAIN)


def http_server(app: App, settings: ServerSettings) -> Server:
    """The server of an application, with the limits that the settings give it."""
    limits = Limits(silence=settings.body_timeout + _LONGER, stuck=settings.write_timeout)
    return Server(app.serve, refuse=app.refuse, limits=limits)


def _on_signal(loop: asyncio.AbstractEventLoop, number: int, action: Callable[[], None]) -> None:
    def heard(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(action)

    signal.signal(number, heard)


def _watch_parent() -> None:
    """Ends this process when the supervisor, which holds the other end of the standard input, is no more."""
    # Unbuffered: a thread that sits in a buffered read of stdin aborts the interpreter when that ends.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _new_event_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


if __name__ == "__main__":
    main()
