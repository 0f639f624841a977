"""How sources are named and opened."""

from pathlib import Path

import pytest

from rixin import __version__
from rixin.clients.skills.discovery import read_skills
from rixin.clients.skills.source import SourceName, name_source, opened
from rixin.errors import RixinError
from tests.clients.skills.sources import write_skill


def test_a_url_a_directory_or_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory is remembered by its absolute path; without a source, Rixin's own skills are meant."""
    monkeypatch.chdir(tmp_path)
    url = "https://github.com/OpenSenseNova/SenseNova-Skills"
    assert name_source(url, ref="main", path="/skills/") == SourceName(
        kind="git", location=url, ref="main", path="skills"
    )
    assert name_source(".") == SourceName(kind="directory", location=str(tmp_path))
    assert name_source(None) == SourceName(kind="bundled")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("absent", "absent is neither a directory nor a git URL$"),
        (
            "OpenSenseNova/SenseNova-Skills",
            "named by its URL, such as https://github.com/OpenSenseNova/SenseNova-Skills",
        ),
        ("", "neither a directory"),
    ],
)
def test_what_is_neither(text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short form that people know from a hosting site is told how to be written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RixinError, match=says):
        name_source(text)


def test_only_repositories_have_refs(tmp_path: Path) -> None:
    """A ref of a directory would be ignored in silence."""
    for source in (str(tmp_path), None):
        with pytest.raises(RixinError, match="only a git URL"):
            name_source(source, ref="main")


def test_own_skills_come_with_the_package() -> None:
    """They are found, are good skills, and are of this version."""
    with opened(SourceName(kind="bundled")) as source:
        assert [skill.name for skill in read_skills(source)] == ["rixin"]
        assert source.version == __version__


def test_own_skills_may_be_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installers link a package's files out of their cache; those of any other directory are refused."""
    skill = write_skill(tmp_path / "package", "rixin")
    (tmp_path / "cache").hardlink_to(skill / "SKILL.md")
    monkeypatch.setattr("rixin.clients.skills.source._BUNDLED", (tmp_path / "none", tmp_path / "package"))
    with opened(SourceName(kind="bundled")) as source:
        assert len(read_skills(source)) == 1
    with opened(name_source(str(tmp_path / "package"))) as source, pytest.raises(RixinError, match="hard link"):
        read_skills(source)


def test_lost_skills_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation is named as one."""
    monkeypatch.setattr("rixin.clients.skills.source._BUNDLED", (tmp_path / "none",))
    with pytest.raises(RixinError, match="install it again"), opened(SourceName(kind="bundled")):
        pass
