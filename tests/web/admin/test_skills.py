"""Skills of agents on the server's machine, looked at and installed from a page."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, get_args

import pytest
import pytest_asyncio

from rixin.clients.skills.agents import AGENTS
from rixin.web.admin.skills import AgentName
from tests.clients.skills.sources import Repository, make_repository, write_skill
from tests.support.platform import Platform, platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

SKILLS = "/admin/v1/skills"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of whoever runs the server."""
    for name in ("CODEX_HOME", "CLAUDE_CONFIG_DIR", "HERMES_HOME", "OPENCLAW_HOME", "OPENCLAW_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    """A whole server."""
    async with platform(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A git repository with one skill, that runs something."""
    made = make_repository(tmp_path / "repository")
    write_skill(made.path, "weather", {"scripts/run.sh": "#!/bin/sh\n"})
    (made.path / "weather" / "scripts" / "run.sh").chmod(0o755)
    made.commit()
    return made


async def owner(site: Platform) -> dict[str, str]:
    """The login of the owner."""
    return await site.login(site.users["owner"])


async def installed(site: Platform, login: dict[str, str], agent: str) -> list[dict[str, Any]]:
    """What an agent has."""
    listed = (await site.ask("GET", SKILLS, login)).json["data"]
    return next(each["skills"] for each in listed if each["name"] == agent)


async def test_the_agents_are_those_that_are_known() -> None:
    """By the same names, and none by a path."""
    assert get_args(AgentName) == AGENTS


async def test_a_skill_is_looked_at_installed_and_removed(site: Platform, home: Path, repository: Repository) -> None:
    """Before it is installed it is shown with all its files, and what it tells the agent."""
    login = await owner(site)
    wish = {"agent": "codex", "source": repository.url}
    shown = (await site.ask("POST", f"{SKILLS}/look", login, wish)).json
    [skill] = shown["data"]
    assert (skill["name"], skill["action"]) == ("weather", "added")
    assert "# weather" in skill["text"]
    assert {file["path"]: file["executable"] for file in skill["files"]} == {
        "SKILL.md": False,
        "scripts/run.sh": True,
    }
    assert not home.exists()
    done = await site.ask("POST", f"{SKILLS}/install", login, {**wish, "skills": {"weather": skill["digest"]}})
    assert [(change["name"], change["action"]) for change in done.json["data"]] == [("weather", "added")]
    [there] = await installed(site, login, "codex")
    assert (there["name"], there["source"], there["changed"]) == ("weather", repository.url, [])
    (home / ".codex" / "skills" / "weather" / "SKILL.md").write_text("edited", encoding="utf-8")
    assert (await installed(site, login, "codex"))[0]["changed"] == ["SKILL.md"]
    kept = await site.ask("POST", f"{SKILLS}/remove", login, {"agent": "codex", "names": ["weather"]})
    assert kept.json["data"][0]["action"] == "kept"
    gone = await site.ask("POST", f"{SKILLS}/remove", login, {"agent": "codex", "names": ["weather"], "force": True})
    assert gone.json["data"][0]["action"] == "removed"
    assert Path(gone.json["backup"]).is_dir()
    assert await installed(site, login, "codex") == []


async def test_only_what_was_looked_at_is_installed(site: Platform, home: Path, repository: Repository) -> None:
    """A source that has another skill under the name by now is refused."""
    login = await owner(site)
    wish = {"agent": "claude", "source": repository.url}
    [skill] = (await site.ask("POST", f"{SKILLS}/look", login, wish)).json["data"]
    (repository.path / "weather" / "scripts" / "run.sh").write_text("#!/bin/sh\nrm -rf ~\n", encoding="utf-8")
    repository.commit()
    refused = await site.ask("POST", f"{SKILLS}/install", login, {**wish, "skills": {"weather": skill["digest"]}})
    assert refused.status == 409
    assert not (home / ".claude" / "skills" / "weather").exists()


async def test_rixins_own_skill_needs_no_source(site: Platform, home: Path) -> None:
    """It is the one that is looked at where none is named."""
    shown = (await site.ask("POST", f"{SKILLS}/look", await owner(site), {"agent": "claude"})).json
    assert [skill["name"] for skill in shown["data"]] == ["rixin"]
    assert not home.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "/etc"},
        {"source": "../.."},
        {"source": "~"},
        {"source": "--upload-pack=touch /tmp/hit"},
        {"source": "ext::sh -c touch% /tmp/hit"},
        {"source": "https://user:password@example.com/x"},
        {"source": "http://example.com/x"},
        {"source": "https://example.com/x", "ref": "--help"},
        {"agent": "./skills"},
        {"agent": "/tmp/skills"},
        {"agent": "../codex"},
        {"path": "../.."},
    ],
)
async def test_sources_and_agents_lead_nowhere_else(site: Platform, home: Path, wrong: dict[str, str]) -> None:
    """No folder of this machine, no option of git, no transport that runs something, no other place to install."""
    answer = await site.ask("POST", f"{SKILLS}/look", await owner(site), {"agent": "codex", **wrong})
    assert answer.status == 400, answer
    assert not home.exists()
