"""The request path stays as short as it is."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from bench.calls import CASES, budget

TOLERANCE = 1.03
"""How far a count may be off: what is done beside requests falls into some of them."""


@pytest.mark.skipif(sys.platform != "linux", reason="the scripted upstream uses epoll, which is Linux's")
def test_a_request_costs_no_more_calls_than_its_budget(program: Callable[[str], str]):
    """What a request costs in calls of functions is within what `bench/calls.toml` allows, for each kind of request."""
    program("cc")
    command = [sys.executable, "-m", "bench.calls", "--json"]
    # The budget is that of the short way, which other tests may be told to do without.
    environ = {name: value for name, value in os.environ.items() if name != "RIXIN_TEST_FAST_PATH"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environ)
    assert result.returncode == 0, result.stderr
    calls, allowed = json.loads(result.stdout), budget()
    assert calls.keys() == allowed.keys() == CASES.keys()
    assert {name: count for name, count in calls.items() if count > TOLERANCE * allowed[name]} == {}
