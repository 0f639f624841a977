"""Files that only their owner may read."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rixin.store import private_files


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """A umask that would let everybody read."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_draft_is_placed_whole_and_private(tmp_path: Path) -> None:
    """What is placed has its whole text and mode 0600, in a directory of mode 0700 made for it."""
    path = tmp_path / "made" / "file"
    with private_files.draft(path) as draft:
        private_files.write(draft, "text\n")
        assert not path.exists()
        assert private_files.place_new(draft, path)
    assert path.read_text() == "text\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_content_takes_the_place_of_what_is_there(tmp_path: Path) -> None:
    """For the owner only, unless somebody else is meant to read it; no draft stays behind."""
    path = tmp_path / "made" / "file"
    private_files.place(path, "first")
    assert path.read_text() == "first"
    assert path.stat().st_mode & 0o777 == 0o600
    private_files.place(path, b"second", 0o640)
    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.iterdir()) == [path]


def test_what_is_there_stays(tmp_path: Path) -> None:
    """A second draft does not take the place of the first."""
    path = tmp_path / "file"
    path.write_text("first")
    with private_files.draft(path) as draft:
        private_files.write(draft, "second")
        assert not private_files.place_new(draft, path)
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    """An exception before the file is placed removes the draft."""
    with pytest.raises(LookupError), private_files.draft(tmp_path / "file"):
        raise LookupError
    assert list(tmp_path.iterdir()) == []
