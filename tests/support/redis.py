"""A real Redis that tests start themselves: on a Unix socket, in a directory of its own."""

import signal
import socket
import subprocess
from pathlib import Path
from typing import Final

DEADLINE: Final = 60.0


class RedisServer:
    """One server, which has written down each change before it answers.

    Args:
        folder: Where it keeps what it is told; its path is short enough for a socket's.
        program: What is started, such as `redis-server`.
    """

    def __init__(self, folder: Path, program: str) -> None:
        self._folder = folder
        self._program = program
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """As `server.redis_url` has it."""
        return f"unix://{self.socket}"

    @property
    def socket(self) -> str:
        """Where it listens."""
        return f"{self._folder}/socket"

    def start(self) -> None:
        """Starts it with what it has kept, and waits until it answers."""
        command = [self._program, "--port", "0", "--unixsocket", f"{self._folder}/socket", "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        said: list[str] = []
        for line in self._process.stdout:
            said.append(line)
            # It says so for each place that it listens at, and has read what it kept by then.
            if "ready to accept connections" in line.lower():
                return
        raise AssertionError("".join(said))

    def forget(self) -> None:
        """Has it forget all that it was told."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(DEADLINE)
            client.connect(f"{self._folder}/socket")
            client.sendall(b"FLUSHALL\r\n")
            assert client.recv(64) == b"+OK\r\n"

    def pause(self) -> None:
        """Has it say nothing, to nobody, without hanging up."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends it as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=DEADLINE)
            self._process = None
