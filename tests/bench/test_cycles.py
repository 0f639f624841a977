"""Requests leave nothing behind."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from bench.in_process import CASES

BESIDE = 0.5
"""Objects for each request that something else may have left meanwhile, such as the writer of usage rows."""


@pytest.mark.skipif(sys.platform != "linux", reason="the scripted upstream uses epoll, which is Linux's")
def test_a_request_leaves_nothing_to_the_collector(program: Callable[[str], str]):
    """What was made to answer a request is gone with it, since nothing of it knows itself in a circle."""
    program("cc")
    command = [sys.executable, "-m", "bench.cycles"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    left = json.loads(result.stdout)
    assert left.keys() == CASES.keys()
    assert {name: found for name, found in left.items() if sum(found.values()) > BESIDE} == {}
