"""Finding the skills of a source, and reading those that are wanted."""

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from rixin.clients.skills.entries import check
from rixin.clients.skills.frontmatter import read_frontmatter
from rixin.clients.skills.marker import MARKER_FILE
from rixin.clients.skills.skill import SKILL_FILE, Skill, SkillFile
from rixin.clients.skills.source import Source, SourceName, opened
from rixin.errors import RixinError, invalid

_USUAL = "skills/"
"""Where repositories that hold more than skills keep them."""


class Fetched(Struct, frozen=True, kw_only=True):
    """Skills, and where they were had from."""

    source: SourceName
    version: str | None
    """Which state of the source they are of."""
    skills: tuple[Skill, ...]


def fetch(source: SourceName, names: Collection[str] = (), *, missing: bool = False) -> Fetched:
    """Opens a source and reads skills of it; see `read_skills`.

    Raises:
        RixinError: The source cannot be had, or what `read_skills` raises.
    """
    with opened(source) as files:
        skills = read_skills(files, source.path, names, missing=missing)
        return Fetched(source=source, version=files.version, skills=tuple(skills))


def skill_roots(paths: Iterable[str]) -> list[str]:
    """The folders that are skills, outermost only: what lies in a skill belongs to it.

    Folders whose name begins with a dot are not searched, and `skills/` alone is where it holds any.
    """
    folders = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] == SKILL_FILE}
    visible = (folder for folder in folders if not any(part.startswith(".") for part in folder.split("/")))
    roots: list[str] = []
    for folder in sorted(visible, key=lambda folder: (folder.count("/") + bool(folder), folder)):
        if not any(_within(folder, root) for root in roots):
            roots.append(folder)
    return sorted(root for root in roots if root.startswith(_USUAL)) or sorted(roots)


def read_skills(source: Source, path: str = "", names: Collection[str] = (), *, missing: bool = False) -> list[Skill]:
    """The skills of a source, each checked.

    Args:
        source: Where they are.
        path: The folder of the source in which to look.
        names: Which of them; all if empty.
        missing: Leave out those of `names` that are not there.

    Raises:
        RixinError: `INVALID_REQUEST`: there is none, one of `names` is not there, or a skill must not be installed;
            the message says all that is wrong with any of them.
    """
    entries = {_inside(entry.path, path): entry for entry in source.entries() if _within(entry.path, path)}
    roots = skill_roots(entries)
    if not roots:
        raise invalid(f"there is no skill{f' in {path}' if path else ''}: no folder holds a {SKILL_FILE}")
    # A source that is one skill is called as the skill says, whatever the directory is called.
    named = [root for root in roots if not root or not names or root.rpartition("/")[2] in names]
    if not missing:
        _check_found({root.rpartition("/")[2] for root in roots if root} or set(names), names)
    listed = [
        [(_inside(at, root), entry) for at, entry in entries.items() if _within(at, root) and at != _marker(root)]
        for root in named
    ]
    check([entry for files in listed for _, entry in files])
    contents = source.read([entry for files in listed for _, entry in files])
    skills: list[Skill] = []
    problems: list[str] = []
    for root, files in zip(named, listed, strict=True):
        read = [SkillFile(at, content, entry.executable) for (at, entry), content in zip(files, contents, strict=False)]
        try:
            skills.append(_skill(root, read))
        except RixinError as error:
            problems.append(f"{_joined(path, root, SKILL_FILE)}: {error.message}")
    problems += _repeated(skills)
    if problems:
        raise invalid("nothing was installed: " + "; ".join(problems))
    if not missing:
        _check_found({skill.name for skill in skills}, names)
    return [skill for skill in skills if not names or skill.name in names]


def _check_found(there: Collection[str], names: Collection[str]) -> None:
    missing = sorted(set(names) - set(there))
    if missing:
        raise invalid(f"the source has no skill {', '.join(missing)}; it has {', '.join(sorted(there))}")


def _skill(root: str, files: Sequence[SkillFile]) -> Skill:
    by_path = {file.path: file for file in files}
    known = read_frontmatter(by_path[SKILL_FILE].content)
    folder = root.rpartition("/")[2]
    if folder and folder != known.name:
        raise invalid(f"`name` is {known.name!r}, and its folder is {folder!r}; they must be the same")
    nested = [path for path in by_path if path.endswith(f"/{SKILL_FILE}")]
    warnings: list[str] = []
    for path in nested:
        try:
            read_frontmatter(by_path[path].content)
        except RixinError as error:
            warnings.append(f"{known.name}/{path}: {error.message}")
    return Skill(
        name=known.name,
        description=known.description,
        files=tuple(sorted(files, key=lambda file: file.path)),
        nested=tuple(sorted(path.rpartition("/")[0] for path in nested)),
        warnings=tuple(sorted(warnings)),
    )


def _repeated(skills: Sequence[Skill]) -> list[str]:
    names = [skill.name for skill in skills]
    return [f"several skills are called {name!r}" for name in sorted(set(names)) if names.count(name) > 1]


def _within(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _inside(path: str, folder: str) -> str:
    return path[len(folder) + 1 :] if folder else path


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _marker(root: str) -> str:
    return _joined(root, MARKER_FILE)
