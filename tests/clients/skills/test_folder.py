"""An agent's folder: what is put there, what is left alone."""

import os
from pathlib import Path

import msgspec
import pytest

from rixin.clients.skills.discovery import Fetched
from rixin.clients.skills.folder import KEPT_BACKUPS, Action, Outcome, SkillsFolder
from rixin.clients.skills.installed import Drift
from rixin.clients.skills.marker import MARKER_FILE
from rixin.clients.skills.skill import Skill
from rixin.clients.skills.source import SourceName
from rixin.errors import RixinError
from tests.clients.skills.sources import NOW, SOURCE, make_skill, skill_text, tree


@pytest.fixture
def folder(tmp_path: Path) -> SkillsFolder:
    """The folder of an agent that has none yet."""
    return SkillsFolder(tmp_path / ".agent" / "skills")


def put(folder: SkillsFolder, *skills: Skill, now: float = NOW, force: bool = False) -> Outcome:
    """Installs skills of one source."""
    return folder.install([of_source(*skills)], now=now, force=force)


def of_source(*skills: Skill, source: SourceName = SOURCE) -> Fetched:
    """Skills as they are fetched."""
    return Fetched(source=source, version="c0ffee", skills=skills)


def actions(outcome: Outcome) -> dict[str, Action]:
    """What became of which."""
    return {change.name: change.action for change in outcome.changes}


def drift(folder: SkillsFolder, name: str = "weather") -> Drift:
    """How an installed skill differs."""
    return folder.installed([name])[0].drift()


def everything(folder: SkillsFolder) -> dict[str, str]:
    """Every file of the agent."""
    return tree(folder.path.parent)


def test_skills_are_copied_with_a_marker(folder: SkillsFolder) -> None:
    """Real files, executable where the source's are, and nothing differs afterwards."""
    outcome = put(folder, make_skill(ask_sh="echo"), make_skill("rain"))
    assert actions(outcome) == {"weather": Action.ADDED, "rain": Action.ADDED}
    assert outcome.backup is None
    assert set(everything(folder)) == {
        "skills/weather/SKILL.md", "skills/weather/ask.sh", f"skills/weather/{MARKER_FILE}",
        "skills/rain/SKILL.md", f"skills/rain/{MARKER_FILE}",
    }  # fmt: skip
    assert os.access(folder.path / "weather/ask.sh", os.X_OK)
    assert not os.access(folder.path / "weather/SKILL.md", os.X_OK)
    assert [skill.name for skill in folder.installed()] == ["rain", "weather"]
    marker = folder.installed(["weather"])[0].marker
    assert marker is not None
    assert (marker.source, marker.version, marker.installed_at) == (SOURCE, "c0ffee", "2026-11-22T00:00:00Z")
    assert not drift(folder)


def test_again_changes_nothing(folder: SkillsFolder) -> None:
    """The same skill is recognised by its digest; not even a time changes."""
    put(folder, make_skill())
    before = everything(folder)
    assert actions(put(folder, make_skill(), now=NOW + 60)) == {"weather": Action.UNCHANGED}
    assert everything(folder) == before


def test_a_new_version_replaces_and_keeps_the_old(folder: SkillsFolder) -> None:
    """Files that are gone upstream are gone here; the old folder is in the backup, whole."""
    put(folder, make_skill(old_md="1", both_md="1"))
    outcome = put(folder, make_skill(new_md="2", both_md="2"))
    assert actions(outcome) == {"weather": Action.REPLACED}
    assert outcome.backup is not None
    assert outcome.backup == folder.path.parent / "skills_backup" / "20261122T000000Z-rixin"
    here = tree(folder.path / "weather")
    assert set(here) == {"SKILL.md", "new.md", "both.md", MARKER_FILE}
    assert here["both.md"] == "2"
    assert tree(outcome.backup / "weather")["old.md"] == "1"


