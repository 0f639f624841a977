"""The embedder's life, from its first line to its end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rixin.engines.child.status import Ready, decode_status
from rixin.engines.process import Failed
from tests.support.hang import HANG


def start() -> "subprocess.Popen[bytes]":
    """An embedder that has been told nothing yet."""
    return subprocess.Popen(
        (sys.executable, "-m", "rixin.engines.embedder"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


@pytest.mark.parametrize("ending", ["terminated", "orphaned"])
def test_it_ends_with_its_parent_and_on_request(tmp_path: Path, ending: str) -> None:
    """And takes its socket away; only its owner may use that meanwhile."""
    socket = tmp_path / "e.sock"
    process = start()
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(json.dumps({"socket": str(socket)}).encode() + b"\n")
        process.stdin.flush()
        statuses = map(decode_status, process.stdout)
        ready = next(status for status in statuses if isinstance(status, Ready | Failed))
        assert isinstance(ready, Ready)
        assert socket.stat().st_mode & 0o777 == 0o600
        if ending == "terminated":
            process.terminate()
        else:
            process.stdin.close()
        assert process.wait(HANG) == 0
    assert not socket.exists()


def test_a_wrong_configuration_is_told(tmp_path: Path) -> None:
    """By the field."""
    line = json.dumps({"socket": str(tmp_path / "e.sock"), "threads": "two"}).encode()
    process = start()
    out, _ = process.communicate(line + b"\n", timeout=HANG)
    assert process.returncode == 1
    failed = decode_status(out.splitlines()[-1])
    assert isinstance(failed, Failed)
    assert "threads" in failed.message
