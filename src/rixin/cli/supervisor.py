"""The process behind `rixin serve`: it owns the address, the workers and the local models, and serves none itself.

It imports nothing of web, service or store, so that it stays small and outlives whatever breaks in a worker.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from rixin.cli import worker_config
from rixin.cli.address import reachable_url, recorded_address
from rixin.cli.data_lock import data_lock
from rixin.cli.listeners import Listeners
from rixin.cli.worker_config import WorkerConfig, WorkerReady
from rixin.clock import Clock
from rixin.engines.background_pull import Pull
from rixin.engines.control import ControlServer, ModelChanged, ModelStatus, Notice
from rixin.engines.fleet import Fleet, Log
from rixin.engines.launcher import Launcher
from rixin.engines.process import ChildProcess, Failed, Loading, Restart, State
from rixin.engines.process_pipes import Program
from rixin.engines.runtime_dir import make_runtime_dir, remove_runtime_dir, runtime_dir
from rixin.errors import Kind, RixinError
from rixin.settings import Settings

WORKER = (sys.executable, "-m", "rixin.cli.worker")
START_DEADLINE = 120.0
"""Seconds for a worker to prepare the store and listen."""
AFTER_GRACE = 10.0
"""Seconds beyond the grace, in which a worker ends by itself the requests that are still open."""


class ServerReady(Struct, frozen=True, kw_only=True):
    """What `rixin serve` may show once the server answers."""

    url: str
    """An address under which this machine reaches it."""
    port: int
    pid: int
    first_key: str | None
    """The key of a new server, where it is to be shown."""
    setup_token: str | None = None
    """What the first owner proves themselves with, where it is to be shown."""
    providers: tuple[tuple[str, str], ...] = ()
    """Name and address of each provider that is served."""


def control_socket(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where the server of these settings answers programs of this machine about its local models."""
    return _runtime_dir(settings, environ) / "control.sock"


