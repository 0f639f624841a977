"""`rixin providers import`: other programs' configurations, stored and served as they were there."""

import asyncio
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from rixin.accounts import root_secret
from rixin.cli.provider_book import provider_table
from rixin.cli.provider_rules import provider_rules
from rixin.clock import SystemClock
from rixin.profiles.cards import load_models
from rixin.profiles.sanitizers import sanitize
from rixin.routing.known_provider import KnownProvider
from rixin.routing.providers import ProviderBook
from rixin.settings import ModelOverride, PlanLimit
from rixin.store.database import Database
from tests.cli.program import Invoke, settings_on
from tests.support.databases import content, served_place

CARDS = load_models(files("rixin.profiles").joinpath("models.toml").read_bytes()).cards
MODEL = "sensenova-6.7-flash-lite"

SENSENOVA: dict[str, Any] = {
    "providers": [
        {
            "id": "sensenova",
            "displayName": "商汤日日新",
            "baseUrl": "https://token.sensenova.cn/v1",
            "envKey": "SENSENOVA_API_KEY",
            "defaultModel": MODEL,
            "models": [
                {"id": MODEL, "contextWindow": 262144, "maxOutputTokens": 65536, "supportsImages": True},
                {
                    "id": "deepseek-v4-flash",
                    "contextWindow": 262144,
                    "maxOutputTokens": 65536,
                    "supportsReasoning": True,
                },
            ],
            "features": {
                "dropNullStrict": True,
                "dropNullContent": True,
                "dropToolChoiceAuto": True,
                "mergeSystemMessages": True,
                "dropResponseFormat": True,
                "enhanceErrorPreset": "sensenova",
            },
            "docsUrl": "https://platform.sensenova.cn/docs",
        }
    ]
}
"""The example of mimo2codex's guide to SenseNova."""

USER = {"role": "user", "content": "hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "done"}


def tool(**more: Any) -> dict[str, Any]:
    """A function on offer."""
    return {"type": "function", "function": {"name": "read", "parameters": {"type": "object"}, **more}}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "strict null goes": ({"messages": [USER], "tools": [tool(strict=None)]}, {"messages": [USER], "tools": [tool()]}),
    "strict true stays": (
        {"messages": [USER], "tools": [tool(strict=True)]},
        {"messages": [USER], "tools": [tool(strict=True)]},
    ),
    "strict false stays": (
        {"messages": [USER], "tools": [tool(strict=False)]},
        {"messages": [USER], "tools": [tool(strict=False)]},
    ),
    "null content goes": (
        {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, RESULT]},
        {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}, RESULT]},
    ),
    "empty content stays": (
        {"messages": [USER, {"role": "assistant", "content": "", "tool_calls": [CALL]}, RESULT]},
        {"messages": [USER, {"role": "assistant", "content": "", "tool_calls": [CALL]}, RESULT]},
    ),
    "tool_choice auto goes": (
        {"messages": [USER], "tools": [tool()], "tool_choice": "auto"},
        {"messages": [USER], "tools": [tool()]},
    ),
    "tool_choice required stays": (
        {"messages": [USER], "tools": [tool()], "tool_choice": "required"},
        {"messages": [USER], "tools": [tool()], "tool_choice": "required"},
    ),
    "one system at the head stays": (
        {"messages": [{"role": "system", "content": "a"}, USER]},
        {"messages": [{"role": "system", "content": "a"}, USER]},
    ),
    "systems are merged": (
        {"messages": [{"role": "system", "content": "a"}, USER, {"role": "system", "content": "b"}]},
        {"messages": [{"role": "system", "content": "a\n\nb"}, USER]},
    ),
    "a late system comes first": (
        {"messages": [USER, {"role": "system", "content": "a"}]},
        {"messages": [{"role": "system", "content": "a"}, USER]},
    ),
    "empty systems go": (
        {"messages": [{"role": "system", "content": ""}, USER, {"role": "system", "content": ""}]},
        {"messages": [USER]},
    ),
    "response_format goes": (
        {"messages": [USER], "response_format": {"type": "json_object"}},
        {"messages": [USER]},
    ),
    "hosted tools go": (
        {"messages": [USER], "tools": [{"type": "web_search"}, tool()]},
        {"messages": [USER], "tools": [tool()]},
    ),
    "thinking goes": (
        {"messages": [USER], "thinking": {"type": "enabled"}, "enable_thinking": True},
        {"messages": [USER]},
    ),
    "parallel_tool_calls stays": (
        {"messages": [USER], "tools": [tool()], "parallel_tool_calls": False},
        {"messages": [USER], "tools": [tool()], "parallel_tool_calls": False},
    ),
    "reasoning_effort stays": (
        {"messages": [USER], "reasoning_effort": "high"},
        {"messages": [USER], "reasoning_effort": "high"},
    ),
}
"""What goes in, and what mimo2codex's features make of it, as their description says."""


