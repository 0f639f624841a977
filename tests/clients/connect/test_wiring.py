"""Agents' files, wired and given back."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rixin.clients.connect.agents import AGENTS
from rixin.clients.connect.connection import Connection, Model
from rixin.clients.connect.forms.json import FORM as JSON
from rixin.clients.connect.forms.yaml import FORM as YAML
from rixin.clients.connect.wiring import prepare, restore
from rixin.errors import Kind, RixinError

KEY = "sk-rx-0123456789abcdefghijklmnopqrstuv"
MODEL = Model(name="m", context_length=131072, max_output_length=8192, input_modalities=("text", "image"))
CONNECTION = Connection(
    origin="http://127.0.0.1:8700", key=KEY, model=MODEL, small_model="s", others=(MODEL, Model(name="s"))
)
EXISTING = {
    "codex": ("config.toml", '# mine\nmodel = "gpt-5.5" # old\n\n[mcp_servers.x]\ncommand = "y"\n'),
    "claude": ("settings.json", '{\n  // mine\n  "model": "opus",\n  "env": {"ANTHROPIC_API_KEY": "sk-ant-1"}\n}\n'),
    "opencode": ("opencode.jsonc", '{\n  // mine\n  "theme": "dark",\n  "provider": {"x": {}},\n}\n'),
    "openclaw": (
        "openclaw.json",
        "{\n  // mine\n  agents: { defaults: { model: 'a/b', models: { 'a/b': {} } } },\n}\n",
    ),
    "hermes": ("config.yaml", "# mine\nmodel:\n  default: a # old\n  api_key: keep\nterminal: {}\n"),
}


def tree(name: str, path: Path) -> dict[str, Any]:
    """A configuration as its agent would read it."""
    text = path.read_text(encoding="utf-8")
    if name == "codex":
        return tomllib.loads(text)
    return dict((YAML if name == "hermes" else JSON).parse(text))


@pytest.mark.parametrize("name", AGENTS)
def test_o1_an_existing_configuration_is_merged_and_given_back(name: str, tmp_path: Path) -> None:
    """Comments, other keys and login data stay; the second time nothing changes; the bytes come back as they were."""
    agent, (file, text) = AGENTS[name], EXISTING[name]
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")
    wiring = prepare(agent, CONNECTION, tmp_path)
    assert path.read_text(encoding="utf-8") == text
    assert KEY not in wiring.diff()
    assert "sk-ant-1" not in wiring.diff()
    wiring.apply()
    written = path.read_text(encoding="utf-8")
    assert "mine" in written
    assert KEY in written
    assert not prepare(agent, CONNECTION, tmp_path).needed
    restore(agent, tmp_path, force=False)
    assert [entry.name for entry in tmp_path.iterdir()] == [file]
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", AGENTS)
def test_a_new_home_is_made_and_emptied_again(name: str, tmp_path: Path) -> None:
    """An agent that never ran is wired, too; no file that holds the key is for others to read."""
    agent, home = AGENTS[name], tmp_path / "deep" / "home"
    prepare(agent, CONNECTION, home).apply()
    assert {oct(path.stat().st_mode & 0o777) for path in home.iterdir()} == {"0o600"}
    restore(agent, home, force=False)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", AGENTS)
def test_later_edits_are_not_lost_unasked(name: str, tmp_path: Path) -> None:
    """The refusal shows them, without secrets; --force gives back what was there at first."""
    agent, (file, text) = AGENTS[name], EXISTING[name]
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")
    prepare(agent, CONNECTION, tmp_path).apply()
    comment = "#" if name in ("codex", "hermes") else "//"
    path.write_text(path.read_text(encoding="utf-8") + f"{comment} later, with {KEY}\n", encoding="utf-8")
    with pytest.raises(RixinError, match="later, with") as error:
        restore(agent, tmp_path, force=False)
    assert error.value.kind is Kind.CONFLICT
    assert KEY not in error.value.message
    restore(agent, tmp_path, force=True)
    assert path.read_text(encoding="utf-8") == text


def test_nothing_is_restored_where_nothing_was_wired(tmp_path: Path) -> None:
    """And it is said."""
    with pytest.raises(RixinError, match="not connected"):
        restore(AGENTS["codex"], tmp_path, force=True)


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("codex", 'model = "x"\nmodel_provider = \n', "config.toml .*line 2, column 18"),
        ("claude", '{"env": {]}', "settings.json .*line 1, column 10"),
        ("opencode", '{"model": "x" "y": 1}', "line 1, column 15"),
        ("openclaw", "{agents: }", "line 1, column 10"),
        ("hermes", "model: [\n", "config.yaml .*line 2"),
    ],
)
def test_o1_a_configuration_that_does_not_parse_is_left_alone(name: str, text: str, place: str, tmp_path: Path) -> None:
    """The error names file, line and column, and no other file was written."""
    path = tmp_path / EXISTING[name][0]
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RixinError, match=place) as error:
        prepare(AGENTS[name], CONNECTION, tmp_path)
    assert error.value.kind is Kind.CONFIGURATION
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.read_text(encoding="utf-8") == text


def test_a_configuration_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    """Such as one in UTF-16."""
    (tmp_path / "settings.json").write_bytes("{}".encode("utf-16"))
    with pytest.raises(RixinError, match="no UTF-8 text"):
        prepare(AGENTS["claude"], CONNECTION, tmp_path)


def test_o2_codex_gets_a_provider_that_needs_no_login_and_a_catalog(tmp_path: Path) -> None:
    """Responses over HTTP, the true window, ordinary tools; limits that were set for another model are made true."""
    (tmp_path / "config.toml").write_text("model_context_window = 272000\nmodel_auto_compact_token_limit = 250000\n")
    prepare(AGENTS["codex"], CONNECTION, tmp_path).apply()
    config = tree("codex", tmp_path / "config.toml")
    provider = config["model_providers"]["rixin"]
    assert provider["name"] != "OpenAI"
    assert (provider["wire_api"], provider["supports_websockets"], provider["requires_openai_auth"]) == (
        "responses", False, False,
    )  # fmt: skip
    assert provider["base_url"] == "http://127.0.0.1:8700/v1"
    assert (config["model_context_window"], config["model_auto_compact_token_limit"]) == (131072, 117964)
    catalog = json.loads(Path(config["model_catalog_json"]).read_text(encoding="utf-8"))["models"]
    assert [(entry["slug"], entry.get("context_window")) for entry in catalog] == [("m", 131072), ("s", None)]
    assert {(entry["use_responses_lite"], entry["apply_patch_tool_type"]) for entry in catalog} == {(False, "freeform")}
    assert catalog[0]["input_modalities"] == ["text", "image"]


def test_a18_claude_code_is_told_the_true_window(tmp_path: Path) -> None:
    """It takes unknown models for ones of a million tokens; a key that would be sent beside ours is taken out."""
    (tmp_path / "settings.json").write_text('{"env": {"ANTHROPIC_API_KEY": "sk-ant-1", "FOO": "1"}}', encoding="utf-8")
    prepare(AGENTS["claude"], CONNECTION, tmp_path).apply()
    env = tree("claude", tmp_path / "settings.json")["env"]
    assert env["FOO"] == "1"
    assert "ANTHROPIC_API_KEY" not in env
    assert env["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8700"
    assert env["ANTHROPIC_AUTH_TOKEN"] == KEY
    assert {env[f"ANTHROPIC_{name}"] for name in ("MODEL", "DEFAULT_OPUS_MODEL", "DEFAULT_SONNET_MODEL")} == {"m"}
    assert env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "s"
    assert env["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "131072"
    assert env["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "8192"
    assert env["CLAUDE_CODE_ATTRIBUTION_HEADER"] == "0"


def test_opencode_openclaw_and_hermes_are_told_the_true_limits(tmp_path: Path) -> None:
    """Each in its own words."""
    for name in ("opencode", "openclaw", "hermes"):
        prepare(AGENTS[name], CONNECTION, tmp_path / name).apply()
    opencode = tree("opencode", tmp_path / "opencode" / "opencode.json")
    assert opencode["provider"]["rixin"]["models"]["m"]["limit"] == {"context": 131072, "output": 8192}
    assert "limit" not in opencode["provider"]["rixin"]["models"]["s"]
    assert (opencode["model"], opencode["small_model"]) == ("rixin/m", "rixin/s")
    openclaw = tree("openclaw", tmp_path / "openclaw" / "openclaw.json")
    model = openclaw["models"]["providers"]["rixin"]["models"][0]
    assert (model["contextWindow"], model["maxTokens"], model["input"]) == (131072, 8192, ["text", "image"])
    assert openclaw["agents"]["defaults"]["model"] == {"primary": "rixin/m"}
    hermes = tree("hermes", tmp_path / "hermes" / "config.yaml")
    assert hermes["model"] == {"default": "m", "provider": "rixin", "context_length": 131072}
    assert hermes["providers"]["rixin"]["api_key"] == KEY


def test_openclaw_keeps_the_shape_of_its_model_and_allows_the_new_one(tmp_path: Path) -> None:
    """A list of models to choose from would refuse one that is not on it."""
    (tmp_path / "openclaw.json").write_text(EXISTING["openclaw"][1], encoding="utf-8")
    prepare(AGENTS["openclaw"], CONNECTION, tmp_path).apply()
    defaults = tree("openclaw", tmp_path / "openclaw.json")["agents"]["defaults"]
    assert defaults["model"] == "rixin/m"
    assert set(defaults["models"]) == {"a/b", "rixin/m"}


@pytest.mark.parametrize("name", sorted(set(AGENTS) - {"claude"}))
def test_a_key_that_stays_in_the_environment_is_in_no_file(name: str, tmp_path: Path) -> None:
    """The configuration names the variable instead."""
    connection = Connection(origin="http://127.0.0.1:8700", key="", key_variable="MY_KEY", model=MODEL, small_model="s")
    prepare(AGENTS[name], connection, tmp_path).apply()
    assert "MY_KEY" in (tmp_path / EXISTING[name][0].replace("jsonc", "json")).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["codex", "claude", "opencode"])
def test_a_launch_shows_its_key_to_no_list_of_processes(name: str, tmp_path: Path) -> None:
    """It is in the environment or in a file, never among the arguments."""
    agent = AGENTS[name]
    assert agent.launch is not None
    launch = agent.launch(CONNECTION, tmp_path)
    assert KEY not in " ".join(launch.arguments)
    assert KEY in repr(launch.environment) + repr(launch.files)
