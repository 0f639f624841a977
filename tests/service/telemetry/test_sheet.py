"""A worker's numbers in a file: kept, found again, read by others."""

import os
import subprocess
import sys
from pathlib import Path

from rixin.service.telemetry.sheet import SIZE, Row, Sheet, SheetContent, read_sheet

KILLED = """
import os, signal, sys
from pathlib import Path
from rixin.service.telemetry.sheet import Sheet

sheet = Sheet(Path(sys.argv[1]))
at = sheet.find(("requests", "m"), 2)
for _ in range(1000):
    sheet.numbers[at + 1] += 1
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_numbers_are_read_back_with_their_keys(tmp_path: Path) -> None:
    """Rows keep their order and their width; keys may hold anything that JSON can."""
    path = tmp_path / "sheet"
    sheet = Sheet(path)
    first = sheet.find(("requests", '日新 "\n'), 3)
    second = sheet.find(("requests",), 1)
    assert first is not None
    assert second is not None
    sheet.numbers[first + 2] += 1.5
    sheet.numbers[second] += 2
    assert sheet.find(("requests",), 1) == second
    assert read_sheet(path) == SheetContent(
        pid=os.getpid(),
        rows=(Row(("requests", '日新 "\n'), (0.0, 0.0, 1.5)), Row(("requests",), (2.0,))),
    )
    sheet.close()


def test_who_comes_after_a_killed_process_goes_on(tmp_path: Path) -> None:
    """What it counted up to its last instant is there, and the same row counts on."""
    path = tmp_path / "sheet"
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False).returncode == -9
    sheet = Sheet(path)
    at = sheet.find(("requests", "m"), 2)
    assert at is not None
    sheet.numbers[at + 1] += 1
    assert read_sheet(path) == SheetContent(pid=os.getpid(), rows=(Row(("requests", "m"), (0.0, 1001.0)),))
    sheet.close()


def test_a_sheet_that_is_full_says_so(tmp_path: Path) -> None:
    """There is no place for one more row, and those that are there keep theirs."""
    sheet = Sheet(tmp_path / "sheet", size=4096)
    places = [sheet.find((f"row {number}",), 10) for number in range(100)]
    had = [place for place in places if place is not None]
    assert 0 < len(had) < 100
    assert places[: len(had)] == had
    assert sheet.find(("row 0",), 10) == had[0]
    assert len(read_sheet(tmp_path / "sheet").rows) == len(had)
    sheet.close()


def test_what_is_no_sheet_is_empty(tmp_path: Path) -> None:
    """A file that another program left there, or that was just made, holds no numbers and can be made a sheet."""
    path = tmp_path / "sheet"
    for content in (b"", b"x" * 100):
        path.write_bytes(content)
        assert read_sheet(path) == SheetContent(pid=0, rows=())
        sheet = Sheet(path)
        assert read_sheet(path).rows == ()
        sheet.close()
        path.unlink()


def test_its_room_is_its_own(tmp_path: Path) -> None:
    """It is made for its user only, and a disk that fills up later does not take away what it will write to."""
    Sheet(tmp_path / "sheet").close()
    made = (tmp_path / "sheet").stat()
    assert made.st_mode & 0o077 == 0
    assert made.st_size == SIZE
    if sys.platform == "linux":
        assert made.st_blocks * 512 >= SIZE
