"""Every command and configuration of the page about providers, executed."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rixin.cli.provider_rules import provider_rules
from rixin.routing.known_provider import known_provider
from rixin.settings import load
from tests.cli.program import environment, serving, until
from tests.cli.test_provider_import import LITELLM, SENSENOVA
from tests.support.pages import DOCS, blocks, run
from tests.upstreams.scripted import ScriptedUpstream, answer

PAGE = DOCS / "providers.md"
FAR = ("add sensenova", "import providers.json", "import config.yaml")
"""What would ask providers that a test must leave alone, and is run without asking."""

pytestmark = pytest.mark.timeout(300)


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
        commands = "\n".join(blocks(PAGE, "sh")).replace("http://127.0.0.1:9000/v1", upstream.url)
        for command in FAR:
            assert command in commands
            commands = commands.replace(command, f"{command} --no-check")
        done = await asyncio.to_thread(run, commands, url, environment(data_dir), cwd=tmp_path)
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
    for text in blocks(PAGE, "toml"):
        path = tmp_path / "rixin.toml"
        path.write_text(text, encoding="utf-8")
        settings = load(path, environ={"SENSENOVA_API_KEY": "sk-of-nobody"})
        entries = [known_provider(provider, provider_rules({}), source="configured") for provider in settings.providers]
        assert [entry.preset.name for entry in entries] == ["sensenova", "ollama"]
        assert entries[1].provider.base_url == "http://127.0.0.1:11434/v1"
