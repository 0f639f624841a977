"""Every command of the page about agents, executed with a running server."""

import json
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from rixin.clients.connect.agents import AGENTS
from rixin.clients.connect.connection import tokens_of
from rixin.settings import load
from tests.support.pages import DOCS, blocks, run
from tests.support.server import Server

PAGE = DOCS / "agents.md"

pytestmark = pytest.mark.timeout(300)


def test_the_page(server: Server, tmp_path: Path, program: Callable[[str], str]) -> None:
    """From its top to its end, in a home of its own; Claude Code is a program that tells its arguments."""
    program("bash")
    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    (programs / "claude").write_text('#!/bin/sh\necho "claude got $*"\n', encoding="utf-8")
    (programs / "claude").chmod(0o755)
    environ = server.shell | {"HOME": str(home), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = run("\n".join(blocks(PAGE, "sh")), server.url, environ, cwd=home)
    assert server.key not in done.stdout + done.stderr
    assert re.search(r"reads [\d,]+ prompt tokens/s, measured just now", done.stderr)
    assert re.search(r"claude got --settings \S+ -p hi$", done.stdout, re.MULTILINE)
    settings = json.loads((home / ".claude" / "settings.json").read_text(encoding="utf-8"))
    assert settings["env"]["ANTHROPIC_MODEL"] == "sensenova-6.7-flash-lite"
    assert settings["env"]["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "32768"
    assert list((home / ".codex").iterdir()) == []


def test_its_figures_are_those_of_the_program() -> None:
    """The sizes of first requests, and the names of agents."""
    page = PAGE.read_text(encoding="utf-8")
    for agent in AGENTS.values():
        assert re.search(
            rf"\| {agent.title}.* \| {agent.first_turn // 1000} kB \| {tokens_of(agent.first_turn):,} tokens", page
        )
        assert re.search(rf"\| `{agent.name}` \| .* \| `{agent.home_variable}` \|", page)


def test_its_configuration_is_valid(tmp_path: Path) -> None:
    """As a part of a file of its own."""
    (text,) = blocks(PAGE, "toml")
    assert tomllib.loads(text)
    file = tmp_path / "rixin.toml"
    file.write_text(text, encoding="utf-8")
    assert load(file).aliases["claude-haiku-*"] == "local"
