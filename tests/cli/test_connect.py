"""`rixin connect` against a real server, with real files."""

import asyncio
import json
import os
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from rixin.cli.app import app
from rixin.cli.connect import Name
from rixin.clients.connect.agents import AGENTS
from tests.cli.program import Result, environment, rixin
from tests.support.server import Server, start
from tests.upstreams.scripted import ScriptedUpstream, answer

CONFIG = """
[[providers]]
name = "up"
base_url = "{url}"
models = ["big", "small", "tiny"]
[[providers.overrides]]
name = "big"
context_length = 262144
max_output_length = 65536
[[providers.overrides]]
name = "small"
context_length = 32768
[[providers.overrides]]
name = "tiny"
context_length = 4096
"""
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "small",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 1, "total_tokens": 1001},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose provider is not there: what it serves is known all the same."""
    running, stop = start(tmp_path_factory.mktemp("server") / "data", config=CONFIG.format(url="http://127.0.0.1:9/v1"))
    yield running
    stop()


def settings_of(server: Server, home: Path, env: dict[str, str] | None) -> dict[str, str]:
    """What a user of the server's machine has set, whose home is given."""
    home.mkdir(exist_ok=True)
    return {"HOME": str(home), "RIXIN_PORT": str(urlsplit(server.url).port), **(env or {})}


def connect(server: Server, home: Path, *arguments: str, env: dict[str, str] | None = None) -> Result:
    """Runs the verb in this process."""
    wanted = environment(server.data_dir, settings_of(server, home, env))
    unwanted: dict[str, str | None] = {name: None for name in os.environ if name not in wanted}
    done = CliRunner().invoke(app, ["connect", *arguments], env={**unwanted, **wanted})
    return Result(done.exit_code, done.stdout, done.stderr)


async def connect_alone(
    server: Server, home: Path, *arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None
) -> Result:
    """Runs the verb in a process of its own."""
    return await rixin("connect", *arguments, data_dir=server.data_dir, env=settings_of(server, home, env), stdin=stdin)


def key_names(server: Server) -> list[str]:
    """What the server's keys are called."""
    files = (server.data_dir / "agents").glob("*.key")
    return sorted(file.name for file in files)


def codex_key(home: Path) -> str:
    """The key that Codex was given."""
    config = tomllib.loads((home / ".codex" / "config.toml").read_text(encoding="utf-8"))
    return config["model_providers"]["rixin"]["experimental_bearer_token"]


def test_every_agent_can_be_named() -> None:
    """The command line knows those that the room knows."""
    assert [name.value for name in Name] == list(AGENTS)


def test_codex_is_wired_with_a_key_of_its_own_and_unwired_again(server: Server, tmp_path: Path) -> None:
    """The key may ask for answers only, is shown nowhere, and is the same the next time."""
    home = tmp_path / "home"
    wired = connect(server, home, "codex", "--model", "big")
    assert wired.code == 0, wired.err
    key = codex_key(home)
    assert key.startswith("sk-rx-")
    assert key not in wired.out + wired.err
    assert key not in "".join(server.output)
    listed = subprocess.run(server.cli("keys", "list", "--json"), check=True, capture_output=True, env=server.environ)
    assert [(row["name"], row["scopes"]) for row in json.loads(listed.stdout) if row["name"] == "codex"] == [
        ("codex", ["inference"])
    ]
    again = connect(server, home, "codex", "--model", "big")
    assert "nothing is changed" in again.out
    assert codex_key(home) == key
    restored = connect(server, home, "codex", "--restore")
    assert restored.code == 0, restored.err
    assert list((home / ".codex").iterdir()) == []


def test_a_dry_run_shows_what_would_be_written_and_writes_nothing(server: Server, tmp_path: Path) -> None:
    """Not even a key is made."""
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    settings = home / ".claude" / "settings.json"
    settings.write_text('{\n  "model": "opus"\n}\n', encoding="utf-8")
    shown = connect(server, home, "claude", "--model", "big", "--dry-run")
    assert shown.code == 0, shown.err
    assert '+    "ANTHROPIC_MODEL": "big"' in shown.out
    assert "sk-rx-" not in shown.out
    assert settings.read_text(encoding="utf-8") == '{\n  "model": "opus"\n}\n'
    assert [path.name for path in settings.parent.iterdir()] == ["settings.json"]
    assert "claude.key" not in key_names(server)


