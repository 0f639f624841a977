"""The agents whose folders are known, and where those are.

Sources: the SenseNova token platform guide, section 2.1 (OpenClaw, hermes), and each agent's own documentation for the
variables that move its home.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from rixin.errors import invalid


class Agent(Struct, frozen=True, kw_only=True):
    """Where an agent keeps what it has learnt."""

    name: str
    skills: Path
    env_file: Path | None = None
    """The file of variables that it and its skills read; None where it has none of its own."""


class _Home(Struct, frozen=True):
    variables: tuple[tuple[str, str], ...]
    """Variables that move it, the first that is set counts, and what is appended to the value."""
    usual: str
    env_file: str | None = None


_HOMES: dict[str, _Home] = {
    "openclaw": _Home((("OPENCLAW_STATE_DIR", ""), ("OPENCLAW_HOME", ".openclaw")), ".openclaw", ".env"),
    "hermes": _Home((("HERMES_HOME", ""),), ".hermes", ".env"),
    "claude": _Home((("CLAUDE_CONFIG_DIR", ""),), ".claude"),
    "codex": _Home((("CODEX_HOME", ""),), ".codex"),
}
AGENTS = tuple(_HOMES)


def find_agent(text: str, environ: Mapping[str, str], home: Path) -> Agent:
    """The agent of a name, or the one whose skills lie in a directory.

    Args:
        text: A name of `AGENTS`, or a path that shows it is one by a separator, a dot or a tilde.
        environ: Where agents are told that they live elsewhere.
        home: The user's home directory.

    Raises:
        RixinError: `INVALID_REQUEST` when it is neither.
    """
    if text in _HOMES:
        where = _HOMES[text]
        root = next((Path(environ[name]) / below for name, below in where.variables if environ.get(name)), None)
        root = (root or home / where.usual).expanduser().absolute()
        return Agent(name=text, skills=root / "skills", env_file=root / where.env_file if where.env_file else None)
    if text.startswith((".", "~")) or "/" in text or os.sep in text:
        path = Path(text).expanduser().absolute()
        if path == path.parent:
            raise invalid(f"{path} cannot be a folder of skills", "agent")
        return Agent(name=str(path), skills=path)
    raise invalid(f"there is no agent {text!r}; give {', '.join(AGENTS)}, or a directory such as ./skills", "agent")


def present_agents(environ: Mapping[str, str], home: Path) -> list[Agent]:
    """The known agents that have a folder for skills here."""
    return [agent for name in AGENTS if (agent := find_agent(name, environ, home)).skills.is_dir()]