def test_old_backups_are_removed_but_only_ours(folder: SkillsFolder) -> None:
    """A few are kept; what others keep in that folder is theirs."""
    folder.backups.mkdir(parents=True)
    (folder.backups / "20200101T000000Z").mkdir()
    (folder.backups / "mine").write_text("x")
    for count in range(6):
        put(folder, make_skill(a_md=str(count)), now=NOW + count)
    names = sorted(item.name for item in folder.backups.iterdir())
    assert names[0] == "20200101T000000Z"
    assert names[-1] == "mine"
    assert names[1:-1] == [f"20261122T00000{second}Z-rixin" for second in (3, 4, 5)]
    assert KEPT_BACKUPS == 3


def test_two_backups_in_one_second(folder: SkillsFolder) -> None:
    """The second has a name of its own."""
    for count in range(3):
        put(folder, make_skill(a_md=str(count)))
    assert sorted(item.name for item in folder.backups.iterdir()) == [
        "20261122T000000Z-rixin",
        "20261122T000000Z-rixin-2",
    ]


def test_an_edited_skill_is_kept_until_it_is_forced(folder: SkillsFolder) -> None:
    """An edit is noticed and named, others are replaced all the same; forced, the edit is in the backup."""
    put(folder, make_skill(a_md="1"), make_skill("rain", a_md="1"))
    (folder.path / "weather/a.md").write_text("mine")
    outcome = put(folder, make_skill(a_md="2"), make_skill("rain", a_md="2"))
    assert actions(outcome) == {"weather": Action.KEPT, "rain": Action.REPLACED}
    assert outcome.changes[0].reason == "edited here: a.md"
    assert (folder.path / "weather/a.md").read_text() == "mine"
    forced = put(folder, make_skill(a_md="2"), now=NOW + 1, force=True)
    assert actions(forced) == {"weather": Action.REPLACED}
    assert (folder.path / "weather/a.md").read_text() == "2"
    assert forced.backup is not None
    assert (forced.backup / "weather/a.md").read_text() == "mine"


def test_what_was_added_to_a_skill_is_taken_over(folder: SkillsFolder, tmp_path: Path) -> None:
    """Notes, folders and links of the user's live on in the new version; what Python caches does not."""
    put(folder, make_skill(a_md="1"))
    here = folder.path / "weather"
    (here / "data/deep").mkdir(parents=True)
    (here / "data/deep/notes.md").write_text("mine")
    (here / "link").symlink_to(tmp_path / "anywhere")
    (here / "__pycache__").mkdir()
    (here / "__pycache__/x.pyc").write_text("cache")
    assert drift(folder).extra == ("data/deep/notes.md", "link")
    assert actions(put(folder, make_skill(a_md="2"))) == {"weather": Action.REPLACED}
    assert tree(here).keys() == {"SKILL.md", "a.md", MARKER_FILE, "data/deep/notes.md", "link"}
    assert (here / "data/deep/notes.md").read_text() == "mine"
    assert (here / "link").is_symlink()


@pytest.mark.parametrize(("mine", "theirs"), [("new.md", "new.md"), ("lib", "lib/x.py"), ("lib/x.py", "lib")])
def test_what_was_added_where_the_new_version_has_a_file_is_an_edit(
    folder: SkillsFolder, mine: str, theirs: str
) -> None:
    """It would be lost, so it takes `--force`, and is then in the backup."""
    put(folder, make_skill())
    path = folder.path / "weather" / mine
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    new = make_skill(**{theirs: "theirs"})
    outcome = put(folder, new)
    assert outcome.changes[0].reason == f"edited here: {mine}"
    assert path.read_text() == "mine"
    forced = put(folder, new, force=True)
    assert not drift(folder)
    assert forced.backup is not None
    assert (forced.backup / "weather" / mine).read_text() == "mine"


def test_a_missing_file_comes_back(folder: SkillsFolder) -> None:
    """A deleted file is no edit that could be lost."""
    put(folder, make_skill(a_md="1"))
    (folder.path / "weather/a.md").unlink()
    assert actions(put(folder, make_skill(a_md="1"))) == {"weather": Action.REPLACED}
    assert not drift(folder)