def test_another_machines_server_makes_the_key_where_its_admin_asks(server: Server, tmp_path: Path) -> None:
    """With the admin's key in the environment; what the agent gets is a key of its own."""
    home = tmp_path / "home"
    asked = ("opencode", "--url", server.url, "--model", "big")
    wired = connect(server, home, *asked, env={"RIXIN_API_KEY": server.key})
    assert wired.code == 0, wired.err
    options = json.loads((home / ".config" / "opencode" / "opencode.json").read_text())["provider"]["rixin"]["options"]
    assert options["baseURL"] == f"{server.url}/v1"
    assert options["apiKey"].startswith("sk-rx-")
    assert options["apiKey"] != server.key


def test_a_server_on_another_port_of_this_machine_knows_the_store_as_well(server: Server, tmp_path: Path) -> None:
    """No key needs to be named where the data directory is at hand."""
    home = tmp_path / "home"
    wired = connect(server, home, "hermes", "--url", server.url, "--model", "big")
    assert wired.code == 0, wired.err
    assert "api_key" in (home / ".hermes" / "config.yaml").read_text(encoding="utf-8")


def test_a_key_that_is_given_is_used_and_one_in_the_environment_only_named(server: Server, tmp_path: Path) -> None:
    """A variable's value stands in no file."""
    home = tmp_path / "home"
    given = connect(server, home, "codex", "--model", "big", "--key", server.key)
    assert given.code == 0, given.err
    assert codex_key(home) == server.key
    named = connect(server, home, "codex", "--model", "big", "--key-env", "MY_KEY", env={"MY_KEY": server.key})
    assert named.code == 0, named.err
    config = (home / ".codex" / "config.toml").read_text(encoding="utf-8")
    assert 'env_key = "MY_KEY"' in config
    assert server.key not in config
    assert "not set" in (connect(server, home, "codex", "--key-env", "OTHER_KEY")).err
    assert (
        "ANTHROPIC_AUTH_TOKEN only" in (connect(server, home, "claude", "--key-env", "MY_KEY", env={"MY_KEY": "x"})).err
    )


def test_a_wrong_key_and_a_missing_model_are_told_before_anything_is_written(server: Server, tmp_path: Path) -> None:
    """The nearest names are given."""
    home = tmp_path / "home"
    refused = connect(server, home, "codex", "--model", "big", "--key", "sk-rx-wrong")
    assert refused.code == 1
    missing = connect(server, home, "codex", "--model", "bog")
    assert missing.code == 1
    assert "big" in missing.err
    assert not (home / ".codex").exists()


async def test_a_server_that_does_not_run_is_told_with_what_starts_it(tmp_path: Path) -> None:
    """Nothing is written, and no store is made."""
    data_dir = tmp_path / "data"
    result = await rixin("connect", "claude", data_dir=data_dir, env={"HOME": str(tmp_path), "RIXIN_PORT": "9"})
    assert result.code == 1
    assert "rixin serve" in result.err
    assert list(tmp_path.iterdir()) == []


async def test_keys_of_another_store_are_told_apart(server: Server, tmp_path: Path) -> None:
    """A server that was started on another data directory does not know a key that is made here."""
    settings = {"HOME": str(tmp_path / "home"), "RIXIN_PORT": str(urlsplit(server.url).port)}
    result = await rixin("connect", "codex", data_dir=tmp_path / "data", env=settings)
    assert result.code == 1
    assert "--data-dir" in result.err


def test_a_configuration_that_does_not_parse_is_left_alone(server: Server, tmp_path: Path) -> None:
    """The error names the file, the line and the column."""
    home = tmp_path / "home"
    (home / ".hermes").mkdir(parents=True)
    config = home / ".hermes" / "config.yaml"
    config.write_text("model: [\n", encoding="utf-8")
    result = connect(server, home, "hermes", "--model", "big")
    assert result.code == 1
    assert "config.yaml is left as it is: line 2, column 1" in result.err
    assert config.read_text(encoding="utf-8") == "model: [\n"


def test_homes_are_found_as_the_agents_find_them(server: Server, tmp_path: Path) -> None:
    """By their own variables, or by --home."""
    for name, variable in (("codex", "CODEX_HOME"), ("openclaw", "OPENCLAW_STATE_DIR"), ("hermes", "HERMES_HOME")):
        wired = connect(server, tmp_path / "home", name, "--model", "big", env={variable: str(tmp_path / name)})
        assert wired.code == 0, wired.err
        assert (tmp_path / name).is_dir()
    wired = connect(server, tmp_path / "home", "claude", "--home", str(tmp_path / "named"))
    assert wired.code == 0, wired.err
    assert json.loads((tmp_path / "named" / "settings.json").read_text())["env"]["ANTHROPIC_MODEL"] == "big"
    assert stat.S_IMODE((tmp_path / "named" / "settings.json").stat().st_mode) == 0o600
    assert list((tmp_path / "home").iterdir()) == []


