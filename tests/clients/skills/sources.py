"""Skills and repositories that tests install."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from rixin.clients.skills.entries import Entry, EntryKind
from rixin.clients.skills.skill import Skill, SkillFile
from rixin.clients.skills.source import SourceName

NOW = 1_795_305_600.0
"""2026-11-22, midnight."""
SOURCE = SourceName(kind="git", location="https://git.example/skills")


def skill_text(name: str, description: str = "What it does and when.", more: str = "") -> str:
    """A SKILL.md."""
    return f"---\nname: {name}\ndescription: {description}\n{more}---\n\n# {name}\n"


def write_skill(folder: Path, name: str, files: Mapping[str, str] | None = None) -> Path:
    """A skill in a folder of its own, with more files if need be."""
    for path, text in {"SKILL.md": skill_text(name), **(files or {})}.items():
        target = folder / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder / name


def make_skill(name: str = "weather", **files: str) -> Skill:
    """A skill in memory; underscores in keywords stand for dots."""
    texts = {"SKILL.md": skill_text(name)} | {path.replace("_", "."): text for path, text in files.items()}
    return Skill(
        name=name,
        description="What it does and when.",
        files=tuple(SkillFile(path, text.encode(), executable=path.endswith(".sh")) for path, text in texts.items()),
    )


def file(path: str, size: int = 1) -> Entry:
    """A plain file of a listing."""
    return Entry(path=path, kind=EntryKind.FILE, size=size)


def tree(folder: Path) -> dict[str, str]:
    """All files under a folder, with what they hold; links by where they lead."""
    return {
        path.relative_to(folder).as_posix(): f"-> {path.readlink()}" if path.is_symlink() else path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


class Repository(Struct, frozen=True):
    """A repository of real git, with a work tree."""

    path: Path

    @property
    def url(self) -> str:
        """Where git finds it."""
        return f"file://{self.path}"

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Runs git in it, with nobody's settings."""
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "test@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        command = ["git", "-C", str(self.path), "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, input=stdin, env=environ, check=False, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def commit(self) -> str:
        """Commits all of the work tree; the commit."""
        self.git("add", "--all", "--force")
        return self._committed()

    def commit_entry(self, mode: str, path: str, object_id: str) -> str:
        """Commits one more entry, which no work tree needs to be able to hold."""
        self.git("update-index", "--add", "--cacheinfo", f"{mode},{object_id},{path}")
        return self._committed()

    def commit_tree(self, listing: bytes) -> str:
        """Commits what `git mktree` makes of a listing, past the checks of names that the index has."""
        commit = self.git("commit-tree", "-m", "raw", self.git("mktree", "--missing", stdin=listing))
        self.git("update-ref", "HEAD", commit)
        return commit

    def blob(self, content: bytes) -> str:
        """The id of some content."""
        return self.git("hash-object", "-w", "--stdin", stdin=content)

    def _committed(self) -> str:
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")


def make_repository(path: Path) -> Repository:
    """An empty repository."""
    path.mkdir(parents=True)
    repository = Repository(path)
    repository.git("init", "--quiet", "--initial-branch=main")
    return repository
