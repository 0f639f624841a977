"""`rixin skills`, with real git and real directories."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rixin.clients.skills.marker import MARKER_FILE
from rixin.clients.skills.source import SourceName
from tests.cli.program import Invoke
from tests.clients.skills.official import FILES, NAMES, make_official
from tests.clients.skills.sources import Repository, make_repository, skill_text, tree, write_skill

KEY = "sk-rx-canary-5f1d"


@pytest.fixture
def home(tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home directory, without agents."""
    assert invoke
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    for name in ("OPENCLAW_STATE_DIR", "OPENCLAW_HOME", "HERMES_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def official(tmp_path: Path) -> Repository:
    """A repository like SenseNova's."""
    return make_official(tmp_path / "official")


def run(invoke: Invoke, *arguments: str, code: int = 0) -> str:
    """What a command prints, which must end with a code."""
    result = invoke("skills", *arguments)
    assert result.exit_code == code, result.output
    return result.stdout


def run_json(invoke: Invoke, *arguments: str, code: int = 0) -> Any:
    """The same, as JSON."""
    return json.loads(run(invoke, *arguments, "--json", code=code))


def error(invoke: Invoke, *arguments: str) -> str:
    """The error that a command ends with."""
    result = invoke("skills", *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    return result.stderr


def test_the_official_skills_are_installed(invoke: Invoke, home: Path, official: Repository) -> None:
    """Every skill of `skills/` with all its files, nested ones inside, nothing else of the repository."""
    printed = run(invoke, "install", official.url, "--agent", "openclaw")
    assert printed == "".join(f"openclaw: {name} added\n" for name in NAMES)
    skills = home / ".openclaw/skills"
    there = {path: text for path, text in tree(skills).items() if not path.endswith(MARKER_FILE)}
    assert there == {path.removeprefix("skills/"): text for path, text in FILES.items() if path.startswith("skills/")}
    runner = skills / "sn-image-base/scripts/sn_agent_runner.py"
    assert subprocess.run([runner], capture_output=True, check=True, timeout=60).stdout == b"ok\n"


def test_mistakes_within_a_skill_are_told(invoke: Invoke, home: Path, official: Repository) -> None:
    """A nested skill that no agent would list is installed with a word about it."""
    result = invoke("skills", "install", official.url, "--agent", "hermes")
    assert "sn-da-excel-workflow/capability/styling/Table_Theme/SKILL.md: `name` is 'Table_Theme'" in result.stderr
    assert (home / ".hermes/skills/sn-da-excel-workflow/capability/styling/Table_Theme/SKILL.md").is_file()


def test_several_agents_at_once(
    invoke: Invoke, home: Path, official: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fetch, every agent's own folder, wherever a variable says that it is."""
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex"))
    agents = [word for name in ("claude", "codex", "./mine") for word in ("--agent", name)]
    run(invoke, "install", official.url, "--skill", "sn-image-base", *agents)
    for folder in (home / ".claude/skills", tmp_path / "codex/skills", tmp_path / "mine"):
        assert [item.name for item in folder.iterdir()] == ["sn-image-base"]


def test_list_and_verify(invoke: Invoke, home: Path, official: Repository) -> None:
    """What is there, from which commit; drift is named and ends with code 1."""
    run(invoke, "install", official.url, "--agent", "openclaw")
    commit = official.git("rev-parse", "HEAD")
    listed = run_json(invoke, "list")
    assert [entry["name"] for entry in listed] == NAMES
    assert {(entry["agent"], entry["source"], entry["version"]) for entry in listed} == {
        ("openclaw", official.url, commit)
    }
    table = run(invoke, "list").splitlines()
    assert table[0].split() == ["AGENT", "NAME", "FROM", "VERSION", "INSTALLED", "STATE"]
    assert table[1].split()[:4] == ["openclaw", NAMES[0], official.url, commit[:12]]
    assert run(invoke, "verify") == ""
    base = home / ".openclaw/skills/sn-image-base"
    (base / "SKILL.md").write_text("changed")
    (base / "requirements.txt").unlink()
    (base / "notes.md").write_text("added")
    assert run(invoke, "verify", code=1) == (
        "openclaw: sn-image-base: changed: SKILL.md; missing: requirements.txt; extra: notes.md\n"
    )
    assert run(invoke, "verify", "sn-search-image") == ""
    drifted = [entry for entry in run_json(invoke, "verify", code=1) if entry["changed"]]
    assert [(entry["changed"], entry["missing"], entry["extra"]) for entry in drifted] == [
        (["SKILL.md"], ["requirements.txt"], ["notes.md"])
    ]
    assert "not installed by rixin" in error(invoke, "verify", "absent")


def test_update_fetches_again(invoke: Invoke, home: Path, official: Repository) -> None:
    """Changed skills are replaced, the others not; what is new upstream is not installed, what is gone stays."""
    run(invoke, "install", official.url, "--agent", "openclaw")
    (official.path / "skills/sn-image-base/lib/llm/adapter.py").write_text("VALUE = 2\n")
    official.git("rm", "-r", "--quiet", "skills/sn-search-image")
    write_skill(official.path / "skills", "sn-new")
    write_skill(official.path / "skills", "sn-broken", {"SKILL.md": "broken"})
    commit = official.commit()
    done = run(invoke, "update", code=1)
    assert "openclaw: sn-image-base replaced\n" in done
    assert f"openclaw: sn-search-image gone ({official.url} has it no longer)\n" in done
    assert done.count("unchanged") == 2
    base = home / ".openclaw/skills/sn-image-base"
    assert (base / "lib/llm/adapter.py").read_text() == "VALUE = 2\n"
    assert json.loads((base / MARKER_FILE).read_text())["version"] == commit
    assert run(invoke, "update", "sn-image-base") == "openclaw: sn-image-base unchanged\n"


def test_update_keeps_edits(invoke: Invoke, home: Path, official: Repository) -> None:
    """An edited skill stays until it is forced; the backup then has it."""
    run(invoke, "install", official.url, "--agent", "openclaw", "--skill", "sn-image-base")
    edited = home / ".openclaw/skills/sn-image-base/requirements.txt"
    edited.write_text("mine")
    (official.path / "skills/sn-image-base/requirements.txt").write_text("theirs")
    official.commit()
    kept = run(invoke, "update", code=1)
    assert kept == "openclaw: sn-image-base kept (edited here: requirements.txt)\n"
    assert edited.read_text() == "mine"
    (forced,) = run_json(invoke, "update", "--force")
    assert edited.read_text() == "theirs"
    assert (Path(forced["backup"]) / "sn-image-base/requirements.txt").read_text() == "mine"


def test_each_agent_has_its_own(invoke: Invoke, home: Path, official: Repository) -> None:
    """A name counts for the agents that have such a skill; one that none has is an error."""
    run(invoke, "install", official.url, "--agent", "claude", "--skill", "sn-image-base")
    run(invoke, "install", official.url, "--agent", "codex", "--skill", "sn-search-image")
    both = ("--agent", "claude", "--agent", "codex")
    assert run(invoke, "update", "sn-search-image", *both) == "codex: sn-search-image unchanged\n"
    assert run(invoke, "update", "sn-search-image", "sn-image-base") == (
        "claude: sn-image-base unchanged\ncodex: sn-search-image unchanged\n"
    )
    assert run(invoke, "verify", "sn-image-base", *both) == ""
    assert "absent: not installed by rixin for any of these agents" in error(invoke, "update", "absent", *both)


def test_update_follows_the_ref_and_the_directory(invoke: Invoke, home: Path, tmp_path: Path) -> None:
    """A skill of a branch stays on it, one of a directory follows the directory, Rixin's own the package."""
    repository = make_repository(tmp_path / "repository")
    write_skill(repository.path, "branched", {"a.md": "1"})
    repository.commit()
    repository.git("branch", "stable")
    (repository.path / "branched/a.md").write_text("2")
    repository.commit()
    local = write_skill(tmp_path / "local", "local", {"a.md": "1"})
    run(invoke, "install", repository.url, "--ref", "stable", "--agent", "claude")
    run(invoke, "install", str(tmp_path / "local"), "--agent", "claude")
    run(invoke, "install", "--agent", "claude")
    (local / "a.md").write_text("2")
    assert run(invoke, "update") == "claude: branched unchanged\nclaude: local replaced\nclaude: rixin unchanged\n"
    assert (home / ".claude/skills/branched/a.md").read_text() == "1"
    assert (home / ".claude/skills/local/a.md").read_text() == "2"


def test_update_does_not_trust_a_marker(invoke: Invoke, home: Path, official: Repository, tmp_path: Path) -> None:
    """A marker that somebody wrote another address into is checked like what a user types."""
    run(invoke, "install", official.url, "--agent", "claude", "--skill", "sn-image-base")
    marker = home / ".claude/skills/sn-image-base" / MARKER_FILE
    written = json.loads(marker.read_text())
    written["source"]["location"] = f"ext::touch {tmp_path}/pwned"
    marker.write_text(json.dumps(written))
    assert "refused: a git URL begins with" in error(invoke, "update")
    assert not (tmp_path / "pwned").exists()


def test_remove(invoke: Invoke, home: Path, official: Repository) -> None:
    """What was installed goes, what was added stays, and nothing that rixin did not install is touched."""
    run(invoke, "install", official.url, "--agent", "codex")
    write_skill(home / ".codex/skills", "mine")
    (home / ".codex/skills/sn-image-base/notes.md").write_text("mine")
    assert "mine: not installed by rixin" in error(invoke, "remove", "mine", "--agent", "codex")
    removed = run(invoke, "remove", *NAMES, "--agent", "codex")
    assert "codex: sn-image-base removed; left there: notes.md\n" in removed
    assert tree(home / ".codex/skills") == {"mine/SKILL.md": skill_text("mine"), "sn-image-base/notes.md": "mine"}
    assert run_json(invoke, "list") == []


def test_dry_runs(invoke: Invoke, home: Path, official: Repository) -> None:
    """They tell what would be done, and do nothing."""
    told = run(invoke, "install", official.url, "--agent", "hermes", "--dry-run")
    assert told == "".join(f"hermes: {name} would be added\n" for name in NAMES)
    assert list(home.iterdir()) == []
    run(invoke, "install", official.url, "--agent", "hermes")
    before = tree(home)
    (official.path / "skills/sn-image-base/requirements.txt").write_text("2")
    official.commit()
    assert "sn-image-base would be replaced" in run(invoke, "update", "--dry-run")
    assert "sn-image-base would be removed" in run(invoke, "remove", "sn-image-base", "--agent", "hermes", "--dry-run")
    assert tree(home) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ext::sh -c true"], "refused"),
        (["https://me:hunter2@git.example/a"], "user name or password"),
        (["absent"], "neither a directory nor a git URL"),
        (["--ref", "main"], "only a git URL"),
        (["--skill", "absent"], "no skill absent; it has rixin"),
        (["--path", "absent"], "no skill in absent"),
    ],
)
def test_what_cannot_be_installed(invoke: Invoke, home: Path, arguments: list[str], says: str) -> None:
    """Each mistake has its sentence, and nothing is made."""
    assert says in error(invoke, "install", *arguments, "--agent", "claude")
    assert list(home.iterdir()) == []


def test_a_source_with_a_bad_skill_installs_nothing(invoke: Invoke, home: Path, tmp_path: Path) -> None:
    """All or nothing: a broken skill is named, and `--skill` installs the others."""
    write_skill(tmp_path / "source", "good")
    write_skill(tmp_path / "source", "linked")
    (tmp_path / "source/linked/passwd").symlink_to("/etc/passwd")
    assert "'linked/passwd' is a symbolic link" in error(invoke, "install", "source", "--agent", "claude")
    assert list(home.iterdir()) == []
    assert run(invoke, "install", "source", "--agent", "claude", "--skill", "good") == "claude: good added\n"


def test_an_option_in_the_place_of_a_url(invoke: Invoke, home: Path) -> None:
    """What begins with a hyphen reaches git in no way."""
    result = invoke("skills", "install", "--agent", "claude", "--", "--upload-pack=touch pwned")
    assert result.exit_code == 1
    assert "refused" in result.stderr
    assert list(home.iterdir()) == []


def test_own_skill(invoke: Invoke, home: Path) -> None:
    """Without a source, the skill that teaches how to use this server."""
    assert run(invoke, "install", "--agent", "claude") == "claude: rixin added\n"
    assert (home / ".claude/skills/rixin/SKILL.md").is_file()
    (listed,) = run_json(invoke, "list")
    assert listed["source"] == str(SourceName(kind="bundled"))


def test_env_points_the_skills_here(invoke: Invoke, home: Path) -> None:
    """Address and key are set where the skills of SenseNova read them; the key is on no screen."""
    path = home / ".openclaw/.env"
    path.parent.mkdir()
    path.write_text("# mine\nOTHER='a b'\nSN_BASE_URL=https://token.sensenova.cn/v1\n")
    result = invoke("skills", "env", "--agent", "openclaw", "--api-key", KEY, "--base-url", "http://127.0.0.1:9000")
    assert result.exit_code == 0
    assert KEY not in result.output
    assert path.read_text() == (f"# mine\nOTHER='a b'\nSN_BASE_URL=http://127.0.0.1:9000/v1\nSN_API_KEY={KEY}\n")
    assert "set SN_BASE_URL=http://127.0.0.1:9000/v1 and SN_API_KEY (not shown) in" in result.stdout
    (backup,) = home.glob(".openclaw/.env.*.bak")
    assert "token.sensenova.cn" in backup.read_text()
    again = invoke("skills", "env", "--agent", "openclaw", "--api-key", KEY, "--base-url", "http://127.0.0.1:9000")
    assert again.stdout.startswith("unchanged: ")
    assert len(list(home.glob(".openclaw/*"))) == 2
    shell = subprocess.run(
        ["sh", "-c", f'. "{path}"; echo "$SN_BASE_URL $SN_API_KEY $OTHER"'], capture_output=True, check=True, timeout=60
    )
    assert shell.stdout.decode() == f"http://127.0.0.1:9000/v1 {KEY} a b\n"


def test_env_uses_the_first_key_of_this_machine(invoke: Invoke, home: Path, data_dir: Path) -> None:
    """Without address and key those of the server on this machine."""
    data_dir.mkdir()
    (data_dir / "first-key").write_text(f"{KEY}\n")
    assert KEY not in run(invoke, "env", "--agent", "hermes")
    assert (home / ".hermes/.env").read_text() == f"SN_API_KEY={KEY}\nSN_BASE_URL=http://127.0.0.1:8700/v1\n"


def test_env_in_a_dry_run_writes_nothing(invoke: Invoke, home: Path) -> None:
    """It tells the file, and not the key."""
    told = run(invoke, "env", "--agent", "hermes", "--api-key", KEY, "--dry-run")
    assert told.startswith("would set SN_BASE_URL=http://127.0.0.1:8700/v1 and SN_API_KEY (not shown) in ")
    assert KEY not in told
    assert list(home.iterdir()) == []


def test_env_for_agents_without_a_file_of_their_own(invoke: Invoke, home: Path, tmp_path: Path) -> None:
    """The skills then read the .env of the directory they work in, which must be named."""
    assert "name the .env of the directory" in error(invoke, "env", "--agent", "claude", "--api-key", KEY)
    assert "say where" in error(invoke, "env", "--api-key", KEY)
    run(invoke, "env", "--file", str(tmp_path / "project/.env"), "--api-key", KEY)
    assert KEY in (tmp_path / "project/.env").read_text()


def test_env_tells_of_variables_that_count_more(invoke: Invoke, home: Path) -> None:
    """A model's own address, set earlier, would silently win."""
    path = home / ".hermes/.env"
    path.parent.mkdir()
    path.write_text("SN_CHAT_BASE_URL=https://other.example/v1\nSN_IMAGE_GEN_API_KEY=secret-5\nSN_TEXT_MODEL=\n")
    result = invoke("skills", "env", "--agent", "hermes", "--api-key", KEY)
    assert "The skills look at SN_CHAT_BASE_URL, SN_IMAGE_GEN_API_KEY first" in result.stderr
    assert "secret-5" not in result.output


def test_env_without_a_key(invoke: Invoke, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written that would not work; a server without keys takes any."""
    assert "there is no key to write" in error(invoke, "env", "--agent", "hermes")
    assert list(home.iterdir()) == []
    monkeypatch.setenv("RIXIN_AUTH", "off")
    run(invoke, "env", "--agent", "hermes")
    assert "SN_API_KEY=none\n" in (home / ".hermes/.env").read_text()
