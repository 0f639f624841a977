"""Starts and memory."""

from pathlib import Path

from bench.measure import Loader
from bench.scenarios import PACED
from bench.starts import measure_starts
from bench.targets import Target


def test_a_start_and_its_memory_are_measured(loader: Loader, direct: Target, tmp_path: Path):
    """Every figure is there, and streams take memory."""
    starts = measure_starts(loader, direct.port, tmp_path, streams=8, model=PACED)
    assert starts.version_seconds > 0
    assert starts.start_seconds > 0
    assert starts.first_start_seconds > 0
    assert starts.idle_memory_mb > 10
    assert starts.streams_memory_mb > 10
