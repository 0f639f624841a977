"""What is measured: the scripted upstream itself as the anchor, and this server."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.asks import CHAT
from bench.processes import Process
from bench.scenarios import LIMITED, UPSTREAM_MODELS

RIXIN = str(Path(sys.executable).with_name("rixin"))
OUR_NAME, ANCHOR = "rixin", "direct"
"""What this server is called, and the scripted upstream alone."""
SERVER_CORE, LOAD_CORE = {0}, {1}
ALL_CORES = set(range(os.cpu_count() or 1))
START_DEADLINE = 120.0


@dataclass(frozen=True)
class Target:
    """A server that is up."""

    name: str
    port: int
    process: Process
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    chat_path: str = CHAT.path
    """Where it takes Chat Completions."""
    prefix: str = ""
    """What it wants before the names of models."""
    slow: bool = False
    """Whether it answers hundreds of requests a second rather than thousands."""


def in_turns(targets: Sequence[Target], number: int) -> Sequence[Target]:
    """The order of a round: every second one goes back, so that whatever drifts meanwhile favours nobody."""
    return targets if number % 2 == 0 else targets[::-1]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def request(
    port: int, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """One exchange with a server on this machine. Raises OSError or HTTPException where it fails."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_DEADLINE)
    try:
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, data, {"content-type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until(process: Process, what: str, ready: Callable[[], bool], *, pause: float = 0.005) -> float:
    """Seconds from the process's start until `ready` is true, asked every `pause` seconds.

    Raises:
        RuntimeError: The process ended, or was not ready in time.
    """
    while time.monotonic() - process.started < START_DEADLINE:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if ready():
                return time.monotonic() - process.started
        process.check()
        time.sleep(pause)  # another process's port: the kernel has no event for when it answers
    raise RuntimeError(f"{what} was not ready in {START_DEADLINE:.0f} s:\n{process.log.read_text()[-2000:]}")


@contextlib.contextmanager
def upstream(binary: Path, folder: Path) -> Generator[Target]:
    """The scripted upstream."""
    log = folder / "upstream.log"
    log.unlink(missing_ok=True)  # of one before it: it tells its port there, and nothing else
    process = Process([str(binary)], log=log, cores=LOAD_CORE)
    try:
        wait_until(process, "the scripted upstream", lambda: log.read_text().endswith("\n"))
        yield Target(ANCHOR, int(log.read_text()), process)
    finally:
        process.stop()


class RixinServer:
    """This server with a fresh data directory.

    Args:
        folder: Where its configuration, data and log go.
        configuration: What `rixin.toml` says besides the table of the server itself.
        workers: Processes that serve.
    """

    def __init__(self, folder: Path, configuration: str, *, workers: int = 1) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.config = folder / "rixin.toml"
        self.data_dir = folder / "data"
        self.config.write_text(
            f"[server]\nport = {self.port}\nworkers = {workers}\ndata_dir = {json.dumps(str(self.data_dir))}\n\n"
            f"{configuration}"
        )

    @contextlib.contextmanager
    def run(self, cores: set[int]) -> Generator[tuple[Process, float]]:
        """Runs it; gives the process, once it answers `/health`, and the seconds that took."""
        log = self.folder / "server.log"
        process = Process([RIXIN, "serve", "--config", str(self.config)], log=log, cores=cores, folder=self.folder)
        try:
            yield process, wait_until(process, OUR_NAME, lambda: request(self.port, "GET", "/health")[0] == 200)
        finally:
            process.stop()

    def make_key(self) -> dict[str, str]:
        """A new key, as the header that carries it."""
        command = [RIXIN, "keys", "create", "bench", "--json", "--config", str(self.config)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        if result.returncode:
            raise RuntimeError(f"rixin keys create failed:\n{result.stdout}{result.stderr}")
        return {"authorization": f"Bearer {json.loads(result.stdout)['key']}"}

    def target(self, process: Process, name: str = OUR_NAME) -> Target:
        """The server, which runs as this process, asked with a new key."""
        return Target(name, self.port, process, self.make_key())


def provider_configuration(upstream_port: int) -> str:
    """One provider, which is the scripted upstream."""
    models = ", ".join(json.dumps(model) for model in UPSTREAM_MODELS)
    return (
        f'[[providers]]\nname = "bench"\nbase_url = "http://127.0.0.1:{upstream_port}/v1"\n'
        f'api_keys = ["sk-upstream"]\nmodels = [{models}]\n'
    )


LIMITS = "".join(
    f'[[limits]]\nunit = "{unit}"\namount = 1_000_000_000_000\nwindow = {window}\nmodel = "{LIMITED}"\n'
    for unit, window in (("requests", 60), ("tokens", 60), ("requests", 18000))
)
"""Two rates and a quota that are counted, and never reached."""
