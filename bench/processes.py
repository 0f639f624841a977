"""Programs under measurement: started on given cores, ended for sure, and what they take of the machine."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

QUIET = 0.3
"""Cores that other programs may take of a machine that counts as quiet."""

_ALL = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_OWN = re.compile(r"^Pss_(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)


@contextlib.contextmanager
def pinned(cores: set[int]) -> Generator[None]:
    """Programs started in this context run on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_descriptors() -> None:
    """Lets this program and those that it starts have as many descriptors as the system allows: a thousand streams take
    two thousand of a server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Process:
    """A running program and its children.

    Args:
        command: The program and its arguments.
        log: Where its output goes.
        cores: Where it runs.
        environment: What its environment has besides ours.
        folder: Its working directory.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        cores: set[int],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.log = log
        self.started = time.monotonic()
        with log.open("ab") as output, pinned(cores):
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._process.pid

    def check(self) -> None:
        """Raises RuntimeError with the end of its log when the program has ended."""
        code = self._process.poll()
        if code is not None:
            raise RuntimeError(f"the program ended with code {code}:\n{self.log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """Ends the program and its children."""
        pids = tree(self.pid)
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def cpu_seconds(pids: Sequence[int]) -> float:
    """The CPU time that these processes have used."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def memory_mb(pids: Sequence[int]) -> float:
    """The memory that these processes have, shared pages counted by their share (PSS), in MB."""
    return _mb(pids, _ALL)


def own_memory_mb(pids: Sequence[int]) -> float:
    """That without the pages of files, of which they have the less the more others have mapped the same ones."""
    return _mb(pids, _OWN)


def _mb(pids: Sequence[int], lines: re.Pattern[str]) -> float:
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += sum(map(int, lines.findall(Path(f"/proc/{pid}/smaps_rollup").read_text())))
    return total / 1024


def machine_cpu_seconds() -> float:
    """The CPU time that the whole machine has used."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(limit: float) -> None:
    """Waits until other programs leave the machine alone, at most `limit` seconds."""
    step, deadline = 0.25, time.monotonic() + limit
    while time.monotonic() < deadline:
        before = machine_cpu_seconds()
        time.sleep(step)  # the span over which the load is measured, no wait for something
        if machine_cpu_seconds() - before < QUIET * step:
            return
