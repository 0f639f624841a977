"""Codex: `config.toml` and a catalog that tells it what the models can do. Observed with 0.169.0."""

from importlib.resources import files
from pathlib import Path

import msgspec

from rixin.clients.connect.agent import PROVIDER, Agent, Environment, FilePlan, Launch, home_in
from rixin.clients.connect.connection import Connection, Model
from rixin.clients.connect.edit import Edit
from rixin.clients.connect.forms import json, toml
from rixin.core.json import JsonObject, JsonValue

CATALOG = "rixin-models.json"
_IDLE_TIMEOUT = 600_000
"""Milliseconds without an event: as long as a local model may read a long prompt."""
_COMPACT_AT = 0.9
"""The share of the window at which Codex compacts unless it is told otherwise."""
_EFFORTS = {
    "low": "Quick answers with little thought",
    "medium": "Thought and speed in balance",
    "high": "More thought for hard problems",
}


def provider(connection: Connection) -> JsonObject:
    """The server as one of Codex's model providers."""
    key: JsonObject = (
        {"experimental_bearer_token": connection.key} if connection.key else {"env_key": connection.key_variable}
    )
    return {
        "name": "Rixin",
        "base_url": connection.base_url,
        **key,
        "wire_api": "responses",
        "requires_openai_auth": False,
        "supports_websockets": False,
        "stream_idle_timeout_ms": _IDLE_TIMEOUT,
    }


def catalog(connection: Connection) -> JsonObject:
    """The file that `model_catalog_json` names: what Codex must know of every model."""
    instructions = files("rixin.clients.connect.agents").joinpath("codex_instructions.md").read_text(encoding="utf-8")
    return {"models": [_entry(model, rank, instructions) for rank, model in enumerate(connection.chat_models, 1)]}


def _entry(model: Model, rank: int, instructions: str) -> JsonObject:
    efforts: list[JsonValue] = [{"effort": name, "description": about} for name, about in _EFFORTS.items()]
    entry: JsonObject = {
        "slug": model.name,
        "display_name": model.name,
        "description": "Served by Rixin",
        "supported_reasoning_levels": efforts if model.reasons else [],
        "shell_type": "unified_exec",
        "visibility": "list",
        "supported_in_api": True,
        "priority": rank,
        "base_instructions": instructions,
        "support_verbosity": False,
        "apply_patch_tool_type": "freeform",
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "supports_parallel_tool_calls": True,
        "experimental_supported_tools": [],
        "input_modalities": [*model.inputs],
        "supports_search_tool": False,
        "use_responses_lite": False,
    }
    if model.reasons:
        entry["default_reasoning_level"] = "medium"
    if model.context_length is not None:
        entry["context_window"] = entry["max_context_window"] = model.context_length
    return entry


def home(environ: Environment) -> Path:
    """The directory of its configuration."""
    named = environ.get("CODEX_HOME")
    return Path(named) if named else home_in(environ) / ".codex"


def plan(connection: Connection, directory: Path) -> list[FilePlan]:
    """The catalog, and the configuration that names it."""

    def edits(tree: JsonObject) -> list[Edit]:
        return [
            Edit(("model",), connection.model.name),
            Edit(("model_provider",), PROVIDER),
            Edit(("model_catalog_json",), str(directory / CATALOG)),
            *_limits(tree, connection.model.context_length),
            Edit(("model_providers", PROVIDER), provider(connection)),
        ]

    def whole(_: JsonObject) -> list[Edit]:
        return [Edit((name,), value) for name, value in catalog(connection).items()]

    return [
        FilePlan(path=directory / CATALOG, form=json.FORM, edits=whole),
        FilePlan(path=directory / "config.toml", form=toml.FORM, edits=edits),
    ]


def _limits(tree: JsonObject, window: int | None) -> list[Edit]:
    """Limits that were set for another model win over the catalog; where they are, they are made true."""
    if window is None:
        return []
    true = {"model_context_window": window, "model_auto_compact_token_limit": int(window * _COMPACT_AT)}
    return [Edit((name,), limit) for name, limit in true.items() if name in tree]


def launch(connection: Connection, directory: Path) -> Launch:
    """Overrides on the command line, the key in the environment, where no list of processes shows it."""
    settings: JsonObject = {
        "model": connection.model.name,
        "model_provider": PROVIDER,
        "model_catalog_json": str(directory / CATALOG),
    }
    if connection.model.context_length is not None:
        settings["model_context_window"] = connection.model.context_length
        settings["model_auto_compact_token_limit"] = int(connection.model.context_length * _COMPACT_AT)
    shown = msgspec.structs.replace(connection, key="")
    settings |= {f"model_providers.{PROVIDER}.{name}": value for name, value in provider(shown).items()}
    return Launch(
        # A JSON scalar is TOML, too.
        arguments=tuple(
            part for name, value in settings.items() for part in ("-c", f"{name}={msgspec.json.encode(value).decode()}")
        ),
        environment={connection.key_variable: connection.key},
        files={CATALOG: catalog(connection)},
    )


AGENT = Agent(
    name="codex",
    title="Codex",
    program="codex",
    first_turn=23_000,
    home=home,
    home_variable="CODEX_HOME",
    plan=plan,
    launch=launch,
)
"""Codex, by the Responses API."""
