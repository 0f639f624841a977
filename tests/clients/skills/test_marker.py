"""What an installed skill remembers."""

from pathlib import Path

import msgspec
import pytest

from rixin.clients.skills.marker import MARKER_FILE, Marker, encode_marker, has_marker, make_marker, read_marker
from rixin.clients.skills.skill import FileRecord, digest
from tests.clients.skills.sources import SOURCE, make_skill

WHEN = "2026-11-22T00:00:00Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the skill's name."""
    path = tmp_path / "weather"
    path.mkdir()
    return path


def write(folder: Path, marker: Marker) -> None:
    """Puts a marker into a folder."""
    (folder / MARKER_FILE).write_bytes(encode_marker(marker))


def test_a_marker_is_read_as_it_was_written(folder: Path) -> None:
    """Source, version, time and the digest of every file."""
    assert not has_marker(folder)
    marker = make_marker(make_skill(notes_md="x"), SOURCE, "abc", WHEN)
    write(folder, marker)
    assert has_marker(folder)
    assert read_marker(folder) == marker
    assert set(marker.files) == {"SKILL.md", "notes.md"}
    assert '"location": "https://git.example/skills"' in (folder / MARKER_FILE).read_text()


def test_the_digest_is_of_names_contents_and_modes() -> None:
    """Any difference of the files is one of the digest, their order is not."""
    one, other = FileRecord("a", executable=False), FileRecord("b", executable=False)
    assert digest([("x", one), ("y", other)]) == digest([("y", other), ("x", one)])
    different = [
        [("x", other), ("y", one)],
        [("x", one), ("z", other)],
        [("x", one)],
        [("x", FileRecord("a", executable=True)), ("y", other)],
    ]
    assert len({digest(records) for records in [*different, [("x", one), ("y", other)]]}) == 5


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", MARKER_FILE, ""])
def test_a_marker_that_names_files_elsewhere_is_damaged(folder: Path, path: str) -> None:
    """Whoever writes into a skill cannot have anything outside of it compared, replaced or removed."""
    files = {path: FileRecord("0" * 64, executable=False)}
    marker = make_marker(make_skill(), SOURCE, None, WHEN)
    write(folder, msgspec.structs.replace(marker, files=files, digest=digest(files.items())))
    assert read_marker(folder) is None


def test_a_marker_of_another_skill_or_form_is_damaged(folder: Path, tmp_path: Path) -> None:
    """A copied folder, a changed list, another form, something else of that name, a link."""
    marker = make_marker(make_skill(), SOURCE, None, WHEN)
    broken = [
        msgspec.structs.replace(marker, name="rain"),
        msgspec.structs.replace(marker, digest="0" * 64),
        msgspec.structs.replace(marker, format=2),
    ]
    for wrong in broken:
        write(folder, wrong)
        assert read_marker(folder) is None
    (folder / MARKER_FILE).write_text('{"name": 1}')
    assert read_marker(folder) is None
    (folder / MARKER_FILE).unlink()
    (tmp_path / "elsewhere").write_bytes(encode_marker(marker))
    (folder / MARKER_FILE).symlink_to(tmp_path / "elsewhere")
    assert has_marker(folder)
    assert read_marker(folder) is None
