"""Every command and configuration of the page about providers, executed."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rixin.cli.provider_rules import provider_rules
from rixin.routing.known_provider import known_provider
from rixin.settings import load
from tests.cli.program import environment, serving, until
from tests.cli.test_provider_import import LITELLM, SENSENOVA
from tests.support.server import ROOT
from tests.upstreams.scripted import ScriptedUpstream, answer

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
FAR = ("add sensenova", "import providers.json", "import config.yaml")
"""What would ask providers that a test must leave alone, and is run without asking."""

pytestmark = pytest.mark.timeout(300)


def blocks(language: str) -> list[str]:
    """The blocks of the page, in order."""
    return [match[2] for match in BLOCK.finditer(PAGE) if match[1] == language]


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    """A provider of the user's own."""
    async with ScriptedUpstream(answer(json.dumps({"data": [{"id": "m"}]}))) as running:
        yield running


async def test_commands(tmp_path: Path, upstream: ScriptedUpstream) -> None:
    """All of them, one after the other, before a running server, as its user runs them."""
    data_dir = tmp_path / "data"
    # A provider of its own, so that no model is pulled.
    (tmp_path / "rixin.toml").write_text(f'[[providers]]\nname = "here"\nbase_url = "{upstream.url}"\n')
    (tmp_path / "providers.json").write_text(json.dumps(SENSENOVA).replace('"sensenova"', '"imported"', 1))
    (tmp_path / "config.yaml").write_text(LITELLM)
    async with serving(data_dir, "--json") as process:
        url = json.loads(await until(process, "listening"))["url"]
        commands = "\n".join(blocks("sh")).replace("http://127.0.0.1:8700", url)
        commands = commands.replace("http://127.0.0.1:9000/v1", upstream.url)
        commands = commands.replace(".venv/bin/rixin", f"{sys.executable} -m rixin")
        for command in FAR:
            assert command in commands
            commands = commands.replace(command, f"{command} --no-check")
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-euc", commands],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(data_dir),
            timeout=240,
        )
    assert done.returncode == 0, done.stderr
    assert '"error"' not in done.stdout
    for text in (
        "added sensenova at https://token.sensenova.cn/v1, with the key ...",
        f"added mine at {upstream.url}",
        "mine has the key ...",
        "removed mine",
        "are valid: 1 providers",
        "(efforts; says documentation of sensenova-6.7-flash-lite)",
        "added imported at",
        "added moonshot at",
        '"priority":1',
        '"key_is_set"',
    ):
        assert text in done.stdout, text


def test_configurations(tmp_path: Path) -> None:
    """Each is valid, and each of its providers can be served."""
    for text in blocks("toml"):
        path = tmp_path / "rixin.toml"
        path.write_text(text, encoding="utf-8")
        settings = load(path, environ={"SENSENOVA_API_KEY": "sk-of-nobody"})
        entries = [known_provider(provider, provider_rules({}), source="configured") for provider in settings.providers]
        assert [entry.preset.name for entry in entries] == ["sensenova", "ollama"]
        assert entries[1].provider.base_url == "http://127.0.0.1:11434/v1"
