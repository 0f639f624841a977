"""The soak: what stays in a server whose clients come and go."""

import asyncio

import msgspec
import pytest

from bench.soak import SoakResult, render_soak, soak
from bench.targets import Target
from tests.support.bench_results import IDLE, soak_result


def test_a_quiet_server_has_no_fault():
    """Memory is compared with minute 10's."""
    result = soak_result()
    assert result.memory_ratio == pytest.approx(1.02)
    assert result.faults == []
    assert "100.0 MB, 102.0 MB: 1.020" in render_soak(result)


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (soak_result(end_mb=106), "memory at the end"),
        (soak_result(back=None), "is open"),
        (soak_result(back=5.5), "is open"),
        (soak_result(failed=1), "1 requests failed: none"),
        (msgspec.structs.replace(soak_result(), upstream_seconds=None), "connections to the upstream stay"),
    ],
)
def test_what_stays_is_a_fault(result: SoakResult, fault: str):
    """Memory that grows, what is open after the end, and requests that fail."""
    assert [fault in told for told in result.faults] == [True]


def test_connections_to_the_upstream_may_stay():
    """They are told apart from what must be gone."""
    assert msgspec.structs.replace(IDLE, upstream=40).at_most(IDLE)
    assert not msgspec.structs.replace(IDLE, tasks=21).at_most(IDLE)


def test_visitors_come_and_go(rixin: Target, direct: Target):
    """Clients of a real server are answered or leave, and it is back at rest when they have gone."""
    result = asyncio.run(soak(rixin, direct.port, "python -m bench.soak", minutes=0.1, visitors=16))
    assert not result.done.get("failed"), result.first_error
    assert result.done["streamed"] > 0
    assert result.done["left"] > 0
    assert max(each.counts.tasks for each in result.samples) > result.idle.tasks
    assert result.back_seconds is not None
    assert result.upstream_seconds is not None
    assert result.after.upstream == 0
