"""What the server's records show."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os
from rixin.cli import logs
import structlog
logs.configure("info", "{form}")
def serve(body: bytes, key: str) -> None:
    raise ValueError("bug")
try:
    serve(os.environ["PROMPT"].encode(), os.environ["KEY"])
except ValueError:
    structlog.get_logger("x").exception("unexpected")
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_trace_shows_no_variables(form: str) -> None:
    """Where something fails, the log tells the place, and nothing of what was being served."""
    environ = {**os.environ, "PROMPT": "SECRET prompt", "KEY": "SECRET key"}
    command = [sys.executable, "-c", SCRIPT.format(form=form)]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=environ)
    assert "ValueError" in run.stderr
    assert "in serve" in run.stderr
    assert "SECRET" not in run.stderr
