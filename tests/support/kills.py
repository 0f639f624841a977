"""Servers that are killed with `kill -9`, and started again on what they left."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.support.hang import HANG
from tests.support.server import Server


def processes(server: Server) -> list[int]:
    """The server's workers."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text(encoding="utf-8")
    return [int(pid) for pid in children.split() if b"rixin.cli.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def kill_all(server: Server) -> None:
    """Kills a server with `kill -9`, so that none of it has a moment to end in good order."""
    os.kill(server.process.pid, signal.SIGSTOP)
    for pid in processes(server):
        os.kill(pid, signal.SIGKILL)
    server.process.kill()
    server.process.wait(HANG)


def restarted(server: Server, launch: Callable[..., Server], *flags: str) -> Server:
    """Another server on the data of one that is no more."""
    stores = {
        name: value for name, value in server.environ.items() if name.startswith(("RIXIN_DATABASE", "RIXIN_SECRET"))
    }
    config = str(server.data_dir / "test.toml")
    again = launch("--data-dir", str(server.data_dir), *flags, "--config", config, env=stores)
    again.key, again.data_dir = server.key, server.data_dir
    return again