@pytest.mark.parametrize("what", ["folder", "file", "link", "broken link"])
def test_what_rixin_did_not_put_there_is_kept(folder: SkillsFolder, tmp_path: Path, what: str) -> None:
    """A skill copied or linked by hand stays; forced, it moves to the backup, and what it links to is untouched."""
    elsewhere = tmp_path / "elsewhere"
    folder.path.mkdir(parents=True)
    path = folder.path / "weather"
    if what in ("folder", "link"):
        (path if what == "folder" else elsewhere).mkdir()
        ((path if what == "folder" else elsewhere) / "SKILL.md").write_text("mine")
    if what == "file":
        path.write_text("mine")
    if "link" in what:
        path.symlink_to(elsewhere)
    before = everything(folder)
    outcome = put(folder, make_skill())
    assert outcome.changes[0].reason == "it is there already, and rixin did not install it"
    assert everything(folder) == before
    assert folder.installed() == []
    forced = put(folder, make_skill(), force=True)
    assert forced.backup is not None
    assert os.path.lexists(forced.backup / "weather")
    assert not drift(folder)
    if what == "link":
        assert tree(elsewhere) == {"SKILL.md": "mine"}


def test_a_skill_of_another_source_is_kept(folder: SkillsFolder) -> None:
    """Two sources may both have a skill of one name; the second does not take the first one's place by accident."""
    put(folder, make_skill())
    other = msgspec.structs.replace(SOURCE, location="https://elsewhere.example/skills")
    outcome = folder.install([of_source(make_skill(a_md="x"), source=other)], now=NOW)
    assert outcome.changes[0].reason == "it is there already, from https://git.example/skills"
    moved = msgspec.structs.replace(SOURCE, ref="v2")
    assert actions(folder.install([of_source(make_skill(), source=moved)], now=NOW)) == {"weather": Action.REPLACED}


def test_drift_is_told_file_by_file(folder: SkillsFolder, tmp_path: Path) -> None:
    """Changed contents, modes and kinds, missing files, added ones."""
    put(folder, make_skill(a_md="1", b_md="1", c_md="1", d_md="1"))
    here = folder.path / "weather"
    (here / "a.md").write_text("2")
    (here / "b.md").chmod(0o755)
    (tmp_path / "same").write_text("1")
    (here / "c.md").unlink()
    (here / "c.md").symlink_to(tmp_path / "same")
    (here / "d.md").unlink()
    (here / "e.md").write_text("x")
    found = drift(folder)
    assert found == Drift(changed=("a.md", "b.md", "c.md"), missing=("d.md",), extra=("e.md",))
    assert str(found) == "changed: a.md, b.md, c.md; missing: d.md; extra: e.md"


def test_a_damaged_marker_hides_nothing(folder: SkillsFolder) -> None:
    """A skill whose marker was written to is still listed, and is neither replaced nor removed unless forced."""
    put(folder, make_skill())
    (folder.path / "weather" / MARKER_FILE).write_text("{}")
    assert str(drift(folder)) == "its marker is damaged"
    assert actions(put(folder, make_skill())) == {"weather": Action.KEPT}
    assert actions(folder.remove(["weather"], now=NOW)) == {"weather": Action.KEPT}
    assert actions(folder.remove(["weather"], now=NOW, force=True)) == {"weather": Action.REMOVED}
    assert folder.installed() == []


def test_removing_takes_what_was_installed(folder: SkillsFolder) -> None:
    """The folder goes, its backup stays, other skills are not touched."""
    put(folder, make_skill(a_md="1"), make_skill("rain"))
    outcome = folder.remove(["weather"], now=NOW)
    assert actions(outcome) == {"weather": Action.REMOVED}
    assert {path.partition("/")[0] for path in tree(folder.path)} == {"rain"}
    assert outcome.backup is not None
    assert tree(outcome.backup / "weather")["a.md"] == "1"


def test_removing_leaves_what_was_added(folder: SkillsFolder) -> None:
    """Notes stay in their folder, and are told."""
    put(folder, make_skill())
    (folder.path / "weather/notes.md").write_text("mine")
    outcome = folder.remove(["weather"], now=NOW)
    assert outcome.changes[0].left == ("notes.md",)
    assert tree(folder.path) == {"weather/notes.md": "mine"}


