"""Reading weights before the library does."""

from pathlib import Path

import pytest

from rixin.engines.child.read_ahead import read_ahead
from rixin.errors import Kind, RixinError


def test_the_part_that_is_read_is_told(tmp_path: Path) -> None:
    """Over all files together, ever more, and all of it at the end."""
    paths = (tmp_path / "model", tmp_path / "projector")
    paths[0].write_bytes(bytes(30_000_000))
    paths[1].write_bytes(bytes(10_000_000))
    told: list[float] = []
    read_ahead(paths, told.append)
    assert told == sorted(set(told))
    assert 4 <= len(told) <= 100
    assert 0 < told[0] <= 0.25
    assert told[-1] == 1


def test_a_large_file_is_told_once_a_percent(tmp_path: Path) -> None:
    """However many pieces it is read in."""
    path = tmp_path / "model"
    with path.open("wb") as file:
        file.truncate(2 * 2**30)  # takes no room on the disk
    told: list[float] = []
    read_ahead([path], told.append)
    assert [int(part * 100) for part in told] == list(range(1, 101))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The error says which one it is."""
    with pytest.raises(RixinError, match="cannot read the model") as caught:
        read_ahead([tmp_path / "missing"], lambda _: None)
    assert caught.value.kind is Kind.CONFIGURATION
    assert "missing" in caught.value.message
