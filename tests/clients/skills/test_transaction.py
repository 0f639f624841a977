"""All of a change, or none of it, wherever it stops."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from rixin.clients.skills.transaction import Transaction, exclusive, write_file
from rixin.errors import RixinError
from tests.clients.skills.sources import tree

OLD = {"edited/SKILL.md": "old", "removed/SKILL.md": "old", "other/SKILL.md": "other"}
STEPS = range(5)
"""How many renamings may come before it stops: two old folders, two new ones, and the one that ends it."""
NEW = {"added/SKILL.md": "new", "edited/SKILL.md": "new", "other/SKILL.md": "other"}


@pytest.fixture
def skills(tmp_path: Path) -> Path:
    """An agent's folder with three skills."""
    folder = tmp_path / "agent" / "skills"
    for path, text in OLD.items():
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(text)
    return folder


def change(skills: Path) -> bool:
    """One skill is replaced, one added, one removed."""
    with exclusive(skills), Transaction(skills) as work:
        for name in ("edited", "added"):
            write_file(work.place(name) / "SKILL.md", b"new")
        work.remove("removed")
        return work.commit(skills.parent / "backup")


def test_a_change_is_done_and_leaves_nothing_else(skills: Path) -> None:
    """What was there is in the backup, what was not concerned is where it was."""
    assert change(skills)
    assert tree(skills) == NEW
    assert tree(skills.parent / "backup") == {"edited/SKILL.md": "old", "removed/SKILL.md": "old"}
    assert sorted(item.name for item in skills.parent.iterdir()) == ["backup", "skills"]


def test_nothing_is_backed_up_where_nothing_was(tmp_path: Path) -> None:
    """A first installation makes the folder, and no backup."""
    skills = tmp_path / "agent" / "skills"
    with exclusive(skills), Transaction(skills) as work:
        write_file(work.place("added") / "SKILL.md", b"new")
        assert not work.commit(tmp_path / "agent" / "backup")
    assert tree(tmp_path) == {"agent/skills/added/SKILL.md": "new"}


@pytest.mark.parametrize("count", STEPS)
def test_a_step_that_fails_puts_everything_back(skills: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Whichever renaming fails, the folder is as it was and nothing lies about."""
    rename = Path.rename
    done: list[Path] = []

    def failing(self: Path, target: Path) -> Path:
        if len(done) == count:
            monkeypatch.setattr(Path, "rename", rename)
            raise OSError(28, "No space left on device", str(self))
        done.append(self)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="No space left"):
        change(skills)
    assert tree(skills) == OLD
    assert [item.name for item in skills.parent.iterdir() if item.name != "backup"] == ["skills"]


@pytest.mark.parametrize("count", STEPS)
def test_a_process_that_dies_leaves_the_old_state_to_the_next(skills: Path, count: int) -> None:
    """Killed between any two renamings; the next command finds the old state, or the new one once it was complete."""
    process = multiprocessing.get_context("spawn").Process(target=_change_and_die, args=(skills, count))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    with exclusive(skills):
        assert tree(skills) == OLD
    assert [item.name for item in skills.parent.iterdir() if item.name != "backup"] == ["skills"]
    assert change(skills)
    assert tree(skills) == NEW


def _change_and_die(skills: Path, count: int) -> None:
    rename = Path.rename
    done: list[Path] = []

    def deadly(self: Path, target: Path) -> Path:
        if len(done) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(self)
        return rename(self, target)

    Path.rename = deadly  # pyright: ignore[reportAttributeAccessIssue] - in a process of its own, which ends here
    change(skills)


def test_putting_back_may_be_interrupted_too(skills: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recovery that stops half-way is taken up by the next one."""
    process = multiprocessing.get_context("spawn").Process(target=_change_and_die, args=(skills, 4))
    process.start()
    process.join(30)
    rename = Path.rename
    for count in range(3):
        done: list[Path] = []

        def failing(self: Path, target: Path, limit: int = count, done: list[Path] = done) -> Path:
            if len(done) == limit:
                raise OSError(5, "Input/output error")
            done.append(self)
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", failing)
        with pytest.raises(RixinError, match="Input/output error"), exclusive(skills):
            pass
    monkeypatch.setattr(Path, "rename", rename)
    with exclusive(skills):
        assert tree(skills) == OLD


def test_two_at_once_are_not_possible(skills: Path) -> None:
    """The second is told, and does not take the first one's unfinished work for a dead one's."""
    with exclusive(skills), pytest.raises(RixinError, match="another process is changing the skills"):
        change(skills)
    assert tree(skills) == OLD


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    """Neither a file nor what a link leads to."""
    (tmp_path / "there").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("there", "link"):
        with pytest.raises(FileExistsError):
            write_file(tmp_path / name, b"y")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file in its place is named."""
    (tmp_path / "skills").write_text("x")
    with pytest.raises(RixinError, match="skills: File exists"), exclusive(tmp_path / "skills"):
        pass
