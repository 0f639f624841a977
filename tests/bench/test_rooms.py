"""Where a request spends its time."""

import inspect
import subprocess
import sys
from collections.abc import Callable

import pytest

from bench.rooms import CASES, OUTSIDE, Sampler, room_of
from rixin.core.estimate import estimate_text


@pytest.mark.skipif(sys.platform != "linux", reason="the scripted upstream uses epoll, which is Linux's")
def test_each_request_is_shared_out_among_the_rooms(program: Callable[[str], str]) -> None:
    """A table has a column for each kind of request, and a line for the rooms that each of them goes through."""
    program("cc")
    command = [sys.executable, "-m", "bench.rooms", "--seconds", "1"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    head, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.stdout.splitlines()]
    assert head[1:] == [name.replace("_", " ") for name in CASES]
    rooms = {line[0] for line in lines}
    assert {"dialects", "engines", "service", "web", "together", OUTSIDE} <= rooms


def test_a_sample_belongs_to_the_room_that_is_at_work() -> None:
    """Be it in a library that the room has called; what no room has called is told apart."""
    assert room_of(inspect.currentframe()) == OUTSIDE
    with Sampler() as sampler:
        while sampler.rooms["core"] == 0:
            estimate_text("words and more words " * 100)
    assert set(sampler.rooms) <= {"core", OUTSIDE}