def stored(data_dir: Path) -> list[KnownProvider]:
    """The stored providers, as a server on the same data reads them."""
    settings = settings_on(data_dir)

    async def read() -> list[KnownProvider]:
        database = Database.open(settings)
        try:
            secret = root_secret.load(settings)
            book = ProviderBook((), provider_table(database, secret), provider_rules({}), SystemClock())
            await book.poll()
            return list(book.all)
        finally:
            await database.aclose()

    return asyncio.run(read())


def imported(invoke: Invoke, folder: Path, name: str, text: str, *arguments: str) -> dict[str, Any]:
    """What `providers import --json` prints for a file."""
    (folder / name).write_text(text, encoding="utf-8")
    result = invoke("providers", "import", name, "--no-check", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_sensenova_example_rewrites_alike(
    invoke: Invoke, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imported as it is, stored and read again, it makes of each body what it made there, case by case."""
    monkeypatch.setenv("SENSENOVA_API_KEY", "sk-of-the-environment-1234")
    told = imported(invoke, tmp_path, "providers.json", json.dumps(SENSENOVA, ensure_ascii=False))
    assert told["warnings"] == []
    (entry,) = stored(data_dir)
    assert entry.provider.api_keys == ("sk-of-the-environment-1234",)
    assert entry.preset.name == "sensenova"
    profile = entry.profile_for(MODEL, CARDS[MODEL])
    for name, (body, wanted) in CASES.items():
        assert sanitize({"model": MODEL, **body}, profile).body == {"model": MODEL, **wanted}, name
    assert entry.override_of(MODEL) == ModelOverride(
        name=MODEL,
        context_length=262144,
        max_output_length=65536,
        input_modalities=("text", "image"),
        profile={"image_policy": "pass"},
    )


def test_a_key_that_is_not_there_is_told(invoke: Invoke, data_dir: Path, tmp_path: Path) -> None:
    """The provider is stored without a key, and the warning says how to give it one."""
    told = imported(invoke, tmp_path, "providers.json", json.dumps(SENSENOVA))
    (warning,) = told["warnings"]
    assert "SENSENOVA_API_KEY is not set, so it has no key" in warning
    assert "rixin providers set-key sensenova --api-key-stdin" in warning
    assert stored(data_dir)[0].provider.api_keys == ()


def test_names_and_defaults_of_mimo2codex(invoke: Invoke, data_dir: Path, tmp_path: Path) -> None:
    """Its models' aliases lead to them, and a forced default model answers to every name."""
    row = {"baseUrl": "https://a.example.com/v1", "envKey": "A_API_KEY", "defaultModel": "x"}
    providers = [
        {"id": "a", **row, "models": [{"id": "y", "aliases": ["z"]}]},
        {"id": "b", **row, "forceDefaultModel": True},
    ]
    imported(invoke, tmp_path, "providers.json", json.dumps({"providers": providers}))
    found = {entry.name: entry.provider for entry in stored(data_dir)}
    assert (found["a"].models, found["a"].aliases) == (("x", "y"), {"z": "y"})
    assert (found["b"].models, found["b"].aliases) == (("x",), {"*": "x"})


LITELLM = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_KEY, rpm: 60, tpm: 1000}
  - model_name: fast
    litellm_params:
      model: deepseek/deepseek-chat
      api_key: sk-in-the-file-5678
      additional_drop_params: [user]
      extra_headers: {x-secret: abcdef, x-token: os.environ/NO_SUCH}
    model_info: {max_input_tokens: 1000, supports_vision: false}
  - model_name: fast
    litellm_params: {model: moonshot/kimi-k2, api_key: sk-another-9999, weight: 3}
  - model_name: "*"
    litellm_params: {model: openrouter/*, api_key: k}
router_settings:
  model_group_alias: {quick: fast, lost: nowhere}
"""


def test_litellms_file_is_stored(
    invoke: Invoke, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys, limits, names, weights and headers come along; what cannot is named."""
    monkeypatch.setenv("OPENAI_KEY", "sk-of-the-environment-1234")
    told = imported(invoke, tmp_path, "config.yaml", LITELLM)
    found = {entry.name: entry.provider for entry in stored(data_dir)}
    openai, deepseek, moonshot = found["openai"], found["deepseek"], found["moonshot"]
    assert (openai.api_keys, openai.models, openai.aliases) == (("sk-of-the-environment-1234",), ("gpt-4o",), {})
    assert openai.limits == (
        PlanLimit(unit="requests", amount=60, window=60.0, model="gpt-4o"),
        PlanLimit(unit="tokens", amount=1000, window=60.0, model="gpt-4o"),
    )
    assert deepseek.aliases == {"fast": "deepseek-chat", "quick": "deepseek-chat"}
    assert (deepseek.headers, deepseek.profile) == ({"x-secret": "abcdef"}, {"drop_params": ["user"]})
    assert deepseek.overrides[0].context_length == 1000
    assert (moonshot.aliases, moonshot.weight) == ({"fast": "kimi-k2", "quick": "kimi-k2"}, 3.0)
    warnings = "\n".join(told["warnings"])
    assert (found["openrouter"].models, found["openrouter"].aliases) == ((), {})
    for text in ("the header x-token is left out: NO_SUCH", "lost is left out"):
        assert text in warnings
    kept = content(served_place(data_dir))
    for secret in (b"sk-in-the-file", b"abcdef", b"sk-of-the-environment"):
        assert secret not in kept


def test_a_second_import_needs_replace(invoke: Invoke, data_dir: Path, tmp_path: Path) -> None:
    """Nothing is overwritten unasked, and with --replace the file's word counts."""
    text = json.dumps(SENSENOVA)
    imported(invoke, tmp_path, "providers.json", text)
    again = invoke("providers", "import", "providers.json", "--no-check")
    assert (again.exit_code, "--replace replaces it" in again.stderr) == (1, True)
    imported(invoke, tmp_path, "providers.json", text.replace("262144", "1000"), "--replace")
    assert stored(data_dir)[0].override_of(MODEL).context_length == 1000


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", "{", "a.json: not valid JSON"),
        ("a.json", "[]", "a.json: providers.json should be an object"),
        ("a.yaml", "a: [", "a.yaml: not valid YAML"),
        ("a.yaml", "a: 1", "should have a list `model_list`"),
        ("a.yaml", "!!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_a_bad_file_is_refused(invoke: Invoke, tmp_path: Path, name: str, text: str, says: str) -> None:
    """The file and what is wrong with it are named; YAML makes no objects."""
    (tmp_path / name).write_text(text)
    result = invoke("providers", "import", str(tmp_path / name))
    assert result.exit_code == 1
    assert says in " ".join(result.stderr.split())


def test_a_missing_file_is_told(invoke: Invoke) -> None:
    """A path that leads nowhere is an error that names it."""
    result = invoke("providers", "import", "nowhere.json")
    assert (result.exit_code, "cannot read nowhere.json" in result.stderr) == (1, True)
