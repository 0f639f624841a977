"""Where agents keep their skills."""

from pathlib import Path

import pytest

from rixin.clients.skills.agents import find_agent, present_agents
from rixin.errors import RixinError

HOME = Path("/home/me")


@pytest.mark.parametrize(
    ("name", "environ", "skills", "env_file"),
    [
        ("openclaw", {}, "/home/me/.openclaw/skills", "/home/me/.openclaw/.env"),
        ("openclaw", {"OPENCLAW_STATE_DIR": "/o"}, "/o/skills", "/o/.env"),
        ("openclaw", {"OPENCLAW_HOME": "/srv"}, "/srv/.openclaw/skills", "/srv/.openclaw/.env"),
        ("openclaw", {"OPENCLAW_HOME": "/srv", "OPENCLAW_STATE_DIR": "/o"}, "/o/skills", "/o/.env"),
        ("hermes", {}, "/home/me/.hermes/skills", "/home/me/.hermes/.env"),
        ("hermes", {"HERMES_HOME": "/h"}, "/h/skills", "/h/.env"),
        ("claude", {}, "/home/me/.claude/skills", None),
        ("claude", {"CLAUDE_CONFIG_DIR": "/c"}, "/c/skills", None),
        ("codex", {}, "/home/me/.codex/skills", None),
        ("codex", {"CODEX_HOME": "/x"}, "/x/skills", None),
        ("codex", {"CODEX_HOME": ""}, "/home/me/.codex/skills", None),
        ("/srv/skills", {}, "/srv/skills", None),
    ],
)
def test_homes(name: str, environ: dict[str, str], skills: str, env_file: str | None) -> None:
    """The usual folder, unless the agent is told by its own variable that it lives elsewhere."""
    agent = find_agent(name, environ, HOME)
    assert str(agent.skills) == skills
    assert (str(agent.env_file) if agent.env_file else None) == env_file


def test_a_directory_shows_that_it_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a separator, a dot or a tilde; a word alone is a misspelt agent."""
    monkeypatch.chdir(tmp_path)
    assert find_agent("./skills", {}, HOME).skills == tmp_path / "skills"
    assert find_agent("a/b", {}, HOME).skills == tmp_path / "a/b"
    with pytest.raises(RixinError, match="no agent 'cluade'; give openclaw, hermes, claude, codex, or a directory"):
        find_agent("cluade", {}, HOME)
    with pytest.raises(RixinError, match="cannot be a folder of skills"):
        find_agent("/", {}, HOME)


def test_present_agents(tmp_path: Path) -> None:
    """Those that have a folder for skills."""
    (tmp_path / ".hermes/skills").mkdir(parents=True)
    (tmp_path / ".codex").mkdir()
    assert [agent.name for agent in present_agents({}, tmp_path)] == ["hermes"]