class Supervisor:
    """One server, from its start to its end.

    Args:
        settings: Of the server.
        pull: Fetches the weights of a known model.
        launcher: How an engine is started.
        clock: The time.
        log: Takes a line and who says it: an engine's log, and what happens to children.
        log_format: How workers write their records, which go to our stderr.
        show_first_key: Whether `on_ready` may be told the key of a new server; it goes to a file otherwise.
        on_ready: Called when the first worker answers.
        on_model: Told the state of a local model whenever that has changed.
        config_file: Where the settings come from, for workers to look at; None where the providers stay as they are.
        worker: The command line of a worker.
        restart: When a worker that ended by itself is started again.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        pull: Pull,
        launcher: Launcher,
        clock: Clock,
        log: Log,
        log_format: Literal["text", "json"] = "json",
        show_first_key: bool = False,
        on_ready: Callable[[ServerReady], None] = lambda _: None,
        on_model: Callable[[ModelStatus], None] = lambda _: None,
        config_file: Path | None = None,
        worker: tuple[str, ...] = WORKER,
        restart: Restart | None = None,
    ) -> None:
        self._settings = settings
        self._pull = pull
        self._launcher = launcher
        self._clock = clock
        self._log = log
        self._log_format: Literal["text", "json"] = log_format
        self._show_first_key = show_first_key
        self._on_ready = on_ready
        self._on_model = on_model
        self._config_file = config_file
        self._command = worker
        self._restart = restart
        self._workers: list[ChildProcess[WorkerReady]] = []
        self._serving = False
        self._kill_engines: Callable[[], None] = lambda: None
        self._signals: list[signal.Signals] = []
        self._stopping = asyncio.Event()

    async def run(self) -> int:
        """Serves until SIGTERM or SIGINT, and gives the exit code.

        The first signal lets running requests finish for `shutdown_grace`; a second one ends everything at once. SIGHUP
        has the workers read the configuration file at once, unless it says that the terminal is gone: that is an end
        like any other, but for those who asked to outlive it (`nohup`).

        Raises:
            RixinError: `CONFIGURATION`, when the server cannot start and why.
        """
        if not hasattr(socket, "AF_UNIX"):
            raise RixinError(Kind.CONFIGURATION, "this system lacks the Unix sockets that the server's parts need")
        with contextlib.ExitStack() as stack:
            if not self._settings.server.shares_database:
                stack.enter_context(data_lock(self._settings.server.data_dir))
            directory = _runtime_dir(self._settings, os.environ)
            make_runtime_dir(directory)
            stack.callback(remove_runtime_dir, directory)
            server = self._settings.server
            listeners = Listeners(server.host, server.port, server.workers)
            stack.callback(listeners.close)
            url = reachable_url(server.host, listeners.port)
            stack.enter_context(recorded_address(server.data_dir, url))
            stack.enter_context(self._hearing_signals())
            await self._serve(directory, listeners, url)
        return 128 + self._signals[-1] if len(self._signals) > 1 else 0

    async def _serve(self, directory: Path, listeners: Listeners, url: str) -> None:
        def push(notice: Notice) -> None:
            control.push(notice)
            if isinstance(notice, ModelChanged):
                self._on_model(notice.status)

        fleet = Fleet(
            self._settings,
            pull=self._pull,
            launcher=self._launcher,
            directory=directory,
            clock=self._clock,
            log=self._log,
            push=push,
        )
        control = ControlServer(
            control_socket(self._settings, os.environ),
            fleet.handlers(),
            greet=fleet.greeting,
            on_leave=fleet.leave,
        )
        await control.start()
        self._workers = [self._worker(index, listeners.of(index)) for index in range(self._settings.server.workers)]
        self._kill_engines = fleet.kill
        try:
            fleet.start()
            told = await self._start_workers(fleet)
            if told is not None:
                self._on_ready(
                    ServerReady(
                        url=url,
                        port=listeners.port,
                        pid=os.getpid(),
                        first_key=told.first_key,
                        setup_token=told.setup_token,
                        providers=told.providers,
                    )
                )
            await self._stopping.wait()
        finally:
            self._serving = False
            # Before the workers close theirs: a socket that stays open here would let new clients wait for nobody.
            listeners.close()
            grace = self._settings.server.shutdown_grace + AFTER_GRACE
            await asyncio.gather(*(worker.stop(grace) for worker in self._workers))
            await fleet.aclose()
            await control.aclose()

    async def _start_workers(self, fleet: Fleet) -> WorkerReady | None:
        """Starts the first worker, which prepares the store, and then the others.

        Returns:
            What the first one told; None where the server is to end before that.
        """
        first, *others = self._workers
        ready = asyncio.ensure_future(first.ensure())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({ready, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                return None
            told = ready.result()
        except RixinError as error:
            raise RixinError(Kind.CONFIGURATION, f"the server cannot start: {error.detail}") from None
        finally:
            ready.cancel()
            stopping.cancel()
        self._serving = True
        if not told.providers:
            fleet.start_default()
        for worker in others:
            worker.start()
        return told

    def _worker(self, index: int, descriptors: tuple[int, ...]) -> ChildProcess[WorkerReady]:
        config = WorkerConfig(
            settings=self._settings,
            control_socket=str(control_socket(self._settings, os.environ)),
            config_file=None if self._config_file is None else str(self._config_file),
            listeners=descriptors,
            log_format=self._log_format,
            index=index,
            first=index == 0,
            show_first_key=self._show_first_key,
        )
        name = f"worker {index}"
        worker: ChildProcess[WorkerReady] = ChildProcess(
            name,
            Program(arguments=self._command, configuration=worker_config.encode(config), descriptors=descriptors),
            msgspec.json.Decoder(Loading | Failed | WorkerReady).decode,
            clock=self._clock,
            restart=self._restart,
            start_deadline=START_DEADLINE,
            on_change=lambda: self._worker_changed(worker),
            log=lambda line: self._log(name, line),
            share_stderr=True,
        )
        return worker

    def _worker_changed(self, worker: ChildProcess[WorkerReady]) -> None:
        """A worker that gave up is asked for again, for as long as the server shall serve."""
        if worker.state is State.FAILED and self._serving:
            asyncio.get_running_loop().call_later(worker.retry_after, self._start_again, worker)

    def _start_again(self, worker: ChildProcess[WorkerReady]) -> None:
        if self._serving:
            worker.start()

    @contextlib.contextmanager
    def _hearing_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, self._hear, number)
        needs_terminal = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()
        loop.add_signal_handler(signal.SIGHUP, self._reload, needs_terminal)
        try:
            yield
        finally:
            for number in (*numbers, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def _reload(self, needs_terminal: bool) -> None:
        if needs_terminal and not _has_terminal():
            self._hear(signal.SIGHUP)
            return
        self._log("server", "SIGHUP: the configuration is read again")
        for worker in self._workers:
            worker.hang_up()

    def _hear(self, number: signal.Signals) -> None:
        self._signals.append(number)
        self._stopping.set()
        if len(self._signals) > 1:
            self._log("server", f"{number.name} again: ends at once")
            for child in self._workers:
                child.kill()
            self._kill_engines()
            return
        grace = self._settings.server.shutdown_grace
        self._log("server", f"{number.name}: running requests have {grace:g} s to end; once more ends them at once")


def _has_terminal() -> bool:
    """Whether this process has a controlling terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _runtime_dir(settings: Settings, environ: Mapping[str, str]) -> Path:
    # Servers on a shared database may share a data directory too.
    instance = str(os.getpid()) if settings.server.shares_database else ""
    return runtime_dir(settings.server.data_dir, environ, instance)