def test_removing_spares_edits(folder: SkillsFolder) -> None:
    """An edited skill stays unless forced; then the edit is in the backup."""
    put(folder, make_skill(a_md="1"))
    (folder.path / "weather/a.md").write_text("mine")
    assert folder.remove(["weather"], now=NOW).changes[0].reason == "edited here: a.md"
    assert (folder.path / "weather/a.md").read_text() == "mine"
    forced = folder.remove(["weather"], now=NOW, force=True)
    assert tree(folder.path) == {}
    assert forced.backup is not None
    assert (forced.backup / "weather/a.md").read_text() == "mine"


@pytest.mark.parametrize("name", ["absent", "mine", "..", "../other", "."])
def test_only_what_rixin_installed_can_be_removed(folder: SkillsFolder, name: str) -> None:
    """Not what the user put there, nor anything outside of the folder."""
    (folder.path / "mine").mkdir(parents=True)
    (folder.path / "mine/SKILL.md").write_text(skill_text("mine"))
    with pytest.raises(RixinError, match="not installed by rixin"):
        folder.remove([name], now=NOW, force=True)
    assert (folder.path / "mine/SKILL.md").exists()


def test_a_dry_run_touches_nothing(folder: SkillsFolder) -> None:
    """It tells the same as the real run, and not even makes the folder."""
    planned = folder.install([of_source(make_skill())], now=NOW, dry_run=True)
    assert actions(planned) == {"weather": Action.ADDED}
    assert not folder.path.parent.exists()
    put(folder, make_skill(a_md="1"))
    before = everything(folder)
    planned = folder.install([of_source(make_skill(a_md="2"), make_skill("rain"))], now=NOW, dry_run=True)
    assert actions(planned) == {"weather": Action.REPLACED, "rain": Action.ADDED}
    assert actions(folder.remove(["weather"], now=NOW, dry_run=True)) == {"weather": Action.REMOVED}
    assert everything(folder) == before


def test_a_failure_leaves_the_old_state(folder: SkillsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full half-way through the second skill leaves both as they were."""
    put(folder, make_skill(a_md="1"), make_skill("rain", a_md="1"))
    before = everything(folder)
    fsync = os.fsync
    written: list[int] = []

    def failing(file: int) -> None:
        written.append(file)
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        fsync(file)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(RixinError, match="No space left on device"):
        put(folder, make_skill(a_md="2"), make_skill("rain", a_md="2"))
    assert everything(folder) == before
    assert list(folder.path.parent.iterdir()) == [folder.path]


def test_several_sources_are_one_change(folder: SkillsFolder) -> None:
    """They share a backup, so that none of them pushes another's out."""
    sources = [msgspec.structs.replace(SOURCE, location=f"https://git.example/{index}") for index in range(5)]

    def fetched(text: str) -> list[Fetched]:
        return [of_source(make_skill(f"s{index}", a_md=text), source=source) for index, source in enumerate(sources)]

    folder.install(fetched("1"), now=NOW)
    outcome = folder.install(fetched("2"), now=NOW)
    assert outcome.backup is not None
    assert {path.name for path in outcome.backup.iterdir()} == {f"s{index}" for index in range(5)}


def test_removing_makes_no_folder(folder: SkillsFolder) -> None:
    """Where nothing is installed, nothing comes to be."""
    with pytest.raises(RixinError, match="not installed by rixin"):
        folder.remove(["weather"], now=NOW)
    assert not folder.path.parent.exists()


def test_a_folder_that_is_a_link(tmp_path: Path) -> None:
    """People keep their skills elsewhere and link to them; the link stays."""
    (tmp_path / "dotfiles/skills").mkdir(parents=True)
    (tmp_path / ".agent").mkdir()
    (tmp_path / ".agent/skills").symlink_to(tmp_path / "dotfiles/skills")
    put(SkillsFolder(tmp_path / ".agent/skills"), make_skill())
    assert (tmp_path / ".agent/skills").is_symlink()
    assert (tmp_path / "dotfiles/skills/weather/SKILL.md").is_file()
