"""A real server in a process of its own, as `rixin serve` starts it."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import openai
import pytest

from tests.support.databases import served_environment

ROOT = Path(__file__).parents[2]
START_DEADLINE = 150.0
STOP_DEADLINE = 60.0


@dataclass
class Server:
    """A running server, and how to reach it."""

    process: subprocess.Popen[str]
    data_dir: Path
    url: str
    key: str
    environ: dict[str, str] = field(default_factory=dict[str, str])
    output: list[str] = field(default_factory=list[str])

    @property
    def headers(self) -> dict[str, str]:
        """What a client sends with each request."""
        return {"authorization": f"Bearer {self.key}", "content-type": "application/json"}

    @property
    def shell(self) -> dict[str, str]:
        """What the shell of somebody who uses this server holds: its address, its data and a key."""
        return self.environ | {
            "RIXIN_API_KEY": self.key,
            "RIXIN_BASE_URL": self.url,
            "RIXIN_DATA_DIR": str(self.data_dir),
        }

    def cli(self, *arguments: str) -> list[str]:
        """The command line of a verb on this server's data."""
        return [sys.executable, "-m", "rixin", *arguments, "--data-dir", str(self.data_dir)]

    def sdk(self) -> openai.OpenAI:
        """The unmodified OpenAI SDK, pointed at this server, without retries of its own."""
        return openai.OpenAI(api_key=self.key, base_url=f"{self.url}/v1", max_retries=0, timeout=120)


def start(
    data_dir: Path,
    *flags: str,
    config: str | None = None,
    env: dict[str, str] | None = None,
    program: tuple[str, ...] = (sys.executable, "-m", "rixin"),
) -> tuple[Server, Callable[[], int]]:
    """Starts `rixin serve` and waits until it listens; gives it and what stops it."""
    command = [*program, "serve", "--port", "0", "--data-dir", str(data_dir), *flags]
    if config is not None:
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / "test.toml").write_text(config, encoding="utf-8")
        command += ["--config", str(data_dir / "test.toml")]
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    clean |= {"RIXIN_MODELS_DIR": str(ROOT / ".cache" / "models"), "PYTHONUNBUFFERED": "1"}
    clean |= served_environment(data_dir) | (env or {})
    process = subprocess.Popen(
        command, cwd=data_dir.parent, env=clean, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    server = Server(process, data_dir, "", "", clean)
    listening = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            server.output.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found and not server.url:
                server.url = found.group()
                listening.set()
        listening.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()

    def stop() -> int:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            reader.join(10)
            if process.stdout is not None:
                process.stdout.close()
        return process.returncode

    if not listening.wait(START_DEADLINE) or not server.url:
        stop()
        pytest.fail("the server did not start:\n" + "".join(server.output))
    key_file = data_dir / "first-key"
    server.key = key_file.read_text(encoding="utf-8").strip() if key_file.exists() else ""
    return server, stop


def await_workers(server: Server, count: int) -> None:
    """Waits until so many workers of a server listen, which is told to have started when the first one does.

    Where workers share one socket (the system is not Linux), or nobody can tell, nothing is waited for.
    """
    table = Path("/proc/net/tcp")
    if not table.exists():
        return
    _, _, port = server.url.rpartition(":")
    here = f"0100007F:{int(port):04X}"
    until = time.monotonic() + START_DEADLINE
    while sum(line.split()[1] == here and line.split()[3] == "0A" for line in table.read_text().splitlines()) < count:
        assert time.monotonic() < until, "not every worker listens"
        time.sleep(0.1)
