"""Coding agents as their users run them, each in a home of its own."""

import asyncio
import json
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.conftest import AGENT_PLACES
from tests.profiles.strict_upstream import SENSENOVA, Rules
from tests.support.databases import served_environment
from tests.support.server import Server

HANG_LIMIT = 180.0
"""Seconds; an agent's round trip takes two to ten."""


@dataclass(frozen=True)
class Ran:
    """What became of an agent's run."""

    code: int
    out: str
    err: str


Run: TypeAlias = Callable[[list[str], Mapping[str, str]], Awaitable[Ran]]
Ask: TypeAlias = Callable[[Server, str, str], Awaitable[Ran]]
"""Asks an agent that is set up for a server: with a model, a prompt."""


@dataclass(frozen=True)
class Nonce:
    """A file that holds a word which nobody can know without reading it."""

    path: Path
    word: str


@pytest.fixture(params=[None, SENSENOVA], ids=["lenient", "strict"])
def rules(request: pytest.FixtureRequest) -> Rules | None:
    """What an upstream refuses."""
    return request.param


@pytest.fixture
def nonce(tmp_path: Path) -> Callable[[], Nonce]:
    """Makes such a file."""

    def make() -> Nonce:
        made = Nonce(tmp_path / "work" / "nonce.txt", f"nonce-{secrets.token_hex(8)}")
        made.path.write_text(made.word + "\n", encoding="utf-8")
        return made

    return make


@pytest.fixture
def run_agent(tmp_path: Path) -> Run:
    """Runs an agent in `work`, in an empty home, with nothing of this environment but the path."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()

    async def run(command: list[str], env: Mapping[str, str]) -> Ran:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=work,
            env={
                "PATH": os.pathsep.join([os.environ["PATH"], *AGENT_PLACES]),
                "HOME": str(home),
                "TERM": "dumb",
                **env,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(HANG_LIMIT):
                out, err = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    return run


@pytest.fixture
def codex(program: Callable[[str], str], run_agent: Run, tmp_path: Path) -> Ask:
    """Codex, with the configuration that `rixin connect` writes."""
    command = [program("codex"), "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    home = {"CODEX_HOME": str(tmp_path / "home" / ".codex")}

    async def ask(server: Server, model: str, prompt: str) -> Ran:
        connect = server.cli("connect", "codex", "--url", server.url, "--model", model, "--yes")
        wired = await run_agent(connect, home | served_environment(server.data_dir))
        assert wired.code == 0, wired.out + wired.err
        return await run_agent([*command, prompt], home)

    return ask


@pytest.fixture
def claude(program: Callable[[str], str], run_agent: Run) -> Ask:
    """Claude Code, as `rixin connect` starts it."""
    program("claude")

    async def ask(server: Server, model: str, prompt: str) -> Ran:
        started = server.cli("connect", "claude", "--url", server.url, "--model", model, "--yes", "--run")
        said = ["--", "-p", "--dangerously-skip-permissions", prompt]
        return await run_agent([*started, *said], {"IS_SANDBOX": "1"} | served_environment(server.data_dir))

    return ask


@pytest.fixture
def gemini(program: Callable[[str], str], run_agent: Run, tmp_path: Path) -> Ask:
    """Gemini CLI, told by its environment where the server is."""
    command = [program("gemini"), "--yolo"]
    folder = tmp_path / "home" / ".gemini"
    folder.mkdir()
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False}}
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")

    async def ask(server: Server, model: str, prompt: str) -> Ran:
        environ = {
            "GOOGLE_GEMINI_BASE_URL": server.url,
            "GEMINI_API_KEY": server.key,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        }
        return await run_agent([*command, "-m", model, "-p", prompt], environ)

    return ask
