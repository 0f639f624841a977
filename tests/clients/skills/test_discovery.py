"""Which skills a source has."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec import Struct

from rixin.clients.skills.directory import Directory
from rixin.clients.skills.discovery import read_skills, skill_roots
from rixin.clients.skills.entries import Entry
from rixin.errors import RixinError
from tests.clients.skills.sources import file, skill_text, write_skill


class Memory(Struct, frozen=True):
    """A source in memory."""

    files: dict[str, str]
    version: str | None = None

    def entries(self) -> list[Entry]:
        """Its files."""
        return [file(path, len(text.encode())) for path, text in self.files.items()]

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes]:
        """What they hold."""
        return (self.files[entry.path].encode() for entry in entries)


@pytest.mark.parametrize(
    ("paths", "roots"),
    [
        (["SKILL.md", "a.md", "skills/x/SKILL.md"], [""]),
        (["skills/b/SKILL.md", "skills/a/SKILL.md", "README.md"], ["skills/a", "skills/b"]),
        (["skills/a/SKILL.md", "examples/x/SKILL.md"], ["skills/a"]),
        (["a/SKILL.md", "group/b/SKILL.md"], ["a", "group/b"]),
        (["skills/a/SKILL.md", "skills/a/capability/x/SKILL.md"], ["skills/a"]),
        (["skills/a/SKILL.md", "skills/ab/SKILL.md"], ["skills/a", "skills/ab"]),
        ([".claude/skills/a/SKILL.md", "b/SKILL.md"], ["b"]),
        (["a/skill.md", "b/SKILL.md.bak", "README.md"], []),
    ],
)
def test_roots(paths: list[str], roots: list[str]) -> None:
    """The outermost folders with a SKILL.md, those of `skills/` alone where there are any, none that are hidden."""
    assert skill_roots(paths) == roots


def test_skills_are_read_whole() -> None:
    """Each has its own files, by paths within it; nested ones belong to the one around them."""
    source = Memory(
        {
            "README.md": "x",
            "skills/a/SKILL.md": skill_text("a", "First."),
            "skills/a/lib/x.py": "x",
            "skills/a/capability/read/SKILL.md": skill_text("read"),
            "skills/b/SKILL.md": skill_text("b"),
        }
    )
    first, second = read_skills(source)
    assert (first.name, first.description, first.nested) == ("a", "First.", ("capability/read",))
    assert [file.path for file in first.files] == ["SKILL.md", "capability/read/SKILL.md", "lib/x.py"]
    assert [file.path for file in second.files] == ["SKILL.md"]


def test_nested_skills_with_mistakes_are_told_and_taken() -> None:
    """They are read by path, so a name that no agent would list does not keep the whole from being installed."""
    source = Memory({"a/SKILL.md": skill_text("a"), "a/sub/SKILL.md": "# no frontmatter"})
    (skill,) = read_skills(source)
    assert skill.warnings == (
        "a/sub/SKILL.md: has no frontmatter: it must begin with a line `---`, and a second such line must end it",
    )


def test_a_folder_of_the_source() -> None:
    """`path` looks there only, also where it is hidden, and cannot look outside."""
    source = Memory({"a/SKILL.md": skill_text("a"), ".more/b/SKILL.md": skill_text("b")})
    assert [skill.name for skill in read_skills(source, ".more")] == ["b"]
    assert [skill.name for skill in read_skills(source, ".more/b")] == ["b"]
    for path in ("..", "../..", "no", "a/SKILL.md", "."):
        with pytest.raises(RixinError, match="there is no skill in"):
            read_skills(source, path)


def test_chosen_skills() -> None:
    """Only those are read, so that a mistake in another does not matter."""
    source = Memory({"a/SKILL.md": skill_text("a"), "b/SKILL.md": "broken", "c/SKILL.md": skill_text("c")})
    assert [skill.name for skill in read_skills(source, names=["c", "a"])] == ["a", "c"]
    with pytest.raises(RixinError, match="no skill x, y; it has a, b, c"):
        read_skills(source, names=["y", "a", "x"])
    assert [skill.name for skill in read_skills(source, names=["a", "x"], missing=True)] == ["a"]


def test_a_source_that_is_one_skill() -> None:
    """It is called as its frontmatter says, whatever the directory is called."""
    source = Memory({"SKILL.md": skill_text("weather"), "x.md": "x"})
    assert [skill.name for skill in read_skills(source)] == ["weather"]
    assert [skill.name for skill in read_skills(source, names=["weather"])] == ["weather"]
    with pytest.raises(RixinError, match="no skill rain; it has weather"):
        read_skills(source, names=["rain"])
    assert read_skills(source, names=["rain"], missing=True) == []


def test_every_mistake_is_told_at_once() -> None:
    """All skills are checked before anything is said, and each mistake has its file."""
    source = Memory({"a/SKILL.md": "x", "b/SKILL.md": skill_text("c"), "d/SKILL.md": skill_text("d")})
    with pytest.raises(RixinError) as caught:
        read_skills(source)
    assert "a/SKILL.md: has no frontmatter" in caught.value.message
    assert "b/SKILL.md: `name` is 'c', and its folder is 'b'" in caught.value.message
    assert "d/SKILL.md" not in caught.value.message


def test_two_skills_of_one_name() -> None:
    """They cannot both be installed."""
    source = Memory({"x/a/SKILL.md": skill_text("a"), "y/a/SKILL.md": skill_text("a")})
    with pytest.raises(RixinError, match="several skills are called 'a'"):
        read_skills(source)


def test_a_marker_of_the_source_is_left_out(tmp_path: Path) -> None:
    """What Rixin wrote into an installed skill is not part of it, so it can be installed from there."""
    write_skill(tmp_path, "a", {".rixin-skill.json": "{}"})
    (skill,) = read_skills(Directory(tmp_path))
    assert [file.path for file in skill.files] == ["SKILL.md"]
