"""The pages of the documentation: their code blocks, and what their commands print."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.server import ROOT

DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def all_blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of every code block, in order."""
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of one language, in order."""
    return [text for name, text in all_blocks(page) if name == language]


def run(commands: str, url: str, environ: Mapping[str, str], *, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """What commands print when the server is elsewhere; every one must succeed."""
    commands = commands.replace("http://127.0.0.1:8700", url).replace(".venv/bin/rixin", f"{sys.executable} -m rixin")
    done = subprocess.run(
        ["bash", "-euc", commands], check=False, capture_output=True, text=True, env=environ, cwd=cwd, timeout=280
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
    return done
