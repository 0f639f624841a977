"""Every command, script and configuration of the READMEs, executed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rixin.settings import load
from tests.support.pages import all_blocks, run
from tests.support.server import ROOT, Server

SHOWN = "text"
"""What a program prints; it is shown, not run."""

pytestmark = pytest.mark.timeout(300)


BLOCKS = [(file.name, *block) for file in sorted(ROOT.glob("README*.md")) for block in all_blocks(file)]
"""File, language and text of every code block."""


def by_language(language: str) -> list[object]:
    """The blocks of one language, as parameters."""
    chosen = [(file, text) for file, name, text in BLOCKS if name == language]
    return [pytest.param(text, id=f"{file}-{index}") for index, (file, text) in enumerate(chosen)]


def test_every_block_is_of_a_kind_that_is_run() -> None:
    """No language slips in that nobody executes."""
    assert {language for _, language, _ in BLOCKS} == {"sh", "python", "toml", SHOWN}


@pytest.mark.parametrize("text", by_language("sh"))
def test_commands(text: str, server: Server, program: Callable[[str], str]) -> None:
    """Each command of a block succeeds and prints something; `make` targets are there."""
    for name in ("bash", "curl", "make"):
        program(name)
    commands = text.replace("sk-rx-...", server.key)
    if commands.startswith("make "):
        # The target itself is what CI and whoever reads this are running.
        commands = commands.replace("make ", "make --dry-run ")
    printed = run(commands, server.url, server.shell).stdout
    assert printed.strip()
    assert '"error"' not in printed


@pytest.mark.parametrize("text", by_language("python"))
def test_scripts(text: str, server: Server) -> None:
    """Each script prints an answer."""
    script = text.replace("http://127.0.0.1:8700", server.url)
    environ = server.environ | {"RIXIN_API_KEY": server.key}
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, env=environ, cwd=ROOT, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("text", by_language("toml"))
def test_configurations(text: str, tmp_path: Path) -> None:
    """Each configuration is valid."""
    path = tmp_path / "rixin.toml"
    path.write_text(text, encoding="utf-8")
    settings = load(path, environ={"SENSENOVA_API_KEY": "sk-1"})
    assert settings.providers[0].name == "sensenova"
    assert settings.aliases
