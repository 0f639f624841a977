"""Directories of this machine as sources."""

import os
import socket
from pathlib import Path

import pytest

from rixin.clients.skills.directory import Directory
from rixin.clients.skills.discovery import read_skills
from rixin.clients.skills.entries import Entry, EntryKind
from rixin.errors import RixinError
from tests.clients.skills.sources import write_skill


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    """A skill in a directory of skills."""
    return write_skill(tmp_path / "source", "weather", {"scripts/ask.py": "print()"})


def refused(skill: Path) -> str:
    """Why it cannot be installed."""
    with pytest.raises(RixinError) as caught:
        read_skills(Directory(skill.parent))
    return caught.value.message


def test_files_are_listed_and_read(skill: Path) -> None:
    """Paths, sizes and modes; what tools leave behind is left out."""
    (skill / "scripts/ask.py").chmod(0o755)
    for path in (".git/config", "scripts/__pycache__/ask.pyc", ".DS_Store"):
        write_skill(skill.parent, skill.name, {path: "x"})
    directory = Directory(skill)
    entries = directory.entries()
    assert [(entry.path, entry.kind, entry.executable) for entry in entries] == [
        ("SKILL.md", EntryKind.FILE, False),
        ("scripts/ask.py", EntryKind.FILE, True),
    ]
    assert [len(content) for content in directory.read(entries)] == [entry.size for entry in entries]


def test_links_are_listed_as_links_and_refused(skill: Path, tmp_path: Path) -> None:
    """To a file, a folder, nowhere, in a loop, or out of the tree: none is followed, none is installed."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("hidden")
    for target in (skill / "SKILL.md", secret / "key", secret, "nowhere", "link", ".", ".."):
        link = skill / "link"
        link.symlink_to(target)
        assert "'weather/link' is a symbolic link" in refused(skill)
        link.unlink()


def test_hard_links_are_refused(skill: Path, tmp_path: Path) -> None:
    """A second name of a file elsewhere would copy what its owner did not mean to give."""
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    (skill / "link").hardlink_to(secret)
    assert "'weather/link' is a hard link" in refused(skill)


def test_pipes_sockets_and_devices_are_refused(skill: Path, tmp_path: Path) -> None:
    """They are told from files without being opened, which could wait for ever."""
    os.mkfifo(skill / "pipe")
    assert "'weather/pipe' is a device, pipe or socket" in refused(skill)
    (skill / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listener, pytest.MonkeyPatch.context() as patch:
        patch.chdir(skill)
        listener.bind("socket")
        assert "'weather/socket' is a device, pipe or socket" in refused(skill)


def test_what_turns_into_something_else_is_refused(skill: Path, tmp_path: Path) -> None:
    """A file that became a link or a pipe after it was listed is not read."""
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    directory = Directory(skill)
    entry = Entry(path="SKILL.md", kind=EntryKind.FILE)
    (skill / "SKILL.md").unlink()
    (skill / "SKILL.md").symlink_to(secret)
    with pytest.raises(RixinError, match=r"SKILL\.md"):
        list(directory.read([entry]))
    (skill / "SKILL.md").unlink()
    os.mkfifo(skill / "SKILL.md")
    with pytest.raises(RixinError, match="became something else"):
        list(directory.read([entry]))


def test_a_huge_tree_is_refused_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming `/` by mistake ends soon."""
    monkeypatch.setattr("rixin.clients.skills.entries.MAX_LISTED", 20)
    for index in range(30):
        (tmp_path / str(index)).mkdir()
    with pytest.raises(RixinError, match="more than 20 entries"):
        Directory(tmp_path).entries()


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The message holds the path and the reason."""
    with pytest.raises(RixinError, match=r"absent: No such file"):
        Directory(tmp_path / "absent").entries()
