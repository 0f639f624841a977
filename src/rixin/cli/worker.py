"""A web worker: one process that serves the address, started by the supervisor as `python -m rixin.cli.worker`."""

import asyncio
import contextlib
import gc
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from types import FrameType

import msgspec
import uvicorn
from msgspec import Struct

from rixin.cli import logs, worker_config
from rixin.cli.compose import compose
from rixin.cli.welcome import make_first_key, make_setup_token
from rixin.cli.worker_config import WorkerConfig, WorkerReady
from rixin.clock import SystemClock
from rixin.engines.process import Failed
from rixin.errors import RixinError
from rixin.web.app import App

if sys.platform != "win32":
    import uvloop

_KEEP_ALIVE = 75
"""Seconds that an idle connection stays open: longer than common proxies keep theirs."""
_AFTER_DRAIN = 5
"""Seconds for the last bytes to go out once every request has been ended."""


class Server(uvicorn.Server):
    """uvicorn without signal handlers of its own; tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves the signals to the worker."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen."""
        await super().startup(sockets)
        self.listening.set()


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
        server = Server(
            uvicorn.Config(
                worker.app,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=math.ceil(settings.server.shutdown_grace) + _AFTER_DRAIN,
            )
        )
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            _on_signal(loop, number, stopping.set)
        if sys.platform != "win32":
            _on_signal(loop, signal.SIGHUP, worker.read_configuration)
        serving = asyncio.create_task(server.serve([socket.socket(fileno=number) for number in config.listeners]))
        draining = asyncio.create_task(_drain(stopping, server, worker.app, settings.server.shutdown_grace))
        listening = asyncio.create_task(server.listening.wait())
        await asyncio.wait({listening, serving}, return_when=asyncio.FIRST_COMPLETED)
        if server.listening.is_set():
            # What was made so far lives as long as the process: the collector need not look at it again.
            gc.collect()
            gc.freeze()
            providers = tuple((entry.name, entry.provider.base_url) for entry in worker.providers.served)
            tell(WorkerReady(first_key=key, setup_token=token, providers=providers))
        await serving
        listening.cancel()
        draining.cancel()


def _on_signal(loop: asyncio.AbstractEventLoop, number: int, action: Callable[[], None]) -> None:
    def heard(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(action)

    signal.signal(number, heard)


async def _drain(stopping: asyncio.Event, server: Server, app: App, grace: float) -> None:
    await stopping.wait()
    server.should_exit = True
    await app.drain(grace)


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
