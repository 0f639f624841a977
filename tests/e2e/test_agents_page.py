"""Every command of the page about agents, executed with a running server."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from rixin.clients.connect.agents import AGENTS
from rixin.clients.connect.connection import tokens_of
from rixin.settings import load
from tests.support.server import ROOT, Server

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.timeout(300)


def test_the_page(server: Server, tmp_path: Path, program: Callable[[str], str]) -> None:
    """From its top to its end, in a home of its own; Claude Code is a program that tells its arguments."""
    program("bash")
    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    (programs / "claude").write_text('#!/bin/sh\necho "claude got $*"\n', encoding="utf-8")
    (programs / "claude").chmod(0o755)
    commands = "\n".join(text for language, text in BLOCK.findall(PAGE) if language == "sh")
    commands = re.sub(r"\.venv/bin/rixin ", f"{sys.executable} -m rixin ", commands)
    environ = server.environ | {
        "HOME": str(home),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "RIXIN_API_KEY": server.key,
        "RIXIN_BASE_URL": server.url,
        "RIXIN_DATA_DIR": str(server.data_dir),
    }
    done = subprocess.run(
        ["bash", "-euc", commands], check=False, capture_output=True, text=True, env=environ, cwd=home, timeout=280
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
    assert server.key not in done.stdout + done.stderr
    assert re.search(r"reads [\d,]+ prompt tokens/s, measured just now", done.stderr)
    assert re.search(r"claude got --settings \S+ -p hi$", done.stdout, re.MULTILINE)
    settings = json.loads((home / ".claude" / "settings.json").read_text(encoding="utf-8"))
    assert settings["env"]["ANTHROPIC_MODEL"] == "sensenova-6.7-flash-lite"
    assert settings["env"]["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "32768"
    assert list((home / ".codex").iterdir()) == []


def test_its_figures_are_those_of_the_program() -> None:
    """The sizes of first requests, and the names of agents."""
    for agent in AGENTS.values():
        assert re.search(
            rf"\| {agent.title}.* \| {agent.first_turn // 1000} kB \| {tokens_of(agent.first_turn):,} tokens", PAGE
        )
        assert re.search(rf"\| `{agent.name}` \| .* \| `{agent.home_variable}` \|", PAGE)


def test_its_configuration_is_valid(tmp_path: Path) -> None:
    """As a part of a file of its own."""
    (text,) = (text for language, text in BLOCK.findall(PAGE) if language == "toml")
    assert tomllib.loads(text)
    file = tmp_path / "rixin.toml"
    file.write_text(text, encoding="utf-8")
    assert load(file).aliases["claude-haiku-*"] == "local"