async def test_a_small_model_is_told_first_with_the_measured_wait(tmp_path: Path) -> None:
    """It asks unless --yes goes on; a provider is offered; what cannot work at all is said."""
    async with ScriptedUpstream(answer(json.dumps(ANSWER))) as upstream:
        running, stop = await asyncio.to_thread(start, tmp_path / "data", config=CONFIG.format(url=upstream.url))
        try:
            home = tmp_path / "home"
            asked = await connect_alone(running, home, "claude", "--model", "small", stdin=b"n\n")
            assert asked.code == 1
            assert "a window of 32,768 tokens" in asked.err
            assert "prompt tokens/s, measured just now" in asked.err
            assert "rixin providers add" in asked.err
            assert not (home / ".claude").exists()
            agreed = await connect_alone(running, home, "claude", "--model", "small", stdin=b"y\n")
            assert agreed.code == 0, agreed.err
            assert (home / ".claude" / "settings.json").is_file()
            hermes = await connect_alone(running, home, "hermes", "--model", "small", "--yes")
            assert hermes.code == 0, hermes.err
            assert "refuses models with a window under 64,000" in hermes.err
            tiny = await connect_alone(running, home, "codex", "--model", "tiny", "--yes")
            assert "does not fit" in tiny.err
        finally:
            await asyncio.to_thread(stop)
    prompts = {request.body for request in upstream.requests if request.body}
    assert len(prompts) == 2 + 4  # a greeting that loads each of two models, and words that no cache has


AGENT = """#!{python}
import json, os, sys
print(json.dumps({{"arguments": sys.argv[1:], "environment": dict(os.environ)}}))
sys.exit(7)
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory of programs that tell how they were started."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in AGENTS:
        (directory / name).write_text(AGENT.format(python=sys.executable), encoding="utf-8")
        (directory / name).chmod(0o755)
    return directory


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
@pytest.mark.parametrize("name", ["claude", "codex", "opencode"])
async def test_run_becomes_the_agent_and_touches_none_of_its_files(
    name: str, server: Server, tmp_path: Path, programs: Path
) -> None:
    """Its arguments, its exit code and the server's address get through; the key is in no list of processes."""
    home = tmp_path / "home"
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    result = await connect_alone(
        server, home, name, "--model", "big", "--run", "--", "-p", "hi", "--restore", env={"PATH": path}
    )
    assert result.code == 7, result.err
    told = json.loads(result.out)
    assert told["arguments"][-3:] == ["-p", "hi", "--restore"]
    assert "sk-rx-" not in " ".join(told["arguments"])
    assert list(home.iterdir()) == []
    agent_files = {file.name: file for file in (server.data_dir / "agents").iterdir()}
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in agent_files.values())
    if name == "claude":
        env = json.loads(agent_files["claude-settings.json"].read_text(encoding="utf-8"))["env"]
        assert (env["ANTHROPIC_BASE_URL"], env["ANTHROPIC_API_KEY"]) == (server.url, "")
    elif name == "codex":
        assert told["environment"]["RIXIN_API_KEY"].startswith("sk-rx-")
        assert f'model_providers.rixin.base_url="{server.url}/v1"' in told["arguments"]
    else:
        assert json.loads(told["environment"]["OPENCODE_CONFIG_CONTENT"])["model"] == "rixin/big"


def test_run_says_where_it_cannot(server: Server, tmp_path: Path, programs: Path) -> None:
    """An agent that is not there, or one that reads nothing but its own files; options that write do not go with it."""
    missing = connect(server, tmp_path / "home", "codex", "--model", "big", "--run", env={"PATH": str(tmp_path)})
    assert "not installed" in missing.err
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    refused = connect(server, tmp_path / "home", "openclaw", "--model", "big", "--run", env={"PATH": path})
    assert "its own files only" in refused.err
    assert (connect(server, tmp_path / "home", "codex", "--run", "--dry-run")).code == 2
    assert (connect(server, tmp_path / "home", "codex", "stray")).code == 2
