"""The PostgreSQL server of the tests."""

import subprocess
import sys
import time
from pathlib import Path

from tests.support.hang import HANG
from tests.support.server import ROOT

KILLED = """
import sys
from tests.support.postgresql import server
print(server().url("postgres").query["host"], flush=True)
sys.stdin.read()
"""


def test_the_server_of_tests_that_are_killed_leaves_nothing() -> None:
    """Gigabytes would stay of every run that somebody interrupts."""
    command = [sys.executable, "-c", KILLED]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert (folder / "data").is_dir()
        process.kill()
    deadline = time.monotonic() + HANG
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)  # nobody is left who could tell
